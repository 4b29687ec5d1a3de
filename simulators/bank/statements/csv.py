"""Comma-separated values with a balance after each row, as an online bank exports them."""

import csv
from collections.abc import Sequence
from typing import TextIO

from simulators.bank.money import major
from simulators.bank.statement import Statement

_TITLES = ("Date", "Amount", "Currency", "Description", "Balance", "Account", "Reference")


def write(file: TextIO, statements: Sequence[Statement], _most: int | None = None) -> None:
    """All rows, the oldest first; days without entries leave no trace, and there are no pages.

    There is one column for references: it has what whoever paid named the entry by, if they did.
    """
    rows = csv.writer(file)
    rows.writerow(_TITLES)
    for statement in statements:
        balance = statement.opening
        for entry in statement.entries:
            balance += entry.amount
            rows.writerow(
                (
                    entry.booked_on,
                    major(entry.amount, entry.currency),
                    entry.currency,
                    entry.description,
                    major(balance, entry.currency),
                    statement.account,
                    entry.known_by,
                )
            )
