"""What a world is like: how many days, how much of everything."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

KnownBy = Literal["source_id", "charge_id", "payment_intent_id", "payment_metadata[order_id]"]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A world. Shares are of payments or of days, 0 to 1.

    days              with payments; `quiet_days` without any follow, so that payouts arrive
    payments          charges in all currencies and days together
    empty             share of days that nobody pays on
    refunded          share of payments that are given back, in part or whole
    disputed          share of payments that are disputed; a third of them are won
    in_parts          share of payments captured in parts, which are several transactions
    split_fees        share of payments with a tax on the fee, a second detail
    presented         share of payments that the customer saw in another currency
    untraced          share of payouts that the bank's entry does not name
    batched           share of arrival days whose payouts come in one deposit
    failing           share of payouts that fail, half of them after the bank had them
    manual            share of days with a manual payout besides
    lean              share of days with more given back than paid: their payout is negative
    others            bank entries a business day that have nothing to do with payments
    known_by          what our journal refers to a transaction by; where that has none, its own id
    """

    seed: int = 1
    first_day: date = date(2026, 3, 2)
    days: int = 3
    quiet_days: int = 9
    payments: int = 200
    currencies: tuple[str, ...] = ("EUR",)
    empty: float = 0.1
    refunded: float = 0.03
    disputed: float = 0.004
    in_parts: float = 0.02
    split_fees: float = 0.05
    presented: float = 0.05
    untraced: float = 0.3
    batched: float = 0.3
    failing: float = 0.05
    manual: float = 0.1
    lean: float = 0.1
    others: int = 3
    known_by: KnownBy = "source_id"

    def __post_init__(self) -> None:
        if self.days < 1 or self.quiet_days < 0 or self.payments < 0 or not self.currencies:
            raise ValueError("a world has a day, a currency, and no negative number of anything")

    @property
    def last_day(self) -> date:
        """The last day of the world, quiet ones included: what a cut is made after."""
        return self.first_day + timedelta(days=self.days + self.quiet_days - 1)

    @property
    def all_days(self) -> list[date]:
        """Every day, the first one first."""
        return [self.first_day + timedelta(days=n) for n in range(self.days + self.quiet_days)]
