"""Stripe's minor units, where they are not those of ISO 4217."""

from connectors.stripe.errors import bad_body
from workflows.reconciliation.currencies import exponent

_DIGITS = {"MGA": 0, "ISK": 2}
"""Digits of Stripe's minor unit, where ISO 4217 has others: docs.stripe.com/currencies."""


def ours(amount: int, currency: str) -> int:
    """An amount of the API in minor units of ISO 4217. Raises Unanswered where it has a rest."""
    if currency not in _DIGITS:
        return amount
    more = exponent(currency) - _DIGITS[currency]
    if more >= 0:
        return amount * int(10**more)
    whole, rest = divmod(amount, int(10**-more))
    if rest:
        raise bad_body()
    return whole
