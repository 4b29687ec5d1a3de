"""The stack that the demo plays on: one that runs already, or one of its own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from workers import laptop_processes, stack_record, stack_status
from workers.laptop import Stack
from workers.obstacle import Obstacle
from workers.settings import Settings, variable
from workers.stack_record import Mark, StackRecord

SYSTEMS = {"billing": "stripe", "directory": "scim", "crm": "hubspot", "mail": "smtp"}
"""Whom the play is about: their outages are part of it, and they are asked at its end."""

_PATIENCE = 60.0
WorkerName = Literal["worker", "reconciliation"]
"""The workers of a stack: of onboardings, and of reconciliations."""


class NoStack(Obstacle):
    """There is no stack to play on. The text says why, and the way out."""

    exit_code: ClassVar[int] = 3


class AlreadyPlaying(Obstacle):
    """Another demo plays here: what each makes go wrong would hit the other."""

    exit_code: ClassVar[int] = 4


@dataclass(frozen=True)
class Theatre:
    """A stack that runs. `own` says that it was started for the play."""

    home: Path
    own: bool

    def worker(self, name: WorkerName = "worker") -> Mark | None:
        """The worker that is ready; None while there is none."""
        record = StackRecord.read(self.home)
        for process in record.processes if record else ():
            if process.name == name and process.state == "running" and process.mark:
                return process.mark if process.mark.process() else None
        return None

    def kill_worker(self, name: WorkerName = "worker") -> Mark:
        """End a worker as a power cut would, and answer which it was. Raises NoStack."""
        mark = self.worker(name)
        process = mark.process() if mark else None
        if mark is None or process is None:
            raise NoStack("There is no worker that could be killed; see `perdure status`.")
        process.send_signal(signal.SIGKILL)
        return mark


@contextlib.contextmanager
def sole_play(home: Path) -> Iterator[None]:
    """Hold the stage: one demo at a time on the stack of a clone. Raises AlreadyPlaying."""
    with stack_record.held(home / "demo.lock") as ours:
        if not ours:
            raise AlreadyPlaying(
                "Another `perdure demo` plays on the stack of this clone, and the two would disturb"
                " each other. Try again once it has shown its checks."
            )
        yield


@contextlib.asynccontextmanager
async def theatre(settings: Settings, announce: Callable[[str], None]) -> AsyncIterator[Theatre]:
    """The running stack of this clone; where there is none, one that ends with the context.

    Raises NoStack, or AlreadyRunning where another process has only just begun to start one.
    """
    if stack_record.is_locked(settings.home):
        await _until_complete(settings)
        yield Theatre(settings.home, own=False)
        return
    stack = Stack(settings, announce)
    try:
        await stack.start()
    except Obstacle as obstacle:
        if obstacle.exit_code != Obstacle.exit_code:
            raise
        raise NoStack(str(obstacle)) from obstacle
    try:
        yield Theatre(settings.home, own=True)
    finally:
        await stack.stop()
        announce("nothing is left running")


async def _until_complete(settings: Settings) -> None:
    """Returns once the running stack is one that we can play on. Raises NoStack."""
    limit = time.monotonic() + _PATIENCE
    while not stack_status.of(settings.home).complete:
        if time.monotonic() > limit:
            raise NoStack("The stack that runs is not complete: `perdure status` says what is.")
        await asyncio.sleep(0.2)
    record = StackRecord.read(settings.home)
    if record is None:
        raise NoStack("The stack has ended just now. Try again.")
    if record.policy != "demo":
        raise NoStack(
            f"The stack that runs keeps the policy {record.policy}, under which a step tries for "
            "half an hour before it parks. End it with `perdure down`; `perdure demo` then starts "
            f"its own, and `perdure up` one that fits unless {variable('policy')} says otherwise."
        )
    if record.systems != settings.systems:
        chosen = ", ".join(variable(name) for name in settings.systems)
        raise NoStack(
            "The stack that runs talks to other systems than the play is about: Stripe, a SCIM "
            "directory, HubSpot and a mail server. End it with `perdure down`; `perdure demo` then "
            f"starts its own, and `perdure up` one that fits unless one of {chosen} says otherwise."
        )
    ours = laptop_processes.urls(settings)
    if any(ours[process.name] != process.urls for process in record.processes):
        raise NoStack(
            "The stack that runs was started with other ports or addresses than the settings of "
            "this command name: `perdure status` shows them. Use the same environment for both."
        )
