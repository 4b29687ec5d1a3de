"""Balances that sources told for a business date, and what they left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.codes import BOOKS
from workflows.reconciliation.certificate import Missing

# The latest word: somebody may have corrected what the processor said.
_OF_PROCESSOR = text("""
    SELECT DISTINCT ON (currency) currency, amount_minor, source FROM told_balances
    WHERE account = :account AND at = :at ORDER BY currency, told_at DESC, id DESC
""")
# Of each bank account the statement that has the day: the first to close on it or later, else the
# last before. What it has after the day is taken off its closing.
_OF_BANK = text("""
    WITH known AS (
        SELECT identification, currency, calendar FROM reconciliation_bank_accounts
        WHERE account = :account
    )
    SELECT known.identification, known.currency, known.calendar, s.statement_id, s.closing_on,
           s.opening_minor, s.closing_minor, s.proof, s.difference_minor,
           COALESCE((
               SELECT sum(i.amount_minor) FROM items i
               WHERE i.account = :account AND i.book = :bank AND i.currency = known.currency
                 AND starts_with(i.source_id, known.identification || '/')
                 AND i.occurred_at >= :before
                 AND i.occurred_at < CAST(s.closing_on AS timestamp) AT TIME ZONE 'UTC'
                                     + interval '1 day'
           ), 0) AS after_minor
    FROM known LEFT JOIN LATERAL (
        SELECT * FROM statements
        WHERE account = :account AND bank_account = known.identification
          AND currency = known.currency AND state = 'counts' AND closing_on IS NOT NULL
        ORDER BY closing_on < :day, abs(closing_on - CAST(:day AS date)), sequence DESC, id DESC
        LIMIT 1
    ) s ON true
    ORDER BY known.identification, known.currency
""")
_FIRST_OPENINGS = text("""
    SELECT DISTINCT ON (bank_account, currency) bank_account, currency, opening_minor, statement_id
    FROM statements
    WHERE account = :account AND state = 'counts' AND closing_on >= :opened_on
    ORDER BY bank_account, currency, closing_on, sequence, id
""")
_NAMES = text("""
    SELECT bank_account, statement_id, closing_on FROM statements
    WHERE account = :account AND state = 'counts' AND (opening_on IS NULL OR opening_on <= :day)
    ORDER BY bank_account, closing_on, statement_id
""")
_UNPROVEN = text("""
    SELECT bank_account, currency, statement_id, proof, difference_minor FROM statements
    WHERE account = :account AND state = 'counts' AND proof <> 'proven'
      AND closing_on <= :day
      AND closing_on > COALESCE((SELECT max(business_date) FROM certificates
                                 WHERE account = :account AND business_date < :day), '-infinity')
    ORDER BY bank_account, closing_on, id
""")
_CERTIFIED_BEFORE = text("""
    SELECT EXISTS (SELECT FROM certificates WHERE account = :account AND business_date < :day)
""")


@dataclass(frozen=True)
class BankBalance:
    """What a bank account held at the end of a day; `closing_minor` None where nobody says.

    closed_on  when the statement closes that says so: later than the day, where it has more days
    """

    identification: str
    currency: str
    calendar: str
    statement_id: str | None
    closed_on: date | None
    closing_minor: int | None


@dataclass(frozen=True)
class Balance:
    """A balance in minor units, and who told it."""

    currency: str
    amount_minor: int
    source: str


async def of_processor(
    connection: AsyncConnection, account: int, at: datetime
) -> Sequence[Balance]:
    """The processor's balances as of a time."""
    rows = await connection.execute(_OF_PROCESSOR, {"account": account, "at": at})
    return [Balance(row.currency, row.amount_minor, row.source) for row in rows]


async def of_bank(
    connection: AsyncConnection, account: int, day: date, before: datetime
) -> Sequence[BankBalance]:
    """What each bank account held at the end of a day; its entries `before` belong to it."""
    values = {"account": account, "day": day, "before": before, "bank": BOOKS["bank"]}
    rows = await connection.execute(_OF_BANK, values)
    return [
        BankBalance(
            row.identification,
            row.currency,
            row.calendar,
            row.statement_id,
            row.closing_on,
            None if row.closing_minor is None else row.closing_minor - int(row.after_minor),
        )
        for row in rows
    ]


async def first_of_bank(
    connection: AsyncConnection, account: int, opened_on: date
) -> Sequence[Balance]:
    """What the first statement of each bank account begins with."""
    values = {"account": account, "opened_on": opened_on}
    rows = await connection.execute(_FIRST_OPENINGS, values)
    return [
        Balance(row.currency, row.opening_minor, f"{row.bank_account}/{row.statement_id}")
        for row in rows
        if row.opening_minor is not None
    ]


async def names_of_statements(
    connection: AsyncConnection, account: int, day: date
) -> tuple[str, ...]:
    """The statements that begin on a day or before, as their banks name them."""
    rows = await connection.execute(_NAMES, {"account": account, "day": day})
    return tuple(f"{row.bank_account}/{row.statement_id}/{row.closing_on}" for row in rows)


async def unproven(connection: AsyncConnection, account: int, day: date) -> Sequence[Missing]:
    """Statements, since the day that was certified before, that do not add up or cannot."""
    rows = await connection.execute(_UNPROVEN, {"account": account, "day": day})
    return [
        Missing(
            lack="statement_unproven" if row.proof == "unproven" else "statement_unprovable",
            book="bank",
            currency=row.currency,
            subject=f"{row.bank_account}/{row.statement_id}",
            amount_minor=row.difference_minor or None,
        )
        for row in rows
    ]


async def is_first(connection: AsyncConnection, account: int, day: date) -> bool:
    """Whether no day before was certified: the run begins with what was loaded."""
    values = {"account": account, "day": day}
    return not await connection.scalar(_CERTIFIED_BEFORE, values)
