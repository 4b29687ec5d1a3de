"""How often a system outside may be asked, by all workers together."""

import asyncio
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import statement

# Whoever asks takes the next place in the queue: the row is its end, and nobody waits in here.
_TAKE_A_PLACE = text("""
    INSERT INTO paces (name, free_at) VALUES (:name, clock_timestamp() + :apart)
    ON CONFLICT (name) DO UPDATE
    SET free_at = greatest(paces.free_at, clock_timestamp()) + :apart
    RETURNING extract(epoch FROM free_at - CAST(:apart AS interval) - clock_timestamp())
""")


class Pace:
    """So many requests a second under one name, whichever worker sends them."""

    def __init__(self, engine: AsyncEngine, name: str, *, per_second: float) -> None:
        self._engine = engine
        self._taken = {"name": name, "apart": timedelta(seconds=1 / per_second)}

    async def __call__(self) -> None:
        """Wait until the next request may go out. Raises DatabaseDown."""
        async with statement(self._engine) as connection:
            wait = await connection.scalar(_TAKE_A_PLACE, self._taken)
        await asyncio.sleep(max(float(wait or 0), 0))
