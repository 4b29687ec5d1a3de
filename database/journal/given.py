"""Entries on their way to Postgres: a few as parameters of a statement, many by COPY."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from database.connection import driver_of
from database.journal.entry import NewEntry
from database.prepared import Prepared

Books = Mapping[tuple[str, str], int]
"""The journal accounts by code and currency."""

A_FEW = 200
"""Entries. Of more, a plan has to know how many there are."""

_ENTRIES = {
    "nth": "int",
    "request_key": "text",
    "kind": "text",
    "occurred_at": "timestamptz",
    "derived": "boolean",
    "reversal_of": "bigint",
    "lines": "int",
}
_LINES = {
    "nth": "int",
    "line": "int",
    "journal_account": "int",
    "amount_minor": "bigint",
    "kind": "text",
    "reference": "text",
    "object_id": "text",
    "payout": "text",
    "arrival_on": "date",
    "descriptor": "text",
    "presentment_minor": "bigint",
    "presentment_currency": "text",
}
_LINE = ", ".join(f"line.{name}" for name in list(_LINES)[1:])
"""The columns of a line, as both what is given and `journal_lines` have them."""


def _unnested(prefix: str, columns: Mapping[str, str]) -> str:
    arrays = ", ".join(f"CAST(:{prefix}_{name} AS {type_}[])" for name, type_ in columns.items())
    return f"unnest({arrays})"


_ROWS = (
    f"{_unnested('entry', _ENTRIES)} AS entry ({', '.join(_ENTRIES)})",
    f"{_unnested('line', _LINES)} AS line ({', '.join(_LINES)})",
)
_STAGED = ("journal_given_entries AS entry", "journal_given_lines AS line")
_MAKE = "; ".join(
    f"CREATE TEMP TABLE IF NOT EXISTS journal_given_{name} ("
    + ", ".join(f"{column} {type_}" for column, type_ in columns.items())
    + f") ON COMMIT DROP; TRUNCATE journal_given_{name}"
    for name, columns in (("entries", _ENTRIES), ("lines", _LINES))
)


_ANALYZE = "ANALYZE journal_given_entries; ANALYZE journal_given_lines"


class OfGiven:
    """A statement over `{entries}`, called `entry`, and `{lines}`, called `line`, of `:account`.

    `{line}` stands for the columns of a line.
    """

    def __init__(self, sql: str) -> None:
        self._few, self._many = (
            Prepared(sql.format(entries=entries, lines=lines, line=_LINE))
            for entries, lines in (_ROWS, _STAGED)
        )

    async def value(self, connection: AsyncConnection, given: "Given | Staged") -> Any:
        """What the first row has in its first column. Any: of the column's type."""
        statement = self._many if given.staged else self._few
        return await statement.value(connection, given.values)


class Given:
    """A batch of entries; `hand_over` it before statements ask about it."""

    def __init__(self, account: int, entries: Sequence[NewEntry], books: Books) -> None:
        self.values: dict[str, Any] = {"account": account}  # Any: what each parameter takes
        self.staged = len(entries) > A_FEW
        self._entries = [
            (nth, one.request_key, one.kind, one.occurred_at, one.derived, one.reversal_of,
             len(one.lines))
            for nth, one in enumerate(entries, 1)
        ]  # fmt: skip
        self._lines = [
            (nth, number, books[line.code, line.currency], line.amount_minor, line.kind,
             line.reference, line.object_id, line.payout, line.arrival_on, line.descriptor,
             line.presentment_minor, line.presentment_currency)
            for nth, one in enumerate(entries, 1)
            for number, line in enumerate(one.lines, 1)
        ]  # fmt: skip

    async def hand_over(self, connection: AsyncConnection) -> None:
        """Have it where statements find it, until the transaction ends or the next batch comes."""
        if not self.staged:
            self.values |= _columns("entry", _ENTRIES, self._entries)
            self.values |= _columns("line", _LINES, self._lines)
            return
        driver = driver_of(connection)
        await driver.execute(_MAKE)
        await driver.copy_records_to_table("journal_given_entries", records=self._entries)
        await driver.copy_records_to_table("journal_given_lines", records=self._lines)
        await driver.execute(_ANALYZE)


class Staged:
    """Entries that SQL itself lays into `journal_given_entries` and `journal_given_lines`."""

    staged = True

    def __init__(self, account: int) -> None:
        self.values: dict[str, Any] = {"account": account}  # Any: what each parameter takes

    async def lay_out(self, connection: AsyncConnection, *statements: TextClause) -> int:
        """Make the tables, and fill them by `statements` about `:account`; how many entries."""
        driver = driver_of(connection)
        await driver.execute(_MAKE)
        for statement in statements:
            await connection.execute(statement, self.values)
        await driver.execute(_ANALYZE)
        count: int = await driver.fetchval("SELECT count(*) FROM journal_given_entries")
        return count


def _columns(
    prefix: str, columns: Mapping[str, str], rows: Sequence[tuple[Any, ...]]
) -> dict[str, list[Any]]:
    """Rows turned into a list for each column. Any: each of its column's type."""
    turned = list(zip(*rows, strict=True)) or [()] * len(columns)
    return {f"{prefix}_{name}": list(values) for name, values in zip(columns, turned, strict=True)}
