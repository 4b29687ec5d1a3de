"""What the three books know, row by row. Amounts are minor units; positive is more for us."""

from datetime import date, datetime
from typing import Literal, NamedTuple

from simulators.bank.statement import Entry, Statement

LedgerAccount = Literal["clearing", "in_transit", "cash"]
Book = Literal["processor", "bank", "clearing", "in_transit", "cash"]
BOOKS: tuple[Book, ...] = ("processor", "bank", "clearing", "in_transit", "cash")


class Transaction(NamedTuple):
    """A balance transaction. `fees` are amounts taken, by their type; the net is gross less fees.

    payout  the automatic payout that it is a member of, or the payout that it is
    trace   of a payout's own: what the bank's entry names
    """

    id: str
    created: datetime
    available_on: date
    currency: str
    gross: int
    fees: tuple[tuple[str, int], ...]
    type: str
    category: str
    source: str | None
    description: str
    charge: str | None = None
    intent: str | None = None
    order: str | None = None
    payout: str | None = None
    trace: str | None = None
    presentment: tuple[int, str] | None = None

    @property
    def fee(self) -> int:
        """All fees together."""
        return sum(amount for _, amount in self.fees)

    @property
    def net(self) -> int:
        """What the balance moved by."""
        return self.gross - self.fee


class Payout(NamedTuple):
    """A payout as it came to be; negative where money was taken from the bank.

    booked_on  the bank's day; None where the bank never had it
    failed_on  the day that Stripe took it back, in a second transaction; the bank then gives up
               what it had on `returned_on`
    """

    id: str
    created: datetime
    amount: int
    currency: str
    arrival_on: date
    automatic: bool
    trace: str | None
    booked_on: date | None
    failed_on: date | None = None
    returned_on: date | None = None


class Line(NamedTuple):
    """A posting line of our journal. `kind` is Stripe's word for it; `settlement` at the bank."""

    entry: str
    line: int
    booked_at: datetime
    account: LedgerAccount
    kind: str
    currency: str
    amount: int
    reference: str | None
    description: str
    payout: str | None = None
    arrival_on: date | None = None
    presentment: tuple[int, str] | None = None


class Day(NamedTuple):
    """What became known on one day of UTC, in the order of each book.

    unreported  transactions that Stripe's balance has and its report leaves out
    unstated    entries that the bank booked and no statement shows
    """

    day: date
    transactions: list[Transaction]
    payouts: list[Payout]
    lines: list[Line]
    statements: list[Statement]
    unreported: list[Transaction]
    unstated: list[Entry]
