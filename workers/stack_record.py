"""What is written down about a running stack, so that other commands find it and its processes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal, TextIO

import psutil
from pydantic import BaseModel, ValidationError

from workers.obstacle import Obstacle
from workers.supervisor import State

# The system's idea of when a process started moves a little when the clock is set.
_CLOCK_SLACK = 2.0
_PATIENCE = 30.0


class AlreadyRunning(Obstacle):
    """Another process runs the stack of this clone."""

    exit_code: ClassVar[int] = 4


class Mark(BaseModel):
    """One process and no other: its number, and when it started, since numbers are used again."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Mark:
        """The mark of a process that runs now. Raises psutil.NoSuchProcess where it does not."""
        return cls(pid=pid, started=psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The process, while it is that very one and alive."""
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _CLOCK_SLACK
            if same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


class ProcessRecord(BaseModel):
    """One process of the stack: how it is since when, and where it answers."""

    name: str
    state: State
    since: datetime
    urls: tuple[str, ...] = ()
    mark: Mark | None = None
    stop_signal: int = signal.SIGTERM


class StackRecord(BaseModel):
    """The stack of one clone as its supervisor last wrote it down.

    `policy` is the profile that its worker gives to processes, `systems` whom it talks to: the name
    of a system for each capability.
    """

    supervisor: Mark
    policy: Literal["production", "demo"] = "production"
    systems: dict[str, str] = {}
    processes: tuple[ProcessRecord, ...] = ()

    @classmethod
    def read(cls, home: Path) -> StackRecord | None:
        """What was written down last, or None; the processes need not be alive any more."""
        with contextlib.suppress(FileNotFoundError, ValidationError):
            return cls.model_validate_json(_file(home).read_text())
        return None

    def write(self, home: Path) -> None:
        """Write it down in one move: nobody reads half of it."""
        unfinished = _file(home).with_suffix(".unfinished")
        unfinished.write_text(self.model_dump_json(indent=2))
        unfinished.replace(_file(home))

    def is_alive(self) -> bool:
        """Whether the supervisor that wrote it still runs."""
        return self.supervisor.process() is not None

    def end_leftovers(self) -> list[str]:
        """End what a dead supervisor left behind, the last started first; its names.

        Only processes that are provably the recorded ones are touched.
        """
        ended = []
        for record in reversed(self.processes):
            if record.mark is not None and (process := record.mark.process()):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(record.stop_signal)
                    try:
                        process.wait(_PATIENCE)
                    except psutil.TimeoutExpired:
                        process.kill()
                ended.append(record.name)
        return ended


def forget(home: Path) -> None:
    """Remove what was written down: the stack is gone."""
    _file(home).unlink(missing_ok=True)


@contextlib.contextmanager
def sole_stack(home: Path) -> Iterator[None]:
    """Hold the clone's lock: one stack at a time. The system lets go of it when we die.

    Raises AlreadyRunning where another process holds it.
    """
    with held(home / "stack.lock") as ours:
        if not ours:
            record = StackRecord.read(home)
            holder = f" (pid {record.supervisor.pid})" if record else ""
            raise AlreadyRunning(
                f"The stack of this clone is running already{holder}, with its state in {home}. "
                "`perdure status` shows it, `perdure down` ends it."
            )
        yield


@contextlib.contextmanager
def held(file: Path) -> Iterator[bool]:
    """Hold a lock, of which the system lets go when we die; False where another process has it."""
    with file.open("w") as lock:
        yield _locked(lock)


def is_locked(home: Path) -> bool:
    """Whether some process runs, or is about to run, the stack of this clone."""
    try:
        with sole_stack(home):
            return False
    except AlreadyRunning:
        return True
    except FileNotFoundError:
        return False


def end(home: Path, patience: float = 120.0) -> bool:
    """End the stack that runs in another process, and what an earlier one left behind.

    True where there was something to end. Raises Obstacle where it does not end within
    `patience` seconds.
    """
    record = StackRecord.read(home)
    if record is None:
        if is_locked(home):
            raise AlreadyRunning("The stack of this clone is just starting; try again in a moment.")
        return False
    if supervisor := record.supervisor.process():
        supervisor.send_signal(signal.SIGTERM)
        limit = time.monotonic() + patience
        while is_locked(home):
            if time.monotonic() > limit:
                raise Obstacle(
                    f"The stack (pid {supervisor.pid}) did not end within {patience:.0f} s; its "
                    f"logs are in {home / 'logs'}."
                )
            time.sleep(0.1)
        return True
    ended = record.end_leftovers()
    forget(home)
    return bool(ended)


def _locked(lock: TextIO) -> bool:
    """Take the lock; somebody who only looks whether it is held has it for a moment."""
    for _ in range(5):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return True
    return False


def _file(home: Path) -> Path:
    return home / "stack.json"


def ourselves() -> Mark:
    """The mark of this process."""
    return Mark.of(os.getpid())
