"""What Stripe takes for a payment."""

from dataclasses import dataclass

from simulators.stripe.collection import Document

# One rate for all cards: 3.25 % and a quarter of the currency's unit.
RATE_IN_TEN_THOUSANDTHS = 325
DISPUTE_UNITS = 15
NO_DECIMALS = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())
THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
TAXED = {"aud": 10}
"""Where a tax comes on top of the fee: percent."""


@dataclass(frozen=True)
class Fee:
    """One part of what a balance transaction cost; minor units."""

    amount: int
    type: str
    description: str

    def document(self, currency: str) -> Document:
        """As `fee_details` has it."""
        return {
            "amount": self.amount,
            "application": None,
            "currency": currency,
            "description": self.description,
            "type": self.type,
        }


def decimals(currency: str) -> int:
    """How many decimals the currency's amounts have."""
    return 0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2


def for_payment(amount: int, currency: str, *, first: bool = True) -> tuple[Fee, ...]:
    """What a capture costs, the first one of a payment more than others.

    Where there are three decimals the last is 0, as in all amounts.
    """
    places = decimals(currency)
    step = 10 if places == 3 else 1
    units = 10**places // 4 if places and first else 0
    taken = _rounded(amount * RATE_IN_TEN_THOUSANDTHS, 10_000 * step) * step + units
    fees = (Fee(taken, "stripe_fee", "Stripe processing fees"),)
    if currency not in TAXED:
        return fees
    return (*fees, Fee(_rounded(taken * TAXED[currency], 100), "tax", "GST"))


def for_dispute(currency: str) -> tuple[Fee, ...]:
    """What a dispute costs, won or lost."""
    return (Fee(DISPUTE_UNITS * 10 ** decimals(currency), "stripe_fee", "Dispute fee"),)


def _rounded(dividend: int, divisor: int) -> int:
    return (2 * dividend + divisor) // (2 * divisor)
