"""What Postgres knows of a table, told anew as soon as a good part of it is new.

It looks for itself once a minute; a run comes right after its intake. Without, a million rows are
planned as if they were one: read one by one through an index.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_FEW = 5_000
"""Rows of which no plan is made otherwise."""

_KNOWN = text("SELECT reltuples FROM pg_class WHERE oid = CAST(:table AS regclass)")


async def note(connection: AsyncConnection, table: str, new: int) -> None:
    """So many rows are new in a table: at the end of the transaction that brought them."""
    if new < _FEW:
        return
    known = float(await connection.scalar(_KNOWN, {"table": table}) or 0)
    if new * 10 >= known:
        await connection.execute(text(f"ANALYZE {table}"))
