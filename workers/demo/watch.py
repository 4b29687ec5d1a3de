"""Keeps an eye on every onboarding of a run, through the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from workers.demo.callers import Callers
from workers.demo.show import Row, Show

_PATIENCE = 40.0
_PAUSE = 0.15
_IDLE_PAUSE = 1.0


class Derailed(Exception):
    """The play does not go as it should; the text says where."""


class Watch:
    """Looks often at whom somebody waits for, and at the others now and then."""

    def __init__(self, show: Show, callers: Callers) -> None:
        self._show = show
        self._callers = callers
        self._news = asyncio.Condition()
        self._awaited: list[Row] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def aclose(self) -> None:
        """Look no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def follow(self, row: Row, onboarding: str) -> None:
        """Look at this onboarding from now on, until its end."""
        self._tasks.append(asyncio.create_task(self._follow(row, onboarding)))

    async def until(self, row: Row, condition: Callable[[Row], bool], what: str) -> None:
        """Returns once the condition holds. Raises Derailed where it does not come to that."""
        self._awaited.append(row)
        try:
            async with asyncio.timeout(_PATIENCE), self._news:
                await self._news.wait_for(lambda: condition(row))
        except TimeoutError:
            raise Derailed(
                f"{row.applicant.name} is not {what} after {_PATIENCE:.0f} s, but"
                f" {row.stage or 'nowhere'}: {row.now}"
            ) from None
        finally:
            self._awaited.remove(row)

    async def _follow(self, row: Row, onboarding: str) -> None:
        while not row.ended:
            found = await self._callers.show(onboarding)
            async with self._news:
                self._show.see(row, found)
                self._news.notify_all()
            idle = _IDLE_PAUSE
            while idle > 0 and not row.ended:
                await asyncio.sleep(_PAUSE)
                idle -= _IDLE_PAUSE if row in self._awaited else _PAUSE
