"""Currencies: how many digits their minor units have, and amounts as people write them."""

from decimal import Decimal

LARGEST = 10**15
"""The largest amount that somebody may tell us, in minor units: thousands of them can be added."""

EXPONENTS = (
    dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0)
    | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
    | dict.fromkeys("CLF UYW".split(), 4)
)
"""Digits of the minor unit, where it is not two: ISO 4217, list one."""


def exponent(currency: str) -> int:
    """How many digits the minor unit of a currency has."""
    return EXPONENTS.get(currency, 2)


def money(amount_minor: int, currency: str) -> str:
    """An amount in major units, with its currency: `-1,234.50 EUR`."""
    digits = exponent(currency)
    return f"{Decimal(amount_minor).scaleb(-digits):,.{digits}f} {currency}"
