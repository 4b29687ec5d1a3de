"""What should be found in a world: each planted discrepancy, and how every book comes out."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal, TypeAlias

from simulators.bank.statement import Entry
from simulators.world import accounts
from simulators.world.ledger import FAMILY
from simulators.world.payouts import DESCRIPTOR
from simulators.world.rows import BOOKS, Book, Day, Line, Payout, Transaction
from simulators.world.shape import Shape

Leg = Literal["L1", "L2", "L3"]
Status = Literal["BALANCED", "BREAKS", "INCOMPLETE"]
X: TypeAlias = dict[str, tuple[int, int, int]]
"""For each currency X1, X2 and X3: what is open on each leg, on its equation's sign."""


@dataclass(frozen=True)
class Subject:
    """An item that something is about.

    id         of a transaction its own, of a journal line `entry/line`, of a bank's entry its
               reference
    component  of a transaction `gross` or `fee`; else empty
    """

    book: Book
    id: str
    component: str = ""


@dataclass(frozen=True)
class Break:
    """A break that must be found; the amount at risk counts once for all legs that show it.

    class_  the class, in the words of reconciliation
    side    the book that has too much or alone has it; `both` where two differ
    """

    class_: str
    legs: tuple[Leg, ...]
    currency: str
    at_risk: int
    side: Book | Literal["both"]
    subjects: tuple[Subject, ...]


@dataclass(frozen=True)
class Planted:
    """A discrepancy that was planted. Without breaks it must not be found as one.

    class_  what the definitions call it: `timing` and `none` are no breaks; `statement_gap` and
            `control` keep the whole from being proven
    effect  what it adds to X
    """

    number: int
    name: str
    class_: str
    effect: X
    breaks: tuple[Break, ...] = ()
    timing: tuple[Subject, ...] = ()


@dataclass
class Books:
    """A currency's books: sums of what is shown, and balances, which also know what is hidden.

    paid_out, settled  payouts at Stripe, and what the bank booked of them
    hidden_x           what X differs by since something is hidden
    """

    opening: dict[Book, int]
    shown: Counter[Book] = field(default_factory=Counter)
    hidden: Counter[Book] = field(default_factory=Counter)
    rows: Counter[Book] = field(default_factory=Counter)
    paid_out: int = 0
    settled: int = 0
    hidden_x: tuple[int, int, int] = (0, 0, 0)

    def closing(self, book: Book) -> int:
        """The balance at the end of the last day."""
        return self.opening[book] + self.shown[book] + self.hidden[book]

    def hide(self, book: Book, amount: int, *, is_settlement: bool) -> None:
        """Count a row that the balance knows and nobody is shown."""
        self.hidden[book] += amount
        x1, x2, x3 = self.hidden_x
        x2 += amount if is_settlement else 0
        self.hidden_x = (x1 + amount, x2, x3) if book == "processor" else (x1, x2, x3 + amount)

    @property
    def x(self) -> tuple[int, int, int]:
        """X1, X2 and X3 from nothing but the rows that are shown."""
        return (
            self.shown["clearing"] - self.shown["processor"],
            -self.paid_out - self.settled,
            self.shown["cash"] - self.shown["bank"],
        )


class Tally:
    """Counts a world while its days go by, and puts the manifest together."""

    def __init__(self, shape: Shape, planted: Collection[str] = ()) -> None:
        """`planted` are payouts that are planted discrepancies: not on their way by themselves."""
        self._last_day, self._planted = shape.last_day, planted
        self._currencies = shape.currencies
        self.books: dict[str, Books] = {}
        for currency in shape.currencies:
            self._of(currency)
        self.timing: list[tuple[str, int, Subject]] = []

    def take(self, day: Day) -> None:
        """Count one more day."""
        for transaction in day.transactions:
            self._transaction(transaction)
        for line in day.lines:
            self._line(line)
        for statement in day.statements:
            self._of(statement.currency)
            for entry in statement.entries:
                self._entry(entry)
        for transaction in day.unreported:
            its = transaction.category in FAMILY
            self._of(transaction.currency).hide("processor", transaction.net, is_settlement=its)
        for entry in day.unstated:
            its = entry.description == DESCRIPTOR
            self._of(entry.currency).hide("bank", entry.amount, is_settlement=its)
        for payout in day.payouts:
            if payout.id not in self._planted:
                self._in_transit(payout)

    def _of(self, currency: str) -> Books:
        if currency not in self.books:
            has_account = currency in self._currencies
            self.books[currency] = Books(
                {each: accounts.opening(currency, each) if has_account else 0 for each in BOOKS}
            )
        return self.books[currency]

    def _transaction(self, transaction: Transaction) -> None:
        books = self._of(transaction.currency)
        books.shown["processor"] += transaction.net
        books.rows["processor"] += 1
        if transaction.category in FAMILY:
            books.paid_out += transaction.gross

    def _line(self, line: Line) -> None:
        books = self._of(line.currency)
        books.shown[line.account] += line.amount
        books.rows[line.account] += 1

    def _entry(self, entry: Entry) -> None:
        books = self._of(entry.currency)
        books.shown["bank"] += entry.amount
        books.rows["bank"] += 1
        if entry.description == DESCRIPTOR:
            books.settled += entry.amount

    def _in_transit(self, payout: Payout) -> None:
        """Payouts and returns that the bank has not had its turn with on the last day."""
        last = self._last_day
        failed = payout.failed_on is not None and payout.failed_on <= last
        if payout.booked_on is None:
            if not failed:
                self.timing.append((payout.currency, payout.amount, _payout(payout)))
            return
        if payout.booked_on > last:
            self.timing.append((payout.currency, payout.amount, _payout(payout)))
        elif failed and payout.returned_on is not None and payout.returned_on > last:
            subject = Subject("processor", f"txn_{payout.id[3:]}_failed", "gross")
            self.timing.append((payout.currency, -payout.amount, subject))


def _payout(payout: Payout) -> Subject:
    return Subject("processor", f"txn_{payout.id[3:]}", "gross")


@dataclass(frozen=True)
class Manifest:
    """Everything that must come out for a whole world."""

    seed: int
    first_day: date
    last_day: date
    status: Status
    planted: tuple[Planted, ...]
    timing: tuple[Subject, ...]
    x: X
    books: dict[str, Books]

    @property
    def breaks(self) -> Iterator[Break]:
        """Every break that must be found, and no other."""
        for planted in self.planted:
            yield from planted.breaks

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        """The manifest for a file."""
        return {
            "seed": self.seed,
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
            "status": self.status,
            "planted": [_planted(each) for each in self.planted],
            "timing": [asdict(each) for each in self.timing],
            "currencies": {
                currency: {
                    "x": dict(zip(("X1", "X2", "X3"), self.x[currency], strict=True)),
                    "books": {
                        book: {
                            "opening_minor": books.opening[book],
                            "closing_minor": books.closing(book),
                            "rows": books.rows[book],
                        }
                        for book in BOOKS
                    },
                }
                for currency, books in sorted(self.books.items())
            },
        }


def _planted(planted: Planted) -> dict[str, Any]:  # Any: JSON
    return {
        "number": planted.number,
        "name": planted.name,
        "class": planted.class_,
        "effect": {
            currency: dict(zip(("X1", "X2", "X3"), effect, strict=True))
            for currency, effect in planted.effect.items()
        },
        "breaks": [
            {
                "class": each.class_,
                "legs": list(each.legs),
                "currency": each.currency,
                "amount_at_risk_minor": each.at_risk,
                "side": each.side,
                "subjects": [asdict(subject) for subject in each.subjects],
            }
            for each in planted.breaks
        ],
        "timing": [asdict(each) for each in planted.timing],
    }


def manifest_of(tally: Tally, shape: Shape, planted: tuple[Planted, ...]) -> Manifest:
    """The manifest of a world that was counted: X by what was planted and what is on its way."""
    x: dict[str, list[int]] = {currency: [0, 0, 0] for currency in tally.books}
    for each in planted:
        for currency, effect in each.effect.items():
            x[currency] = [a + b for a, b in zip(x[currency], effect, strict=True)]
    for currency, amount, _ in tally.timing:
        x[currency][1] += amount
    for currency, books in tally.books.items():
        x[currency] = [a + b for a, b in zip(x[currency], books.hidden_x, strict=True)]
    incomplete = any(each.class_ in ("statement_gap", "control") for each in planted)
    breaks = any(each.breaks for each in planted)
    return Manifest(
        shape.seed,
        shape.first_day,
        shape.last_day,
        "INCOMPLETE" if incomplete else "BREAKS" if breaks else "BALANCED",
        planted,
        tuple(subject for _, _, subject in tally.timing),
        {currency: (a, b, c) for currency, (a, b, c) in x.items()},
        dict(tally.books),
    )
