"""How many requests came, and to which end: so that a test can say "exactly one was executed"."""

# ruff: noqa: S608 - the table is named by us, what was asked is bound

from typing import Literal

from simulators.storage import Storage

Ending = Literal["executed", "replayed", "refused", "faulted"]


class Counters:
    """One system's counts by method, path template and outcome; they survive a restart."""

    def __init__(self, storage: Storage, system: str) -> None:
        self._storage = storage
        self._table = f"{system}_requests"
        storage.create(f"""
            CREATE TABLE IF NOT EXISTS {self._table} (
                method TEXT NOT NULL,
                path TEXT NOT NULL,
                outcome TEXT NOT NULL,
                requests INTEGER NOT NULL,
                PRIMARY KEY (method, path, outcome)
            ) WITHOUT ROWID;
        """)

    def count(self, method: str, path: str, outcome: Ending) -> None:
        """One more request."""
        self._storage.run(
            f"INSERT INTO {self._table} VALUES (?, ?, ?, 1)"
            " ON CONFLICT DO UPDATE SET requests = requests + 1",
            (method, path, outcome),
        )

    def listed(self) -> list[dict[str, str | int]]:
        """All counts."""
        rows = self._storage.rows(f"SELECT * FROM {self._table} ORDER BY path, method, outcome")
        names = ("method", "path", "outcome", "requests")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def clear(self) -> None:
        """Begin again at nothing."""
        self._storage.run(f"DELETE FROM {self._table}")
