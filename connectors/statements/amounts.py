"""Amounts and dates as banks write them, read exactly."""

import re
from datetime import date
from decimal import Decimal

from connectors.statements.statement import StatementRefused
from workflows.reconciliation.currencies import CURRENCIES, exponent

_POINT = re.compile(r"[+-]?\d{1,18}(?:\.\d{0,9})?|[+-]?\.\d{1,9}")


def currency_code(text: str, position: str | None = None) -> str:
    """A code of ISO 4217, in capital letters. Raises StatementRefused."""
    if text not in CURRENCIES:
        raise StatementRefused("bad_currency", "A currency is none of ISO 4217.", position)
    return text


def minor(text: str, currency: str, position: str | None = None) -> int:
    """`12.5` in EUR is 1250. Raises StatementRefused for more digits than the currency has."""
    if not _POINT.fullmatch(text):
        raise StatementRefused("bad_amount", "An amount cannot be read.", position)
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
