"""How many requests came, and to which end: so that a test can say "exactly one was executed"."""

from typing import Literal

from simulators.storage import Storage

Ending = Literal["executed", "replayed", "refused", "faulted"]
SCHEMA = """
CREATE TABLE IF NOT EXISTS stripe_requests (
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    outcome TEXT NOT NULL,
    requests INTEGER NOT NULL,
    PRIMARY KEY (method, path, outcome)
) WITHOUT ROWID;
"""


class Counters:
    """Counts by method, path template and outcome; they survive a restart."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        storage.create(SCHEMA)

    def count(self, method: str, path: str, outcome: Ending) -> None:
        """One more request."""
        self._storage.run(
            "INSERT INTO stripe_requests VALUES (?, ?, ?, 1)"
            " ON CONFLICT DO UPDATE SET requests = requests + 1",
            (method, path, outcome),
        )

    def listed(self) -> list[dict[str, str | int]]:
        """All counts."""
        rows = self._storage.rows("SELECT * FROM stripe_requests ORDER BY path, method, outcome")
        names = ("method", "path", "outcome", "requests")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def clear(self) -> None:
        """Begin again at nothing."""
        self._storage.run("DELETE FROM stripe_requests")
