"""The outbox: where services that share our database put payments, with their own work.

A service inserts `account`, `key` and `payment` in its own transaction: the payment is told if and
only if that commits. A notification says that something is there; rows are taken in the order in
which they were put, each by one of those who look, and booked in the transaction that takes them.
"""

from typing import Any

from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from database.connection import driver_of, transaction
from database.journal.book import NotBooked
from database.journal.payments import BeforeOpening, Told, book
from database.reconciliation import accounts
from database.reconciliation.accounts import NoAccount
from workflows.reconciliation.payments import NewPayment, payment_id

CHANNEL = "payment_outbox"
"""What is notified when something was put."""

_TAKE = text("""
    SELECT id, account, key, payment FROM payment_outbox WHERE state = 'waiting'
    ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
""")
_SETTLE = text("""
    UPDATE payment_outbox SET state = :state, note = :note, done_at = clock_timestamp()
    WHERE id = :id
""")


async def drain(engine: AsyncEngine, *, limit: int) -> int:
    """Book up to `limit` payments that wait; how many were taken.

    One that cannot be booked is refused with a note and holds nothing up. Raises DatabaseDown;
    what was taken waits again then.
    """
    async with transaction(engine) as connection:
        waiting = (await connection.execute(_TAKE, {"limit": limit})).mappings().all()
        for row in waiting:
            refused = await _book(connection, row["account"], row["key"], row["payment"])
            state = "booked" if refused is None else "refused"
            settled = {"id": row["id"], "state": state, "note": refused}
            await connection.execute(_SETTLE, settled)
    return len(waiting)


async def _book(connection: AsyncConnection, account: str, key: str, payment: Any) -> str | None:
    """Book one payment, or say why not. Any: JSON that somebody put there."""
    try:
        told = NewPayment.model_validate(payment)
        of = await accounts.of_name(connection, account)
        async with driver_of(connection).transaction():
            id_ = payment_id(of.tenant, f"outbox\n{account}\n{key}")
            await book(connection, of, [Told(id_, told, "outbox")])
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in problems)
    except (NoAccount, BeforeOpening, NotBooked) as error:
        return str(error)
    return None
