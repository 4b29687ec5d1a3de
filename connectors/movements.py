"""What a processor of payments tells of its books, by whichever way it tells."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

PAYOUT_KINDS = frozenset({"payout", "payout_reversal"})
"""The reporting categories of what goes to the bank, and of what comes back from it."""


class Movement(NamedTuple):
    """A balance transaction, in minor units of its currency by ISO 4217.

    A named tuple, since an account has a million of them.

    kind         the reporting category
    fees         type and amount of what was taken of the gross; a report names no types
    references   by name what else knows it: `source_id`, `charge_id`, `payment_intent_id`,
                 `payment_metadata[…]`; those that are known and asked for
    payout       the payout that it is a member of, or is
    arrival_on   of payouts: the day the bank should have it
    trace_id     of payouts: what the bank's entry carries
    presentment  amount and currency as the customer saw them, where that was another currency
    """

    id: str
    kind: str
    currency: str
    gross_minor: int
    fees: tuple[tuple[str, int], ...]
    created_at: datetime
    references: Mapping[str, str]
    payout: str | None = None
    arrival_on: date | None = None
    trace_id: str | None = None
    description: str | None = None
    presentment_minor: int | None = None
    presentment_currency: str | None = None

    @property
    def net_minor(self) -> int:
        """What the balance changed by."""
        return self.gross_minor - sum(amount for _, amount in self.fees)


@dataclass(frozen=True, slots=True)
class Balances:
    """The balance of one currency at the beginning and at the end of a time, in minor units."""

    opening_minor: int
    closing_minor: int


@dataclass(frozen=True, slots=True)
class Window:
    """What happened since a time and before another, or until now; whole seconds."""

    since: datetime
    before: datetime | None

    def split(self, parts: int) -> Sequence["Window"]:
        """Windows one after the other, of about the same length; a short one stays whole."""
        if self.before is None:
            return [self]
        seconds = int((self.before - self.since).total_seconds())
        edges = [self.since + timedelta(seconds=seconds * n // parts) for n in range(parts)]
        edges = sorted({*edges, self.before})
        return [Window(since, before) for since, before in itertools.pairwise(edges)] or [self]
