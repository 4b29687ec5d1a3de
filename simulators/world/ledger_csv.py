"""Our ledger as a file of comma-separated values, as a bookkeeping system exports it."""

import csv
from collections.abc import Iterable
from typing import TextIO

from simulators.bank.money import major
from simulators.world.rows import Line

COLUMNS = (
    "entry_id",
    "line",
    "booked_at",
    "account",
    "kind",
    "currency",
    "amount",
    "reference",
    "payout",
    "arrival_on",
    "description",
    "presentment_amount",
    "presentment_currency",
)


class LedgerCsv:
    """Writes lines as they come."""

    def __init__(self, file: TextIO) -> None:
        self._rows = csv.writer(file, lineterminator="\n")
        self._rows.writerow(COLUMNS)

    def write(self, lines: Iterable[Line]) -> None:
        """Write some more lines."""
        self._rows.writerows(
            (
                line.entry,
                line.line,
                line.booked_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                line.account,
                line.kind,
                line.currency,
                major(line.amount, line.currency),
                line.reference,
                line.payout,
                line.arrival_on,
                line.description,
                *(
                    (major(*line.presentment), line.presentment[1])
                    if line.presentment
                    else ("", "")
                ),
            )
            for line in lines
        )
