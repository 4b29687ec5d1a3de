"""Importing a ledger's file into the journal: all of it or nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy.ext.asyncio import AsyncEngine

from connectors import ledger_csv
from connectors.csv_rows import BadRow
from connectors.ledger_csv import LedgerLine
from database import audit
from database.connection import transaction
from database.journal.book import Posted
from database.journal.ledger import import_rows
from database.reconciliation import accounts

_MOST_TOLD = 1000
"""Bad rows that are listed: a file of another kind would be all of them."""


class BadRows(ValueError):
    """Rows of a file that cannot be read: nothing is imported."""

    def __init__(self, rows: list[BadRow]) -> None:
        super().__init__(f"{len(rows)} rows cannot be read")
        self.rows = rows


@dataclass
class _Reading:
    """Rows on their way to the database, and those that cannot be read."""

    file: BinaryIO
    name: str
    bad: list[BadRow]

    def __iter__(self) -> Iterator[LedgerLine]:
        for row in ledger_csv.read(self.file, self.name):
            if not isinstance(row, BadRow):
                yield row
            elif len(self.bad) < _MOST_TOLD:
                self.bad.append(row)


async def import_ledger(
    engine: AsyncEngine, account: str, file: BinaryIO, name: str, *, by: str
) -> Posted:
    """Book a ledger's lines, each entry once by its id.

    Raises FileRefused, BadRows, NoAccount, LedgerContradicts, EntryTooLarge, NotBooked, or
    DatabaseDown.
    """
    reading = _Reading(file, name, [])
    async with transaction(engine) as connection:
        of = await accounts.of_name(connection, account)
        posted = await import_rows(connection, of, _checked(reading))
        details = {"account": account, "entries": posted.new, "before": posted.before}
        await audit.record(connection, "journal.imported", by, details=details)
    return posted


def _checked(reading: _Reading) -> Iterator[LedgerLine]:
    """The rows. Raises BadRows at their end, before anything is booked."""
    yield from reading
    if reading.bad:
        raise BadRows(reading.bad)
