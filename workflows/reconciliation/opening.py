"""What an account begins with: balances of all books, and what is open between them.

Amounts are minor units on the sign of our asset. An item is open in every leg of its book: a payout
on its way comes with its line in clearing, and the two are matched at once.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from workflows.reconciliation.books import Book
from workflows.reconciliation.payments import CurrencyCode, Minor, ObjectId
from workflows.request_key import Message

_PAYOUTS = ("payout", "payout_reversal")

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _written_out(value: Any) -> Any:
    # Numbers would be taken for seconds since 1970, and times for days. Any: what somebody sent.
    if (isinstance(value, str) and not _DAY.fullmatch(value)) or isinstance(value, int | float):
        raise ValueError("is not a day of ISO 8601, such as 2026-01-31")
    return value


Day = Annotated[date, BeforeValidator(_written_out)]
OpeningBook = Book | Literal["receivables", "fees", "reserve", "unsettled", "suspense"]
Word = Annotated[str, Field(pattern=r"^[!-~]{1,60}$")]


class OpeningBalance(Message):
    """What a book held when the day before the first one ended."""

    book: OpeningBook
    currency: CurrencyCode
    amount_minor: Minor


class OpeningItem(Message):
    """A movement of before that the other book did not have yet; the fields are an item's."""

    book: Book
    source_id: ObjectId
    kind: Word
    currency: CurrencyCode
    amount_minor: Minor
    effective_on: Day
    reference: ObjectId | None = None
    payout: ObjectId | None = None
    arrival_on: Day | None = None
    trace_id: ObjectId | None = None
    descriptor: Annotated[str, Field(max_length=500)] | None = None


class Residual(Message):
    """What an equation leaves over in a currency: balances and open items contradict each other."""

    equation: Literal["E1", "E3", "E4"]
    currency: str
    amount_minor: int


class Opening(Message):
    """What an account begins with on the morning of `opened_on`."""

    opened_on: Day
    balances: Annotated[tuple[OpeningBalance, ...], Field(min_length=1, max_length=200)]
    items: Annotated[tuple[OpeningItem, ...], Field(max_length=5000)] = ()

    @model_validator(mode="after")
    def _is_of_before(self) -> "Opening":
        if any(item.effective_on >= self.opened_on for item in self.items):
            raise ValueError("an open item is of a day before the account is opened")
        if len({(item.book, item.source_id) for item in self.items}) < len(self.items):
            raise ValueError("an open item is there twice")
        if len({(one.book, one.currency) for one in self.balances}) < len(self.balances):
            raise ValueError("a balance is there twice")
        return self

    def held(self, book: OpeningBook) -> Mapping[str, int]:
        """What a book held, in the currencies of which that was said."""
        return {one.currency: one.amount_minor for one in self.balances if one.book == book}

    def residuals(self) -> tuple[Residual, ...]:
        """Where the bridge does not hold with what is loaded; nothing where all is well.

        E2 holds by itself at the beginning: what is open of it is all that there is.
        """
        held: defaultdict[tuple[str, str], int] = defaultdict(int)
        for one in self.balances:
            held[one.book, one.currency] += one.amount_minor
        left: dict[tuple[Literal["E1", "E3", "E4"], str], int] = defaultdict(int)
        for (book, currency), amount in held.items():
            for equation, sign in _SIDES.get(book, {}).items():
                left[equation, currency] += sign * amount
        for item in self.items:
            for equation, sign in _SIDES.get(item.book, {}).items():
                if equation != "E4":
                    left[equation, item.currency] -= sign * item.amount_minor
            if item.kind in _PAYOUTS and item.book in ("clearing", "cash"):
                left["E4", item.currency] += item.amount_minor
        return tuple(
            Residual(equation=equation, currency=currency, amount_minor=amount)
            for (equation, currency), amount in sorted(left.items())
            if amount
        )


_SIDES: Mapping[str, Mapping[Literal["E1", "E3", "E4"], int]] = {
    "clearing": {"E1": 1},
    "processor": {"E1": -1},
    "cash": {"E3": 1},
    "bank": {"E3": -1},
    "in_transit": {"E4": 1},
}


class ProposedOpening(Message):
    """A proposal and what became of it.

    items       how many are open
    open_items  the first 100 of them
    """

    id: int
    account: str
    state: Literal["proposed", "approved", "refused"]
    opened_on: date
    content_hash: str
    balances: tuple[OpeningBalance, ...]
    items: int
    open_items: tuple[OpeningItem, ...]
    proposed_by: str
    proposed_at: datetime
    reason: str
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None
