"""Periods: months that are open, closed for now, or locked for good.

A closed month closes all before it. What belongs there and comes late is booked into the first
open month, with the day that it happened: `effective_on` tells the one, `period` the other.
"""

from datetime import date
from typing import Literal

from sqlalchemy import text
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
_STATES = text("""
    SELECT month, state FROM journal_periods WHERE account = :account ORDER BY month
""")


class NotSoClosed(ValueError):
    """The month is locked, or a later one is closed."""


async def states(connection: AsyncConnection, account: int) -> dict[date, State]:
    """The months that somebody closed or opened again; what comes after them is open."""
    rows = await connection.execute(_STATES, {"account": account})
    return {row.month: row.state for row in rows}


async def set_state(
    connection: AsyncConnection, account: int, month: date, state: State, *, by: str, reason: str
) -> bool:
    """Close, lock or open a month (its first day) and with it all before; False where it is so.

    Waits for what is being booked. Raises NotSoClosed: a locked month stays locked, and of several
    that are closed the latest is opened first.
    """
    told = {"account": account, "month": month, "state": state, "by": by}
    try:
        changed: bool = await connection.scalar(_SET, told) or False
    except IntegrityError as error:
        raise NotSoClosed(str(error.orig)) from None
    if changed:
        details = {"account": account, "month": month.isoformat(), "state": state, "why": reason}
        await audit.record(connection, "journal.period", by, details=details)
    return changed
