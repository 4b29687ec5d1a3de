"""Seals of the journal and its balances, which are kept by another path than its lines.

Beside the lines a trigger keeps what each statement moved; balances are sums of that alone. A seal
closes the journal to new rows: it goes by transactions, not by ids, since a row with a smaller id
may be committed later. What was under way at a seal is in the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.journal.entry import Code

_HOLD = text("SELECT id FROM reconciliation_accounts WHERE id = :account FOR NO KEY UPDATE")
_SEAL = text("""
    WITH before AS (
        SELECT coalesce(max(number), 0) AS number, coalesce(max(horizon), 0) AS horizon
        FROM journal_seals WHERE account = :account
    ), seal AS (
        INSERT INTO journal_seals (account, number, horizon)
        SELECT :account, number + 1,
               CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)
        FROM before
        RETURNING number, horizon, sealed_at
    ), kept AS (
        INSERT INTO journal_sealed_balances
            (account, number, journal_account, effective_on, amount_minor, lines)
        SELECT :account, seal.number, moved.journal_account, moved.effective_on,
               sum(moved.amount_minor), sum(moved.lines)
        FROM seal, before, journal_accounts book
        JOIN journal_movements moved ON moved.journal_account = book.id
        WHERE book.account = :account
        AND moved.xid >= before.horizon AND moved.xid < seal.horizon
        GROUP BY seal.number, moved.journal_account, moved.effective_on
    )
    SELECT seal.number, seal.horizon, seal.sealed_at, before.horizon AS horizon_before
    FROM seal, before
""")
_BALANCES = text("""
    SELECT book.code, book.currency, sum(kept.amount_minor) AS amount_minor,
           sum(kept.lines) AS lines
    FROM journal_sealed_balances kept JOIN journal_accounts book ON book.id = kept.journal_account
    WHERE kept.account = :account AND kept.number <= :number
    AND (CAST(:on AS date) IS NULL OR kept.effective_on <= :on)
    GROUP BY book.code, book.currency ORDER BY book.code, book.currency
""")
_SEALS = text("""
    SELECT number, horizon, sealed_at FROM journal_seals
    WHERE account = :account AND (CAST(:number AS int) IS NULL OR number = :number)
    AND (CAST(:known_at AS timestamptz) IS NULL OR sealed_at <= :known_at)
    ORDER BY number DESC LIMIT 1
""")
_WAITING = text("""
    SELECT count(*) FROM journal_entries
    WHERE account = :account AND xid >= :horizon AND effective_on <= :on
""")
_HELD_BACK = text("""
    SELECT EXISTS (
        SELECT FROM journal_entries
        WHERE account = :account AND effective_on <= :on
        AND xid >= CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint))
""")


class SealWentBack(RuntimeError):
    """Postgres counts transactions from below the last seal, as after a restore elsewhere."""


@dataclass(frozen=True)
class Seal:
    """Up to where the journal of an account is closed to new rows."""

    number: int
    horizon: int
    sealed_at: datetime


@dataclass(frozen=True)
class Balance:
    """The balance of a journal account, in minor units, and of how many lines it is."""

    code: Code
    currency: str
    amount_minor: int
    lines: int


async def seal(connection: AsyncConnection, account: int) -> Seal:
    """Close the journal to new rows as it is committed now. Raises SealWentBack.

    Begin a transaction for it and book nothing in it: what it books is in the next seal.
    """
    await connection.execute(_HOLD, {"account": account})
    row = (await connection.execute(_SEAL, {"account": account})).mappings().one()
    if row["horizon"] < row["horizon_before"]:
        raise SealWentBack(
            f"the last seal was at transaction {row['horizon_before']}, and now is only "
            f"{row['horizon']}: raise the counter with pg_resetwal -x before anything is booked"
        )
    return Seal(row["number"], row["horizon"], row["sealed_at"])


async def sealed(
    connection: AsyncConnection,
    account: int,
    number: int | None = None,
    *,
    known_at: datetime | None = None,
) -> Seal | None:
    """A seal by its number, or the last one; of those that were made by a time."""
    asked = {"account": account, "number": number, "known_at": known_at}
    row = (await connection.execute(_SEALS, asked)).mappings().first()
    return None if row is None else Seal(**row)


async def waiting(connection: AsyncConnection, account: int, seal: Seal, *, on: date) -> int:
    """How many entries of days up to `on` are booked and not under a seal.

    A transaction that began before them was still open, here or in another database of the server,
    or they were booked since: a later seal takes them.
    """
    asked = {"account": account, "horizon": seal.horizon, "on": on}
    count: int = await connection.scalar(_WAITING, asked)
    return count


async def is_held_back(connection: AsyncConnection, account: int, *, on: date) -> bool:
    """Whether a seal made now would leave out entries of days up to `on` that are booked.

    It would while a transaction that began before them is open anywhere on the server.
    """
    asked = {"account": account, "on": on}
    held: bool = await connection.scalar(_HELD_BACK, asked)
    return held


async def balances(
    connection: AsyncConnection, account: int, seal: Seal, *, on: date | None = None
) -> Sequence[Balance]:
    """What each journal account held under a seal, at the end of day `on` or altogether."""
    asked = {"account": account, "number": seal.number, "on": on}
    rows = (await connection.execute(_BALANCES, asked)).mappings()
    return [
        Balance(row["code"], row["currency"], int(row["amount_minor"]), int(row["lines"]))
        for row in rows
    ]
