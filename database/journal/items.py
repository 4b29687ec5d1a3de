"""The journal's lines as items: what reconciliation compares with the processor and the bank."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.journal.balances import Seal
from database.reconciliation.codes import BOOKS
from database.reconciliation.items import TakenIn, keep_staged, make_staging

Key = Literal["object_id", "reference"]
"""What the processor's side knows a line by: its own object, or what our systems call it."""

# Rows go from the journal to the items without leaving Postgres. What an account begins with is no
# movement: its balance is in the opening entry, and its open items came with the opening.
_STAGE = """
    INSERT INTO staged_items (book, source_id, component, kind, currency, amount_minor, occurred_at,
                              effective_on, reference, payout, arrival_on, descriptor,
                              presentment_minor, presentment_currency, derived)
    SELECT CAST(CASE book.code WHEN 'clearing' THEN CAST(:clearing AS int)
                               WHEN 'in_transit' THEN :in_transit ELSE :cash END AS smallint),
           entry.request_key || '/' || line.line, '', line.kind, book.currency, line.amount_minor,
           entry.occurred_at, entry.effective_on, coalesce({keys}), line.payout, line.arrival_on,
           line.descriptor, line.presentment_minor, line.presentment_currency, entry.derived
    FROM journal_entries entry JOIN journal_lines line ON line.entry = entry.id
    JOIN journal_accounts book ON book.id = line.journal_account
    WHERE entry.account = :account AND entry.xid >= :since AND entry.xid < :horizon
    AND entry.kind <> 'opening' AND book.code IN ('clearing', 'in_transit', 'cash')
"""
_CODES = {book: BOOKS[book] for book in ("clearing", "in_transit", "cash")}


async def take_in_lines(
    connection: AsyncConnection,
    account: int,
    seal: Seal,
    *,
    after: Seal | None = None,
    keys: Sequence[Key] = ("object_id", "reference"),
) -> TakenIn:
    """Take in the lines of clearing, in transit and cash that are under `seal` and not `after`.

    What was taken in before changes nothing, so `after` only spares work. An item's reference is
    the first of `keys` that its line has; its source id is the entry's request key and the line.
    """
    known_by = ", ".join(f"line.{key}" for key in keys)
    asked = {
        **_CODES,
        "account": account,
        "since": after.horizon if after else 0,
        "horizon": seal.horizon,
    }
    await make_staging(connection)
    await connection.execute(text(_STAGE.format(keys=known_by)), asked)
    return await keep_staged(connection, account, source=f"journal/{seal.number}")
