"""Amounts are written with the digits that their currency has."""

import pytest

from workflows.reconciliation.currencies import money


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        (1, "EUR", "0.01 EUR"),
        (-123_450, "EUR", "-1,234.50 EUR"),
        (1, "JPY", "1 JPY"),
        (-1_234, "JPY", "-1,234 JPY"),
        (1, "KWD", "0.001 KWD"),
        (1, "CLF", "0.0001 CLF"),
        (10**17 + 1, "EUR", "1,000,000,000,000,000.01 EUR"),
    ],
)
def test_an_amount_has_the_digits_of_its_currency(amount: int, currency: str, said: str) -> None:
    assert money(amount, currency) == said
