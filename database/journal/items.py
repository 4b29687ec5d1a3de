"""The journal's lines as items: what reconciliation compares with the processor and the bank."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from database.connection import driver_of
from database.journal.balances import Seal
from database.reconciliation.item import NewItem

Key = Literal["object_id", "reference"]
"""What the processor's side knows a line by: its own object, or what our systems call it."""

_SINCE = """
    SELECT entry.request_key, entry.occurred_at, entry.effective_on, entry.derived, line.line,
           book.code, book.currency, line.amount_minor, line.kind, line.reference, line.object_id,
           line.payout, line.arrival_on, line.descriptor, line.presentment_minor,
           line.presentment_currency
    FROM journal_entries entry JOIN journal_lines line ON line.entry = entry.id
    JOIN journal_accounts book ON book.id = line.journal_account
    WHERE entry.account = $1 AND entry.xid >= $2 AND entry.xid < $3 AND entry.kind <> 'opening'
    AND book.code IN ('clearing', 'in_transit', 'cash')
"""
_AT_ONCE = 5_000


async def items_since(
    connection: AsyncConnection,
    account: int,
    seal: Seal,
    *,
    after: Seal | None = None,
    keys: Sequence[Key] = ("object_id", "reference"),
) -> AsyncIterator[NewItem]:
    """The lines of clearing, in transit and cash that are under `seal` and were not under `after`.

    What an account begins with is no movement, and not among them. An item's reference is the
    first of `keys` that the line has. Needs a transaction.
    """
    since = after.horizon if after else 0
    rows = driver_of(connection).cursor(_SINCE, account, since, seal.horizon, prefetch=_AT_ONCE)
    async for row in rows:
        yield _item(row, keys)


def _item(row: Mapping[str, Any], keys: Sequence[Key]) -> NewItem:
    """Any: the columns' own."""
    return NewItem(
        book=row["code"],
        source_id=f"{row['request_key']}/{row['line']}",
        component="",
        kind=row["kind"],
        currency=row["currency"],
        amount_minor=row["amount_minor"],
        occurred_at=row["occurred_at"],
        effective_on=row["effective_on"],
        reference=next((row[key] for key in keys if row[key]), None),
        payout=row["payout"],
        arrival_on=row["arrival_on"],
        descriptor=row["descriptor"],
        presentment_minor=row["presentment_minor"],
        presentment_currency=row["presentment_currency"],
        derived=row["derived"],
    )
