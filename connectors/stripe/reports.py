"""Stripe's balance by report runs: for accounts too large to be listed.

A run is asked for, written by Stripe in its own time, and fetched as one file. What reports do not
tell is listed: payouts, which the report about activity leaves out and the one about payouts does
not date, and the balance.
"""

import asyncio
import hashlib
import itertools
import tempfile
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from pydantic import BaseModel

from connectors.capabilities import Batch
from connectors.csv_rows import BadRow, FileRefused
from connectors.errors import Refused, Unanswered
from connectors.movements import Movement, Window
from connectors.stripe import report_csv
from connectors.stripe.api import StripeApi, path_of
from connectors.stripe.balance import StripeListing
from workflows.reconciliation.payouts import Payout

ACTIVITY = "balance_change_from_activity.itemized.6"
MEMBERS = "payout_reconciliation.itemized.5"

_RUNS = path_of("reporting", "report_runs")
_TYPES_OF_PAYOUTS = ("payout", "payout_cancel", "payout_failure")
"""Of which type the transactions are that the report leaves out."""
_NOT_READY = timedelta(minutes=15)
_RUNS_THAT_MAY_FAIL = 3
_ROWS_OF_A_BATCH = 5_000
_COLUMNS = (
    "balance_transaction_id",
    "created_utc",
    "available_on_utc",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "source_id",
    "description",
    "customer_facing_amount",
    "customer_facing_currency",
    "automatic_payout_id",
    "automatic_payout_effective_at_utc",
)


class _Type(BaseModel):
    data_available_end: int


class _File(BaseModel):
    id: str
    size: int


class _Run(BaseModel):
    id: str
    status: str
    result: _File | None = None


class StripeReports:
    """The processor's book, by report runs.

    `references` are the keys that movements are to be known by, see `Movement.references`;
    `look_again` is how long to wait before a run is looked at again.
    """

    def __init__(
        self,
        api: StripeApi,
        listing: StripeListing,
        *,
        references: Collection[str] = ("source_id",),
        look_again: timedelta = timedelta(seconds=5),
    ) -> None:
        self._api = api
        self._listing = listing
        known = (*_COLUMNS, "balance_transaction_id")
        self._columns = [*_COLUMNS, *(name for name in references if name not in known)]
        self._look_again = look_again.total_seconds()

    def parts(self, window: Window) -> Sequence[Window]:
        """The window itself: one run tells all of it."""
        return [window]

    async def movements(self, window: Window, after: str | None) -> AsyncIterator[Batch]:
        """The rows of the report, and then the payouts.

        The cursor is how many rows are read, of the same run; or the type that is listed, and
        behind which transaction.
        """
        listed, _, place = (after or ":0").partition(":")
        if not listed:
            rows = int(place)
            async for batch in self._rows(ACTIVITY, window, rows):
                rows += len(batch.movements) + len(batch.bad_rows)
                cursor = f":{rows}" if batch.cursor else f"{_TYPES_OF_PAYOUTS[0]}:"
                yield Batch(batch.movements, cursor, batch.bad_rows)
            listed, place = _TYPES_OF_PAYOUTS[0], ""
        for number in range(_TYPES_OF_PAYOUTS.index(listed), len(_TYPES_OF_PAYOUTS)):
            type_, following = _TYPES_OF_PAYOUTS[number], _TYPES_OF_PAYOUTS[number + 1 :]
            behind = place or None if type_ == listed else None
            async for batch in self._listing.movements(window, behind, of_type=type_):
                over = f"{following[0]}:" if following else None
                yield Batch(batch.movements, f"{type_}:{batch.cursor}" if batch.cursor else over)

    async def payouts(self, since: datetime) -> AsyncIterator[Payout]:
        """Payouts that were made since then, listed: there are few."""
        async for payout in self._listing.payouts(since):
            yield payout

    async def members(self, payout_id: str) -> AsyncIterator[Batch]:
        """What a payout paid out: from the report about the day of its arrival."""
        payout = await self._listing.payout(payout_id)
        day = datetime.combine(payout.arrival_on, datetime.min.time(), UTC)
        window = Window(day, day + timedelta(days=1))
        async for batch in self._rows(MEMBERS, window, 0):
            if batch.bad_rows:
                text = f"the report about payout {payout_id} has rows that cannot be read"
                raise Refused("stripe.bad_report", text)
            members = [one for one in batch.movements if one.payout == payout_id]
            yield Batch(members, batch.cursor)

    async def movement(self, transaction_id: str) -> Movement:
        """One movement, as it is now."""
        return await self._listing.movement(transaction_id)

    async def closing(self, before: datetime) -> dict[str, int] | None:
        """The balance of each currency as of a time; None where it did not hold still."""
        return await self._listing.closing(before)

    async def _rows(self, report: str, window: Window, skip: int) -> AsyncIterator[Batch]:
        """The rows of a report, without the first ones; the last batch has no cursor."""
        with tempfile.TemporaryFile(prefix="perdure-report-") as file:
            await self._fetch(report, window, file)
            try:
                rows = itertools.islice(report_csv.read(file, report), skip, None)
                async for several, more in _batches(rows):
                    good = [row for row in several if isinstance(row, Movement)]
                    bad = [row for row in several if isinstance(row, BadRow)]
                    yield Batch(good, "more" if more else None, bad)
            except FileRefused as refused:
                # Asked for again it would be the same; but rows of it may have been taken in.
                raise Refused("stripe.bad_report", f"{report}: {refused}") from None

    async def _fetch(self, report: str, window: Window, file: BinaryIO) -> None:
        """Have a report written into a file. Raises Unanswered where it is not to be had yet."""
        assert window.before is not None, "a report ends"
        type_ = await self._api.get(path_of("reporting", "report_types", report), _Type)
        if type_.data_available_end < window.before.timestamp():
            text = f"{report} has no data yet for the end of the time that is asked for"
            raise Unanswered("stripe.report_not_ready", text, _NOT_READY)
        result = await self._written(report, window)
        size = await self._api.download(path_of("files", result.id, "contents"), file)
        if size != result.size:
            raise Unanswered("stripe.file", "Stripe's file was cut off on its way")
        file.seek(0)

    async def _written(self, report: str, window: Window) -> _File:
        """The file of a run. The same question has the same run, until Stripe forgets the key."""
        assert window.before is not None, "a report ends"
        parameters = {
            "interval_start": int(window.since.timestamp()),
            "interval_end": int(window.before.timestamp()),
            "columns": self._columns,
        }
        for attempt in range(_RUNS_THAT_MAY_FAIL):
            question = f"{report} {sorted(parameters.items())} {attempt}"
            key = hashlib.sha256(question.encode()).hexdigest()
            run = await self._api.post(
                _RUNS, _Run, key=key, report_type=report, parameters=parameters
            )
            while run.status == "pending":
                await asyncio.sleep(self._look_again)
                run = await self._api.get(f"{_RUNS}/{run.id}", _Run)
            if run.status == "succeeded" and run.result is not None:
                return run.result
        raise Unanswered("stripe.report_failed", f"Stripe could not write {report}", _NOT_READY)


async def _batches(
    rows: Iterator[Movement | BadRow],
) -> AsyncIterator[tuple[list[Movement | BadRow], bool]]:
    """Rows by the thousand, read in a thread, and whether more follow; at least one batch."""

    def some() -> list[Movement | BadRow]:
        return list(itertools.islice(rows, _ROWS_OF_A_BATCH))

    several = await asyncio.to_thread(some)
    while True:
        following = await asyncio.to_thread(some) if several else []
        yield several, bool(following)
        if not following:
            return
        several = following
