"""Taking in what the processor booked: movements, payouts and who is in them, closing balances."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.heartbeat import Progress, going_on
from activities.reconciliation.sources import items_of_movements
from connectors.capabilities import Batch, Processor
from connectors.movements import Movement, Window
from database import watermarks
from database.connection import transaction
from database.reconciliation import items, sources
from database.reconciliation.accounts import Account
from workflows.reconciliation.messages import Gathered
from workflows.reconciliation.payouts import Payout

_TAKEN_IN_AT_ONCE = 5_000
"""Movements of one intake: large enough for sets, small enough that a crash costs little."""
_OVERLAP = timedelta(days=1)
_PAYOUTS_CHANGE = timedelta(days=40)
"""So long after it was made a payout may still get its trace id, fail or come back."""
_READ_AHEAD = 4

BALANCE_UNTOLD = "processor_balance"
"""The problem that the processor's balance as of the day's end could not be read."""

Row = TypeVar("Row")


class _Place(BaseModel):
    """Where a listing is: the window, and behind which movement each part goes on."""

    since: datetime
    before: datetime
    after: dict[int, str] = {}
    over: set[int] = set()


class ProcessorBook:
    """An account's book at its processor; `keys` are what movements are known by, best first."""

    def __init__(
        self, engine: AsyncEngine, processor: Processor, account: Account, keys: Sequence[str]
    ) -> None:
        self._engine = engine
        self._processor = processor
        self._account = account
        self._keys = keys

    async def gather(self, before: datetime) -> Gathered:
        """Take in all that happened before a time and was not taken in yet, and what changed since.

        All of it may be done again: what is there stays as it is.
        """
        name = f"gathered/{self._account.name}"
        since = await self._since(name, before)
        async with going_on(_Place(since=since, before=before)) as progress:
            if progress.place == _Place(since=since, before=before):
                async with transaction(self._engine) as connection:
                    await sources.forget_bad_rows(connection, self._account.id, before)
            gathered = await self._movements(progress)
            gathered = _sum(gathered, await self._payouts(since))
            await self._members()
            told = [await self._balance(at) for at in (self._account.opening, before)]
            problems = () if all(told) else (BALANCE_UNTOLD,)
        async with transaction(self._engine) as connection:
            await watermarks.move(connection, name, before)
        return gathered.model_copy(update={"problems": problems})

    async def _since(self, name: str, before: datetime) -> datetime:
        opened = self._account.opening
        async with transaction(self._engine) as connection:
            gathered = await watermarks.read(connection, name)
        if gathered is None:
            return opened
        return max(opened, min(gathered, before) - _OVERLAP)

    async def _movements(self, progress: Progress[_Place]) -> Gathered:
        place = progress.place
        gathered, waiting = Gathered(), list[tuple[int, Batch]]()
        before = place.before
        async with contextlib.aclosing(self._side_by_side(place)) as batches:
            async for part, batch in batches:
                waiting.append((part, batch))
                if sum(len(batch.movements) for _, batch in waiting) >= _TAKEN_IN_AT_ONCE:
                    gathered = _sum(gathered, await self._take_in(waiting, before))
                    _go_on(place, waiting)
                    progress.tell()
        gathered = _sum(gathered, await self._take_in(waiting, before))
        _go_on(place, waiting)
        progress.tell()
        return gathered

    async def _side_by_side(self, place: _Place) -> AsyncGenerator[tuple[int, Batch], None]:
        """The batches of all parts that are not over, as they come."""
        parts = self._processor.parts(Window(place.since, place.before))
        batches: asyncio.Queue[tuple[int, Batch] | None] = asyncio.Queue(_READ_AHEAD)

        async def read(part: int, window: Window) -> None:
            async for batch in self._processor.movements(window, place.after.get(part)):
                await batches.put((part, batch))

        async def read_all() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    for part, window in enumerate(parts):
                        if part not in place.over:
                            group.create_task(read(part, window))
            except Exception:
                await batches.put(None)
                raise
            await batches.put(None)

        reading = asyncio.create_task(read_all())
        try:
            while (taken := await batches.get()) is not None:
                yield taken
            await reading
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        finally:
            reading.cancel()
            await asyncio.wait({reading})

    async def _take_in(self, batches: Sequence[tuple[int, Batch]], before: datetime) -> Gathered:
        movements = [movement for _, batch in batches for movement in batch.movements]
        bad = [row for _, batch in batches for row in batch.bad_rows]
        gathered = await self._keep(movements, source="processor") if movements else Gathered()
        rows = [(row.file, row.line, row.field, row.reason) for row in bad]
        async with transaction(self._engine) as connection:
            await sources.keep_bad_rows(connection, self._account.id, before, rows)
        return gathered.model_copy(update={"bad_rows": len(bad)})

    async def _keep(self, movements: Sequence[Movement], *, source: str) -> Gathered:
        told = items_of_movements(movements, self._keys, self._account.zone)
        async with transaction(self._engine) as connection:
            taken = await items.take_in(connection, self._account.id, told, source=source)
        return Gathered(new=taken.new, changed=taken.changed, unchanged=taken.unchanged)

    async def _payouts(self, since: datetime) -> Gathered:
        """Keep payouts as they are now; the trace ids that were told since, as items."""
        async with transaction(self._engine) as connection:
            unsettled = await sources.oldest_unsettled(
                connection, self._account.id, since - _PAYOUTS_CHANGE
            )
        gathered = Gathered()
        from_ = min(since, unsettled) if unsettled else since
        async for payouts in _many(self._processor.payouts(from_)):
            async with transaction(self._engine) as connection:
                await sources.keep_payouts(connection, self._account.id, payouts)
                traced = [payout.id for payout in payouts if payout.trace_id is not None]
                untold = await sources.without_trace(connection, self._account.id, traced)
            gathered = _sum(gathered, await self._traces(payouts, untold))
        return gathered

    async def _traces(self, payouts: Sequence[Payout], untold: set[str]) -> Gathered:
        movements = [
            await self._processor.movement(payout.transaction)
            for payout in payouts
            if payout.id in untold and payout.transaction is not None
        ]
        return await self._keep(movements, source="payouts") if movements else Gathered()

    async def _members(self) -> None:
        """List who is in the payouts of which that can be told by now."""
        async with transaction(self._engine) as connection:
            payouts = await sources.to_itemise(connection, self._account.id)
        for payout in payouts:
            members, net = 0, 0
            async for batch in self._processor.members(payout):
                ids = [movement.id for movement in batch.movements]
                members += len(ids)
                net += sum(movement.net_minor for movement in batch.movements)
                async with transaction(self._engine) as connection:
                    await sources.keep_members(connection, self._account.id, payout, ids)
            async with transaction(self._engine) as connection:
                await sources.itemised(
                    connection, self._account.id, payout, members=members, members_minor=net
                )

    async def _balance(self, before: datetime) -> bool:
        """Keep the balances as of a time, where they were not told before; whether they are."""
        async with transaction(self._engine) as connection:
            if await sources.is_told(connection, self._account.id, before, source="balance"):
                return True
        balances = await self._processor.closing(before)
        if balances is None:
            return False
        async with transaction(self._engine) as connection:
            await sources.tell_balances(
                connection, self._account.id, before, balances, source="balance"
            )
        return True


def _go_on(place: _Place, waiting: list[tuple[int, Batch]]) -> None:
    """Note that these batches are taken in."""
    for part, batch in waiting:
        if batch.cursor is None:
            place.over.add(part)
        else:
            place.after[part] = batch.cursor
    waiting.clear()


async def _many(rows: AsyncIterator[Row], size: int = 500) -> AsyncIterator[list[Row]]:
    several: list[Row] = []
    async for row in rows:
        several.append(row)
        if len(several) == size:
            yield several
            several = []
    if several:
        yield several


def _sum(one: Gathered, other: Gathered) -> Gathered:
    return Gathered(
        new=one.new + other.new,
        changed=one.changed + other.changed,
        unchanged=one.unchanged + other.unchanged,
        bad_rows=one.bad_rows + other.bad_rows,
        problems=(*one.problems, *other.problems),
    )
