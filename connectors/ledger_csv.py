"""Our ledger, exported as comma-separated values: one row for each line of an entry."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import BinaryIO, Literal, NamedTuple

from connectors.csv_rows import (
    BadRow,
    CsvFile,
    Row,
    Unreadable,
    currency,
    day,
    minor,
    moment,
    whole,
)
from workflows.reconciliation.payments import MOST_MINOR, OBJECT_ID, is_past, names_nobody

LedgerAccount = Literal["clearing", "in_transit", "cash"]
"""What the processor holds for us; payouts on their way; what is at the bank."""

_ACCOUNTS: dict[str, LedgerAccount] = {
    "": "clearing",
    "clearing": "clearing",
    "in_transit": "in_transit",
    "cash": "cash",
}
_TRUTHS = {"": False, "false": False, "true": True}
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
    yield from rows.read(_Reading(rows))


class _Reading:
    """Reads rows by one file's header; remembers which lines it has read."""

    def __init__(self, file: CsvFile) -> None:
        header = file.header
        header.only(_COLUMNS)
        for name in ("entry_id", "booked_at", "currency"):
            header.require(name)
        header.require("amount", "amount_minor")
        # A column that a file lacks is read from an empty cell behind the last one.
        missing = len(header.titles)
        places = {name: header.place(name) for name in _COLUMNS}
        self._places = [missing if place is None else place for place in places.values()]
        self._numbered = places["line"] is not None
        self._counted: dict[str, int] = {}
        self._seen: dict[int, int] = {}

    def __call__(self, row: Row) -> LedgerLine | None:
        """The line of a row; None where it was read before. Raises Unreadable."""
        cells = [*row, ""]
        (
            entry_id, line, booked, account, kind, code, amount, in_minor, reference, payout,
            arrival, description, presented, presented_in, derived,
        ) = [cells[place].strip() for place in self._places]  # fmt: skip
        if not entry_id:
            raise Unreadable("entry_id", "is empty")
        _ids(entry_id=entry_id, kind=kind, reference=reference, payout=payout)
        number = self._number(entry_id, line)  # first: a bad row is counted, too
        currency_ = currency(code, "currency")
        amount_minor = _amount(amount, in_minor, currency_)
        booked_at = _time(booked)
        if account not in _ACCOUNTS:
            raise Unreadable("account", "is none of clearing, in_transit, cash")
        if derived not in _TRUTHS:
            raise Unreadable("derived", "is neither true nor false")
        if bool(presented) != bool(presented_in):
            raise Unreadable("presentment_amount", "an amount and its currency go together")
        shown_in = currency(presented_in, "presentment_currency") if presented_in else None
        read = LedgerLine(
            entry_id,
            number,
            booked_at,
            booked_at.date() if len(booked) <= len("2026-01-31") else None,
            _ACCOUNTS[account],
            kind or ("charge" if amount_minor >= 0 else "refund"),
            currency_,
            amount_minor,
            reference or None,
            payout or None,
            day(arrival, "arrival_on") if arrival else None,
            description or None,
            _bounded(minor(presented, shown_in, "presentment_amount"), "presentment_amount")
            if shown_in
            else None,
            shown_in,
            _TRUTHS[derived],
        )
        return read if self._is_new(read) else None

    def _number(self, entry_id: str, line: str) -> int:
        if self._numbered:
            number = whole(line, "line")
            if not 0 <= number < 2**31:
                raise Unreadable("line", "is no number of a line")
            return number
        self._counted[entry_id] = number = self._counted.get(entry_id, 0) + 1
        return number

    def _is_new(self, read: LedgerLine) -> bool:
        """Whether the line was not read before. Raises Unreadable where it was another."""
        if not self._numbered:
            return True
        # Two of 64 bits for a line, in place of its text: a file has a million of them.
        content = hash(read)
        id_ = hash((read.entry_id, read.line))
        before = self._seen.get(id_)
        if before is None:
            self._seen[id_] = content
            return True
        if before != content:
            raise Unreadable("entry_id", "is there before, with the same line and other content")
        return False


def _ids(**named: str) -> None:
    """Raises Unreadable for what is no id, as a payment's reference has to be one."""
    for field, text in named.items():
        if not text:
            continue
        if not OBJECT_ID.fullmatch(text):
            raise Unreadable(field, "is no id: 1 to 255 printable ASCII characters, no blanks")
        try:
            names_nobody(text)
        except ValueError as error:
            raise Unreadable(field, str(error)) from None


def _time(booked: str) -> datetime:
    at = moment(booked, "booked_at")
    try:
        return is_past(at)
    except ValueError as error:
        raise Unreadable("booked_at", str(error)) from None


def _amount(amount: str, in_minor: str, currency_: str) -> int:
    if not in_minor:
        return _bounded(minor(amount, currency_, "amount"), "amount")
    found = whole(in_minor, "amount_minor")
    if amount and minor(amount, currency_, "amount") != found:
        raise Unreadable("amount", "is not amount_minor")
    return _bounded(found, "amount_minor")


def _bounded(amount: int, field: str) -> int:
    if abs(amount) > MOST_MINOR:
        raise Unreadable(field, f"is beyond {MOST_MINOR} minor units")
    return amount
