"""What a bank books, and the statements that it makes of it. Amounts are minor units."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple


class Entry(NamedTuple):
    """A booked entry of a bank account. `trace` is what whoever paid named it by."""

    reference: str
    booked_on: date
    value_on: date
    amount: int
    currency: str
    description: str
    trace: str | None = None

    @property
    def known_by(self) -> str:
        """What another book refers to it by."""
        return self.trace or self.reference


class Statement(NamedTuple):
    """A bank's statement of one business day; the balances are the bank's own."""

    account: str
    currency: str
    number: int
    day: date
    opening: int
    closing: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Page:
    """A part of a statement with the balances between parts; most statements are one page.

    `number` counts from one; `opens` and `closes` say whether a balance is the statement's own.
    """

    statement: Statement
    number: int
    opens: bool
    closes: bool
    opening: int
    closing: int
    entries: Sequence[Entry]


def pages(statement: Statement, most: int | None = None) -> Iterator[Page]:
    """The pages of a statement, of at most so many entries each.

    The last one closes with the statement's balance, whether or not the entries come to it.
    """
    entries, size = statement.entries, most or len(statement.entries) or 1
    balance = statement.opening
    starts = range(0, len(entries), size) or (0,)
    for number, start in enumerate(starts, start=1):
        some, last = entries[start : start + size], start + size >= len(entries)
        opening = balance
        balance = statement.closing if last else opening + sum(each.amount for each in some)
        yield Page(statement, number, number == 1, last, opening, balance, some)
