"""What happens by itself as time passes: funds become available, payouts are made and arrive."""

from typing import Literal, get_args

from simulators.storage import Storage

Happening = Literal[
    "available",  # funds that were pending can be paid out
    "pay_out",  # the day's automatic payouts are made
    "submit",  # a payout goes to the bank, and it is known what is in it
    "arrive",  # a payout is at the bank
    "trace",  # the bank has told its trace id of a payout
]
RANK = {happening: rank for rank, happening in enumerate(get_args(Happening))}
"""What is due at the same second happens in this order."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS stripe_agenda (
    due INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    happening TEXT NOT NULL,
    subject TEXT NOT NULL,
    PRIMARY KEY (due, rank, subject)
) WITHOUT ROWID;
"""


class Agenda:
    """What is to happen and when, in seconds of simulated time."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        storage.create(SCHEMA)

    def add(self, due: int, happening: Happening, subject: str = "") -> None:
        """Have it happen to the subject (an id, or nothing) once at that second."""
        self._storage.run(
            "INSERT OR IGNORE INTO stripe_agenda VALUES (?, ?, ?, ?)",
            (due, RANK[happening], happening, subject),
        )

    def first(self, until: float) -> tuple[int, Happening, str] | None:
        """What is due first, unless that is later than `until`."""
        row = self._storage.row(
            "SELECT due, happening, subject FROM stripe_agenda WHERE due <= ?"
            " ORDER BY due, rank, subject LIMIT 1",
            (until,),
        )
        return None if row is None else (row[0], row[1], row[2])

    def next_due(self) -> int | None:
        """When something is due next, if anything is."""
        row = self._storage.row("SELECT min(due) FROM stripe_agenda")
        return None if row is None else row[0]

    def done(self, due: int, happening: Happening, subject: str) -> None:
        """It has happened."""
        self._storage.run(
            "DELETE FROM stripe_agenda WHERE due = ? AND rank = ? AND subject = ?",
            (due, RANK[happening], subject),
        )

    def clear(self) -> None:
        """Nothing is to happen."""
        self._storage.run("DELETE FROM stripe_agenda")
