"""Periods: months that are open, closed for now, or locked for good.

A closed month closes all before it. What belongs there and comes late is booked into the first
open month, with the day that it happened: `effective_on` tells the one, `period` the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import RowMapping, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from database import audit

State = Literal["open", "soft_closed", "locked"]

_SET = text("""
    INSERT INTO journal_periods (account, month, state, changed_by)
    VALUES (:account, :month, :state, :by)
    ON CONFLICT (account, month) DO UPDATE
    SET state = excluded.state, changed_by = excluded.changed_by, changed_at = clock_timestamp()
    WHERE journal_periods.state <> excluded.state
    RETURNING true
""")
_CHANGED = text("""
    SELECT month, state, changed_by, changed_at FROM journal_periods
    WHERE account = :account ORDER BY month
""")
_WHY = {
    "locked_is_final": "locked",
    "latest_opens_first": "later-closed",
    "closed_before_locked": "not-closed",
    "takes_two": "own-close",
}
"""What a rule of the trigger is called."""


class NotSoClosed(ValueError):
    """The month cannot become so. `why` is a code.

    locked        it is locked for good
    later-closed  a later month is closed: that is opened first
    not-closed    it is not closed yet: only then it is locked
    own-close     whoever would lock it is whoever closed it
    """

    def __init__(self, why: str, said: str) -> None:
        super().__init__(said)
        self.why = why


@dataclass(frozen=True, slots=True)
class Period:
    """A month by its first day, and who made it so when; nobody, where it was always open."""

    month: date
    state: State
    changed_by: str | None = None
    changed_at: datetime | None = None


async def states(connection: AsyncConnection, account: int) -> dict[date, State]:
    """The months that somebody closed or opened again; what comes after them is open."""
    return {row["month"]: row["state"] for row in await _changed(connection, account)}


async def periods(
    connection: AsyncConnection, account: int, *, first: date, last: date
) -> list[Period]:
    """The months from that of one day to that of another, or the last closed one, latest first."""
    rows = {row["month"]: row for row in await _changed(connection, account)}
    month = max([last.replace(day=1), *rows])
    ruling: RowMapping | None = None
    found = []
    while month >= first.replace(day=1):
        ruling = _ruling(rows.get(month), ruling)
        found.append(_period(month, rows.get(month), ruling))
        month = _before(month)
    return found


async def set_state(
    connection: AsyncConnection, account: int, month: date, state: State, *, by: str, reason: str
) -> bool:
    """Close, lock or open a month (its first day) and with it all before; False where it is so.

    Waits for what is being booked. Raises NotSoClosed.
    """
    told = {"account": account, "month": month, "state": state, "by": by}
    try:
        changed: bool = await connection.scalar(_SET, told) or False
    except IntegrityError as error:
        raise _not_so_closed(error) from None
    if changed:
        details = {"account": account, "month": month.isoformat(), "state": state, "why": reason}
        await audit.record(connection, "journal.period", by, details=details)
    return changed


async def _changed(connection: AsyncConnection, account: int) -> Sequence[RowMapping]:
    return (await connection.execute(_CHANGED, {"account": account})).mappings().all()


def _ruling(own: RowMapping | None, later: RowMapping | None) -> RowMapping | None:
    """Whose state holds for a month: its own, unless a later one closes it more firmly."""
    if own is None or own["state"] == "open":
        return later
    if own["state"] == "soft_closed" and later is not None and later["state"] == "locked":
        return later
    return own


def _period(month: date, own: RowMapping | None, ruling: RowMapping | None) -> Period:
    row = own if ruling is None else ruling
    if row is None:
        return Period(month, "open")
    return Period(month, row["state"], row["changed_by"], row["changed_at"])


def _before(month: date) -> date:
    return date(month.year - (month.month == 1), month.month - 1 or 12, 1)


def _not_so_closed(error: IntegrityError) -> NotSoClosed:
    refused = error.orig.__cause__ if error.orig else None
    rule = getattr(refused, "constraint_name", None) or ""
    return NotSoClosed(_WHY.get(rule, rule), str(refused or error))
