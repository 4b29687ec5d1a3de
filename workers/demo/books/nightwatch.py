"""Keeps an eye on the runs of an account, through the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import date

from workers.demo.books.finance import Finance
from workers.demo.books.memory import Memory
from workers.demo.books.nights import Night
from workers.demo.show import Show
from workers.demo.watch import Derailed
from workflows.reconciliation.certificate import Certificate

_PATIENCE = 60.0
_PAUSE = 0.2


class Nightwatch:
    """Looks at the runs of an account, and shows them."""

    def __init__(self, show: Show, finance: Finance, memory: Memory) -> None:
        self._show, self._finance, self._memory = show, finance, memory
        self._news = asyncio.Condition()

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Look while this lasts."""
        task = asyncio.create_task(self._look())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def until_over(self, day: date, ordinal: int) -> str:
        """How a run came out, once it is over. Raises Derailed where that does not come about."""

        def over() -> Night | None:
            found = (
                night
                for night in self._show.nights
                if (night.run.business_date, night.run.ordinal) == (day, ordinal)
            )
            night = next(found, None)
            return night if night and night.run.ended_at else None

        try:
            async with asyncio.timeout(_PATIENCE), self._news:
                await self._news.wait_for(lambda: over() is not None)
        except TimeoutError:
            raise Derailed(f"The books of {day} are not compared after {_PATIENCE:.0f} s") from None
        night = over()
        assert night is not None, "it was waited for"
        return night.now

    async def _look(self) -> None:
        while True:
            runs = await self._finance.runs(self._memory.account)
            before = {night.run.id: night for night in self._show.nights}
            nights = []
            for run in runs:
                night = before.get(run.id) or Night(run, self._paid(run.business_date))
                if run.certificate_id and night.certificate is None:
                    told = await self._finance.certificate(run.certificate_id)
                    night.certificate = Certificate.model_validate_json(told)
                night.run = run
                nights.append(night)
            async with self._news:
                self._show.nights = nights
                self._show.changed()
                self._news.notify_all()
            await asyncio.sleep(_PAUSE)

    def _paid(self, day: date) -> tuple[int, int]:
        number = (day - self._memory.week.monday).days
        return self._memory.paid[number] if number < len(self._memory.paid) else (0, 0)
