"""Amounts and dates as banks write them, read exactly."""

import re
from datetime import date
from decimal import Decimal

from connectors.statements.statement import StatementRefused

EXPONENTS = (
    dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0)
    | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
    | dict.fromkeys("CLF UYW".split(), 4)
)
"""Digits of the minor unit, where it is not two: ISO 4217, list one."""

_CURRENCY = re.compile(r"[A-Z]{3}")
_POINT = re.compile(r"[+-]?\d{1,18}(?:\.\d{0,9})?|[+-]?\.\d{1,9}")
_COMMA = re.compile(r"\d{1,15},\d{0,9}|\d{1,15}")


def exponent(currency: str) -> int:
    """How many digits the minor unit of a currency has."""
    return EXPONENTS.get(currency, 2)


def currency_code(text: str, position: str | None = None) -> str:
    """A code of ISO 4217 by its form. Raises StatementRefused."""
    if not _CURRENCY.fullmatch(text):
        raise StatementRefused("bad_currency", "A currency is three capital letters.", position)
    return text


def minor(text: str, currency: str, position: str | None = None) -> int:
    """`12.5` in EUR is 1250. Raises StatementRefused for more digits than the currency has."""
    if not _POINT.fullmatch(text):
        raise StatementRefused("bad_amount", "An amount cannot be read.", position)
    return _minor(text, currency, position)


def minor_with_comma(text: str, currency: str, position: str | None = None) -> int:
    """`12,5` in EUR is 1250, as SWIFT writes it, without a sign. Raises StatementRefused."""
    if not _COMMA.fullmatch(text):
        raise StatementRefused("bad_amount", "An amount cannot be read.", position)
    return _minor(text.replace(",", "."), currency, position)


def _minor(text: str, currency: str, position: str | None) -> int:
    shifted = Decimal(text).scaleb(exponent(currency))
    whole = int(shifted)
    if whole != shifted:
        raise StatementRefused(
            "bad_amount", f"An amount has more digits than {currency} has.", position
        )
    return whole


def iso_date(text: str, position: str | None = None) -> date:
    """The day of an ISO 8601 date or date-time. Raises StatementRefused."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise StatementRefused("bad_date", "A date cannot be read.", position) from None
