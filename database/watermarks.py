"""How far each sweep has come."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_READ = text("SELECT at FROM watermarks WHERE name = :name")
_MOVE = text("""
    INSERT INTO watermarks (name, at) VALUES (:name, :at)
    ON CONFLICT (name) DO UPDATE SET at = greatest(watermarks.at, excluded.at)
""")


async def read(connection: AsyncConnection, name: str) -> datetime | None:
    """How far the sweep has come; None before the first."""
    at: datetime | None = await connection.scalar(_READ, {"name": name})
    return at


async def move(connection: AsyncConnection, name: str, at: datetime) -> None:
    """Note how far it has come now. Never goes back."""
    await connection.execute(_MOVE, {"name": name, "at": at})
