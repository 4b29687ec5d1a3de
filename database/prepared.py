"""Statements that every step sends, by the shortest way there is.

Through SQLAlchemy one statement costs five times the processor time that the driver takes for it.
"""

from collections.abc import Mapping
from typing import Any

from asyncpg import Record
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from database.connection import driver_of


class Prepared:
    """A statement with `:names` that the driver prepares once for each connection."""

    def __init__(self, sql: str) -> None:
        compiled = text(sql).compile(dialect=asyncpg.dialect())
        self._sql, self._names = str(compiled), compiled.positiontup or ()

    async def row(self, connection: AsyncConnection, values: Mapping[str, Any]) -> Record | None:
        """The first row, if there is one. Any: a value is of its column's type."""
        given = (values[name] for name in self._names)
        return await driver_of(connection).fetchrow(self._sql, *given)

    async def value(self, connection: AsyncConnection, values: Mapping[str, Any]) -> Any:
        """What the first row has in its first column; None where there is no row."""
        row = await self.row(connection, values)
        return row[0] if row is not None else None
