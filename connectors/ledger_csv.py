"""Our ledger, exported as comma-separated values: one row for each line of an entry."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import BinaryIO, Literal, NamedTuple

from connectors.csv_rows import (
    BadRow,
    CsvFile,
    Header,
    Row,
    Unreadable,
    currency,
    day,
    minor,
    moment,
    no_longer_ids,
    whole,
)

LedgerAccount = Literal["clearing", "in_transit", "cash"]
"""What the processor holds for us; payouts on their way; what is at the bank."""

ACCOUNTS: dict[str, LedgerAccount] = {
    "": "clearing",
    "clearing": "clearing",
    "in_transit": "in_transit",
    "cash": "cash",
}
TRUTHS = {"": False, "false": False, "true": True}
_COLUMNS = (
    "entry_id",
    "line",
    "booked_at",
    "account",
    "kind",
    "currency",
    "amount",
    "amount_minor",
    "reference",
    "payout",
    "arrival_on",
    "description",
    "presentment_amount",
    "presentment_currency",
    "derived",
)


class LedgerLine(NamedTuple):
    """A line of an entry, in minor units of its currency; positive where our asset grows.

    A named tuple, since a file has a million of them.

    line       its number within the entry
    booked_on  the day, where the file says only that; `booked_at` is then its midnight in UTC
    """

    entry_id: str
    line: int
    booked_at: datetime
    booked_on: date | None
    account: LedgerAccount
    kind: str
    currency: str
    amount_minor: int
    reference: str | None
    payout: str | None
    arrival_on: date | None
    description: str | None
    presentment_minor: int | None
    presentment_currency: str | None
    derived: bool


def read(file: BinaryIO, name: str) -> Iterator[LedgerLine | BadRow]:
    """The lines of a ledger; `name` is what bad rows call the file. Raises FileRefused.

    A line that is there twice counts once; one that is there with other content is bad.
    """
    rows = CsvFile(file, name)
    yield from rows.read(LedgerForm(rows.header))


class LedgerForm:
    """What the rows under a header mean; without a column `line` it numbers them as it goes.

    place      where each column is; what a file lacks is in an empty cell behind the last one
    numbered   whether the file has the numbers of lines
    """

    contradiction = Unreadable("entry_id", "is there before, with the same line and other content")

    def __init__(self, header: Header) -> None:
        header.only(_COLUMNS)
        for name in ("entry_id", "booked_at", "currency"):
            header.require(name)
        header.require("amount", "amount_minor")
        self.place = {name: header.place_or_behind(name) for name in _COLUMNS}
        self.numbered = header.place("line") is not None
        self._places = tuple(self.place.values())
        self._counted: dict[str, int] = {}

    def meaning(self, row: Row) -> LedgerLine:
        """The line of a row. Raises Unreadable."""
        cells = [*row, ""]
        (
            entry_id, line, booked, account, kind, code, amount, in_minor, reference, payout,
            arrival, description, presented, presented_in, derived,
        ) = [cells[place].strip() for place in self._places]  # fmt: skip
        if not entry_id:
            raise Unreadable("entry_id", "is empty")
        no_longer_ids(entry_id, kind, reference, payout)
        number = self._number(entry_id, line)  # first: a bad row is counted, too
        currency_ = currency(code, "currency")
        amount_minor = _amount(amount, in_minor, currency_)
        booked_at = moment(booked, "booked_at")
        if account not in ACCOUNTS:
            raise Unreadable("account", "is none of clearing, in_transit, cash")
        if derived not in TRUTHS:
            raise Unreadable("derived", "is neither true nor false")
        if bool(presented) != bool(presented_in):
            raise Unreadable("presentment_amount", "an amount and its currency go together")
        shown_in = currency(presented_in, "presentment_currency") if presented_in else None
        return LedgerLine(
            entry_id,
            number,
            booked_at,
            booked_at.date() if len(booked) <= len("2026-01-31") else None,
            ACCOUNTS[account],
            kind or ("charge" if amount_minor >= 0 else "refund"),
            currency_,
            amount_minor,
            reference or None,
            payout or None,
            day(arrival, "arrival_on") if arrival else None,
            description or None,
            minor(presented, shown_in, "presentment_amount") if shown_in else None,
            shown_in,
            TRUTHS[derived],
        )

    def known_by(self, line: LedgerLine) -> tuple[tuple[str, int], LedgerLine] | None:
        """Entry and number; numbers of ours are there once anyway."""
        return ((line.entry_id, line.line), line) if self.numbered else None

    def _number(self, entry_id: str, line: str) -> int:
        if self.numbered:
            number = whole(line, "line")
            if not 0 <= number < 2**31:
                raise Unreadable("line", "is no number of a line")
            return number
        self._counted[entry_id] = number = self._counted.get(entry_id, 0) + 1
        return number


def _amount(amount: str, in_minor: str, currency_: str) -> int:
    if amount and in_minor:
        found = whole(in_minor, "amount_minor")
        if minor(amount, currency_, "amount") != found:
            raise Unreadable("amount", "is not amount_minor")
        return found
    if in_minor:
        return whole(in_minor, "amount_minor")
    return minor(amount, currency_, "amount")
