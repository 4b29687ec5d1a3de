"""What a processor of payments tells of its books, by whichever way it tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
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
