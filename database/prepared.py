"""Statements that every step sends, by the shortest way there is.

Through SQLAlchemy one statement costs five times the processor time that the driver takes for it.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.connection import driver_of

_DIALECT = make_url("postgresql+asyncpg://").get_dialect()()


class Prepared:
    """A statement with `:names` that the driver prepares once for each connection."""

    def __init__(self, sql: str) -> None:
        compiled = text(sql).compile(dialect=_DIALECT)
        self._sql, self._names = str(compiled), compiled.positiontup or []

    async def row(
        self, connection: AsyncConnection, values: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """The first row, if there is one. Any: a value is of its column's type."""
        given = (values[name] for name in self._names)
        row: Mapping[str, Any] | None = await driver_of(connection).fetchrow(self._sql, *given)
        return row

    async def value(self, connection: AsyncConnection, values: Mapping[str, Any]) -> Any:
        """What the first row has in its first column; None where there is no row."""
        given = (values[name] for name in self._names)
        return await driver_of(connection).fetchval(self._sql, *given)


class Effect:
    """An effect in our own database that is one statement, so that the ledger's row goes with it.

    `parts` are those of a WITH. They begin from `asked`, which has one row where the effect is to
    be carried out, and none where it was before.
    """

    def __init__(self, parts: str) -> None:
        self._parts = parts
        self._alone = self.where("SELECT")

    def where(self, asked: str) -> Prepared:
        """The statement that carries it out where `asked` brings a row, which it then brings."""
        sql = f"WITH asked AS ({asked}), {self._parts} SELECT 1 FROM asked"  # noqa: S608 - ours
        return Prepared(sql)

    async def carry_out(self, connection: AsyncConnection, values: Mapping[str, Any]) -> None:
        """Carry it out, whatever the ledger says."""
        await self._alone.row(connection, values)
