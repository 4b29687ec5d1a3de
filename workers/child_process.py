"""A program run as our child: started until it answers, ended in time, never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workers.obstacle import Obstacle

_LOG_LIMIT = 20_000_000
_PR_SET_PDEATHSIG = 1
# Looked up once and before any fork: between fork and exec as little as possible may happen.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


class StartFailed(Obstacle):
    """A program ended, or stayed silent, before it answered. The text holds the end of its log."""


async def always_ready() -> bool:
    """For programs that are ready as soon as they run."""
    return True


@dataclass(frozen=True)
class Program:
    """What to run and how to know that it answers.

    `environment` is the whole environment of the program, or None for ours. `user` and `group` are
    ids to run as, where we are root and the program must not be. Times are in seconds.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    ready: Callable[[], Awaitable[bool]] = always_ready
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    folder: Path | None = None
    user: int | None = None
    group: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    start_time: float = 60.0
    stop_time: float = 30.0


class ChildProcess:
    """One run after another of a program; it dies with us where the system offers that."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: asyncio.subprocess.Process | None = None
        self._log_start = 0

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Run the program and return once it answers.

        Raises StartFailed when it ends before that or takes longer than `start_time`.
        """
        if self.pid is not None:
            return
        await self._spawn()
        try:
            await self._until_ready()
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> int:
        """The exit code, once it has ended; negative is the signal that ended it."""
        process = self._process
        assert process is not None, f"{self.name} was never started"
        code = await process.wait()
        _end_group(process.pid)
        return code

    async def stop(self) -> None:
        """Ask it to end, insist after `stop_time`, and take its own children with it."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(self.program.stop_signal)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), self.program.stop_time)
        finally:
            _end_group(process.pid)
        await process.wait()

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that the current run wrote."""
        with contextlib.suppress(OSError), self.program.log.open("rb") as log:
            log.seek(self._log_start)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
        return ""

    async def _spawn(self) -> None:
        program = self.program
        program.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if program.log.exists() and program.log.stat().st_size > _LOG_LIMIT:
            program.log.replace(program.log.with_suffix(".log.1"))
        with program.log.open("ab") as log:
            self._log_start = log.tell()
            us, sign = os.getpid(), program.stop_signal
            self._process = await asyncio.create_subprocess_exec(
                *program.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=program.folder,
                env=program.environment,
                user=program.user,
                group=program.group,
                extra_groups=None if program.user is None else (),
                # A session of its own: Ctrl-C reaches us alone, and we drain in order.
                start_new_session=True,
                preexec_fn=lambda: _end_with(us, sign),
            )

    async def _until_ready(self) -> None:
        process, program = self._process, self.program
        assert process is not None
        limit = time.monotonic() + program.start_time
        pause = 0.01
        while True:
            answered = await program.ready()
            # Whatever answered, it was not this program if that has ended.
            if process.returncode is not None:
                raise StartFailed(
                    f"{self.name} ended with exit code {process.returncode} before it answered. "
                    f"{self._log_says()}"
                )
            if answered:
                return
            if time.monotonic() > limit:
                raise StartFailed(
                    f"{self.name} did not answer within {program.start_time:g} s. "
                    f"{self._log_says()}"
                )
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.1)

    def _log_says(self) -> str:
        return f"Its log {self.program.log} ends:\n{self.log_tail()}"


class ChildServer:
    """A server that we run as a child, and how it goes on once it was started."""

    name: str
    _child: ChildProcess | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the server that we started, while it runs."""
        return self._child.pid if self._child else None

    async def wait(self) -> int:
        """The server's exit code, once it has ended."""
        assert self._child is not None, f"{self.name} was never started"
        return await self._child.wait()

    async def stop(self) -> None:
        """Stop the server; what it acknowledged is on disk."""
        if self._child is not None:
            await self._child.stop()
            self._child = None


def _end_group(leader: int) -> None:
    """Right after a process ended, or to end it: what it started itself ends with it.

    Later its number may be somebody else's.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _end_with(parent: int, sign: signal.Signals) -> None:
    """Between fork and exec: have the system end this child when its parent is gone."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, int(sign), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
