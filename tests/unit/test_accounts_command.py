"""`perdure accounts make`: how bank accounts are named on the command line."""

import pytest
import typer

from workers.cli.accounts import bank_account_of


@pytest.mark.parametrize(
    ("text", "statements"),
    [("DE02:EUR:target", None), ("DE02:EUR:target:weekly", "weekly")],
)
def test_a_bank_account_may_say_how_often_statements_come(
    text: str, statements: str | None
) -> None:
    named = {"identification": "DE02", "currency": "EUR", "calendar": "target"}
    assert bank_account_of(text) == named | ({"statements": statements} if statements else {})


@pytest.mark.parametrize("text", ["DE02", "DE02:EUR", "EUR:target:weekly"])
def test_a_bank_account_has_three_parts_at_least(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        bank_account_of(text)
