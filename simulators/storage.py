"""One SQLite file that holds the world: what was committed is there after `kill -9`."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

Value: TypeAlias = str | int | float | bytes | None
Row: TypeAlias = tuple[Any, ...]  # Any: a column's type is known by whoever wrote the query

SETTINGS = "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)"


class Storage:
    """A connection for one thread. Each statement commits by itself unless in `transaction()`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # A commit survives the end of the process; only a power cut may take the last ones.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA cache_size = -65536")
        self._connection.execute(SETTINGS)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def create(self, schema: str) -> None:
        """Create tables and indexes; every statement must bear being run again."""
        self._connection.executescript(schema)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; an exception rolls back and goes on."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def run(self, sql: str, values: Sequence[Value] = ()) -> int:
        """Run one statement; how many rows it changed."""
        return self._connection.execute(sql, values).rowcount

    def insert(self, sql: str, values: Sequence[Value]) -> int:
        """Insert one row; its rowid."""
        return self._connection.execute(sql, values).lastrowid or 0

    def run_many(self, sql: str, rows: Iterator[Sequence[Value]]) -> None:
        """Run one statement for each row."""
        self._connection.executemany(sql, rows)

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """All rows of a query."""
        return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        """The first row of a query, or None."""
        found: Row | None = self._connection.execute(sql, values).fetchone()
        return found

    def setting(self, name: str, default: Any = None) -> Any:  # Any: JSON
        """A named value, or the default."""
        found = self.row("SELECT value FROM settings WHERE name = ?", (name,))
        return default if found is None else json.loads(found[0])

    def keep_setting(self, name: str, value: Any) -> None:  # Any: JSON
        """Keep a named value."""
        self.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))
