"""What every format of bank statements comes down to.

A file is read as a stream of parts, so that a statement of a million entries needs no more memory
than one of ten: `Opened`, its entries, `Closed`; then the next statement. Signs are the account
holder's: what comes in is positive.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from workflows.reconciliation.bank_accounts import identification_of
from workflows.reconciliation.currencies import LARGEST

LONGEST = 255
"""Characters of what something is known by. Nothing that a bank calls anything by is longer."""
_LONGEST_ACCOUNT = 64
_MOST_COUNTED = 10**18
"""The standards give a bank's count 18 digits at most."""
_YEARS = range(1900, 2200)

Format = Literal["camt.053", "mt940", "mt942", "bai2", "ofx", "csv"]

Proof = Literal["proven", "unproven", "unprovable"]
"""Whether the opening balance and the entries come to the closing balance.

proven      they do
unproven    both balances are there, and they do not; or the file contradicts its own totals
unprovable  a balance is missing
"""


@dataclass(frozen=True, slots=True)
class Balance:
    """A booked balance at the end of a day; the date is empty where the file names none."""

    date: date | None
    amount_minor: int

    def __post_init__(self) -> None:
        _check_amount(self.amount_minor)
        _check_day(self.date)


@dataclass(frozen=True, slots=True)
class Opened:
    """A statement begins. `statement_id` is as the bank writes it, `account` as we do.

    `sequence` is the bank's count of an account's statements, where it counts them. Raises
    StatementRefused, as balances and entries do, for what no bank writes and nobody could keep.
    """

    format: Format
    account: str
    currency: str
    statement_id: str
    sequence: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "account", identification_of(self.account))
        _check_text("account", self.account, _LONGEST_ACCOUNT)
        _check_text("statement_id", self.statement_id)
        if self.sequence is not None and not 0 <= self.sequence < _MOST_COUNTED:
            raise StatementRefused("bad_number", "The number of a statement is impossible.")


@dataclass(frozen=True, slots=True)
class Entry:
    """A booked entry, in minor units of `currency`; a batch is one entry, as it is at the bank.

    reference      the bank's own
    end_to_end_id  the one that whoever paid gave; none where the entry is of several payments
    bank_code      what kind of entry it is, in the bank's or the format's own code
    number         by which the statement alone knows it: other statements have the same
    """

    booking_date: date | None
    value_date: date | None
    amount_minor: int
    currency: str
    reference: str | None
    end_to_end_id: str | None
    description: str | None
    bank_code: str | None
    number: str | None = None

    def __post_init__(self) -> None:
        _check_amount(self.amount_minor)
        _check_day(self.booking_date)
        _check_day(self.value_date)
        _check_text("reference", self.reference)
        _check_text("end_to_end_id", self.end_to_end_id)
        _check_text("bank_code", self.bank_code)
        _check_text("description", self.description, None)


@dataclass(frozen=True, slots=True)
class Closed:
    """A statement is over: its balances, where the file has them.

    `totals_hold` is false where the bank's own control total is not what it says it sums up.
    """

    opening: Balance | None
    closing: Balance | None
    totals_hold: bool = True


Part = Opened | Entry | Closed
Parts = Iterator[Part]


class StatementRefused(Exception):
    """A file that cannot be trusted; nothing of it counts.

    `error` is a code, `detail` a sentence, `position` where in the file: a line, or an element.
    """

    def __init__(self, error: str, detail: str, position: str | None = None) -> None:
        super().__init__(f"{detail} ({position})" if position else detail)
        self.error, self.detail, self.position = error, detail, position


@dataclass(frozen=True, slots=True)
class Proven:
    """How a statement's proof came out; the difference is in minor units, closing less sum."""

    proof: Proof
    difference_minor: int | None


def prove(total_minor: int, closed: Closed) -> Proven:
    """Whether opening balance and entries, `total_minor` in all, come to the closing balance.

    Raises StatementRefused where the entries come to more than can be.
    """
    _check_amount(total_minor)
    if closed.opening is None or closed.closing is None:
        return Proven("unprovable" if closed.totals_hold else "unproven", None)
    difference = closed.closing.amount_minor - closed.opening.amount_minor - total_minor
    return Proven("unproven" if difference or not closed.totals_hold else "proven", difference)


def _check_amount(amount_minor: int) -> None:
    if not -LARGEST <= amount_minor <= LARGEST:
        raise StatementRefused("bad_amount", f"An amount is of more than {LARGEST} minor units.")


def _check_day(day: date | None) -> None:
    if day is not None and day.year not in _YEARS:
        raise StatementRefused("bad_date", f"A date is of the year {day.year}.")


def _check_text(name: str, text: str | None, longest: int | None = LONGEST) -> None:
    if text is None:
        return
    if longest is not None and len(text) > longest:
        raise StatementRefused("too_long", f"`{name}` has more than {longest} characters.")
    if "\x00" in text:
        raise StatementRefused("bad_encoding", f"`{name}` has what is no character of a text.")
