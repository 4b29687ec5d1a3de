"""Keeps services running: started in order, started again when they die, stopped in reverse."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol

import structlog

from workers.obstacle import Obstacle
from workers.together import together

_PAUSES = (0.1, 1.0, 2.0, 5.0, 10.0, 30.0)
# A service that ran this long is healthy: its next end is a new story. Less than a demo lasts,
# which kills a worker each time it is played.
_HEALTHY_AFTER = 10.0

State = Literal["starting", "running", "restarting", "stopping"]

log = structlog.stdlib.get_logger(__name__)


class Service(Protocol):
    """What can be kept running. `start` cleans up if it fails; `stop` may be called at any time."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""

    async def start(self) -> None:
        """Return once it answers; an exception says why it cannot."""

    async def wait(self) -> int:
        """Return its exit code once it has ended."""

    async def stop(self) -> None:
        """Return once it is gone."""


@dataclass
class Kept:
    """A service that is kept running, and how it is."""

    service: Service
    state: State = "starting"
    since: datetime = field(default_factory=lambda: datetime.now(UTC))


class Supervisor:
    """Services in the order in which they were started.

    `announce` is told, in a sentence, what becomes of them; `changed` is called after every change
    of a state.
    """

    def __init__(self, announce: Callable[[str], None], changed: Callable[[], None]) -> None:
        self._announce = announce
        self._changed = changed
        self._kept: list[Kept] = []
        self._watches: list[asyncio.Task[None]] = []

    @property
    def kept(self) -> Sequence[Kept]:
        """All services, in their order."""
        return tuple(self._kept)

    async def start(self, *services: Service) -> None:
        """Start `services` side by side and keep them running from then on.

        Raises what the first of them to fail raised; `stop` then ends the others.
        """
        kept = [Kept(service) for service in services]
        self._kept.extend(kept)
        await together(*(self._start_first(one) for one in kept))
        self._watches.extend(asyncio.create_task(self._watch(one)) for one in kept)

    async def stop(self) -> None:
        """End all of them, the last started first, and return once none is left."""
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        self._watches.clear()
        while self._kept:
            kept = self._kept[-1]
            if kept.service.pid is not None:
                self._announce(f"{kept.service.name}: stopping")
                self._turn(kept, "stopping")
            await kept.service.stop()
            self._kept.pop()
            self._changed()

    async def _start_first(self, kept: Kept) -> None:
        began = time.monotonic()
        await kept.service.start()
        self._announce(f"{kept.service.name}: ready after {time.monotonic() - began:.1f} s")
        self._turn(kept, "running")

    async def _watch(self, kept: Kept) -> None:
        name, failures = kept.service.name, 0
        while True:
            began = time.monotonic()
            code = await kept.service.wait()
            if time.monotonic() - began > _HEALTHY_AFTER:
                failures = 0
            self._turn(kept, "restarting")
            self._announce(f"{name}: ended unexpectedly ({_reason(code)}), starting it again")
            while not await self._start_again(kept, _PAUSES[min(failures, len(_PAUSES) - 1)]):
                failures += 1
            failures += 1

    async def _start_again(self, kept: Kept, pause: float) -> bool:
        await asyncio.sleep(pause)
        try:
            await kept.service.start()
        except Obstacle as obstacle:
            self._announce(f"{kept.service.name}: could not be started again: {obstacle}")
            return False
        except Exception:
            # A defect of ours, and still no reason to leave everything else alone.
            log.exception("service not started", service=kept.service.name)
            return False
        self._announce(f"{kept.service.name}: running again")
        self._turn(kept, "running")
        return True

    def _turn(self, kept: Kept, state: State) -> None:
        kept.state, kept.since = state, datetime.now(UTC)
        self._changed()


def _reason(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
