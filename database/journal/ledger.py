"""Importing a ledger's lines: each entry once by its id, all of a file or nothing.

A ledger that knows only what it holds at the processor and the bank leaves the other side of its
entries out. It is booked by what the lines are for: fees to fees, payouts to what is in transit,
reserves to the reserve, what moved at the bank alone to suspense, all else to what customers owe.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.connection import driver_of
from database.journal.book import Posted, hold_periods, must_be_the_same, post_given
from database.journal.given import Staged
from database.reconciliation.accounts import Account
from workflows.reconciliation.currencies import LARGEST

_COLUMNS = {
    "entry_id": "text",
    "line": "int",
    "booked_at": "timestamptz",
    "booked_on": "date",
    "code": "text",
    "kind": "text",
    "currency": "text",
    "amount_minor": "bigint",
    "reference": "text",
    "payout": "text",
    "arrival_on": "date",
    "descriptor": "text",
    "presentment_minor": "bigint",
    "presentment_currency": "text",
    "derived": "boolean",
}
_STAGE = "CREATE TEMP TABLE ledger_rows ({}) ON COMMIT DROP".format(
    ", ".join(f"{name} {type_}" for name, type_ in _COLUMNS.items())
)
_CONTRADICTIONS = text("""
    SELECT entry_id FROM ledger_rows GROUP BY entry_id
    HAVING count(DISTINCT (booked_at, derived)) > 1 ORDER BY entry_id LIMIT 5
""")
_TOO_LARGE = text("""
    SELECT entry_id FROM ledger_rows GROUP BY entry_id
    HAVING sum(abs(CAST(amount_minor AS numeric))) > :largest ORDER BY entry_id LIMIT 5
""")
_WHOLE = text("""
    CREATE TEMP TABLE ledger_lines ON COMMIT DROP AS
    WITH counter AS (
        SELECT entry_id, kind, currency, -sum(amount_minor) AS amount_minor,
               min(code) AS code, max(code) AS last_code, min(reference) AS reference,
               min(payout) AS payout
        FROM ledger_rows GROUP BY entry_id, kind, currency HAVING sum(amount_minor) <> 0
    ), whole AS (
        SELECT entry_id, 0 AS side, line, code, kind, currency, amount_minor, reference, payout,
               arrival_on, descriptor, presentment_minor, presentment_currency
        FROM ledger_rows WHERE amount_minor <> 0
        UNION ALL
        SELECT entry_id, 1, 0, CASE
                   WHEN code <> last_code THEN 'suspense'
                   WHEN kind = 'fee' THEN 'fees'
                   WHEN kind IN ('payout', 'payout_reversal')
                       THEN CASE WHEN code = 'in_transit' THEN 'suspense' ELSE 'in_transit' END
                   WHEN kind = 'risk_reserved_funds' THEN 'reserve'
                   WHEN kind = 'other_adjustment' OR code <> 'clearing' THEN 'suspense'
                   ELSE 'receivables' END,
               kind, currency, amount_minor, reference, payout, NULL, NULL, NULL, NULL
        FROM counter
    )
    SELECT *, row_number() OVER (PARTITION BY entry_id ORDER BY side, line, currency, kind)
        AS number
    FROM whole
""")
_OPEN_BOOKS = text("""
    INSERT INTO journal_accounts (account, code, currency)
    SELECT DISTINCT CAST(:account AS int), code, currency FROM ledger_lines
    ORDER BY 2, 3 ON CONFLICT DO NOTHING
""")
_LAY_ENTRIES = text("""
    INSERT INTO journal_given_entries (nth, request_key, kind, occurred_at, derived, lines)
    SELECT row_number() OVER (ORDER BY entry_id COLLATE "C"),
           concat_ws('/', 'ledger', account.id, entry_id), 'import',
           coalesce(booked_on AT TIME ZONE account.time_zone, booked_at), derived, lines
    FROM (SELECT DISTINCT ON (entry_id) entry_id, booked_at, booked_on, derived FROM ledger_rows)
        AS entry
    JOIN (SELECT entry_id, count(*) AS lines FROM ledger_lines GROUP BY entry_id) AS counted
        USING (entry_id)
    JOIN reconciliation_accounts account ON account.id = :account
""")
_LAY_LINES = text("""
    INSERT INTO journal_given_lines (nth, line, journal_account, amount_minor, kind, reference,
                                     payout, arrival_on, descriptor, presentment_minor,
                                     presentment_currency)
    SELECT entry.nth, line.number, book.id, line.amount_minor, line.kind, line.reference,
           line.payout, line.arrival_on, line.descriptor, line.presentment_minor,
           line.presentment_currency
    FROM ledger_lines line
    JOIN journal_given_entries entry
        ON entry.request_key = concat_ws('/', 'ledger', CAST(:account AS int), line.entry_id)
    JOIN journal_accounts book ON (book.account, book.code, book.currency)
        = (:account, line.code, line.currency)
""")
_ROOM = "SELECT set_config('work_mem', '128MB', true)"


class EntryTooLarge(ValueError):
    """The lines of an entry come to more than an amount may be."""

    def __init__(self, entries: list[str]) -> None:
        super().__init__(
            f"lines of one entry come to more than {LARGEST} minor units: {', '.join(entries)}"
        )


class LedgerContradicts(ValueError):
    """Lines of one entry were booked at different times, or derived and not."""

    def __init__(self, entries: list[str]) -> None:
        super().__init__(f"lines of one entry are not of one time: {', '.join(entries)}")


async def import_rows(
    connection: AsyncConnection, account: Account, rows: Iterable[tuple[Any, ...]]
) -> Posted:
    """Book a ledger's lines, in the order of a ledger's columns: all of them or nothing.

    Any: each of its column's type. Raises LedgerContradicts, EntryTooLarge, NotBooked where the
    journal refuses an entry, and BookedOtherwise where an id was imported before with other lines.
    """
    driver = driver_of(connection)
    await driver.execute(f"{_ROOM}; {_STAGE}")
    await driver.copy_records_to_table("ledger_rows", records=rows)
    if found := (await connection.scalars(_CONTRADICTIONS)).all():
        raise LedgerContradicts(list(found))
    if found := (await connection.scalars(_TOO_LARGE, {"largest": LARGEST})).all():
        raise EntryTooLarge(list(found))
    await connection.execute(_WHOLE)
    await hold_periods(connection, account.id)
    given = Staged(account.id)
    count = await given.lay_out(connection, _OPEN_BOOKS, _LAY_ENTRIES, _LAY_LINES)
    made = await post_given(connection, given)
    if made < count:
        await must_be_the_same(connection, given)
    await driver.execute("DROP TABLE ledger_rows, ledger_lines")
    return Posted(made, count - made)
