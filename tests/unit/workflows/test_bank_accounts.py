"""A bank account has one name, however it is written."""

from __future__ import annotations

import pytest

from workflows.reconciliation.bank_accounts import checked_identification, identification_of


@pytest.mark.parametrize(
    "text",
    [" de02 1203\t0000 0000 2020 51", "DE02-1203-0000-0000-2020-51", "de02.1203/00000000202051"],
)
def test_a_bank_account_is_the_same_however_it_is_written(text: str) -> None:
    assert identification_of(text) == "DE02120300000000202051"


@pytest.mark.parametrize("text", ["12-34567/890", "DE03-1203-0000-0000-2020-51"])
def test_dashes_of_what_is_no_iban_stay(text: str) -> None:
    assert identification_of(text) == text


@pytest.mark.parametrize(
    "text", ["DE02120300000000202051", "de02 1203 0000 0000 2020 51", "0532013"]
)
def test_what_may_be_one_is_taken(text: str) -> None:
    assert checked_identification(text) == identification_of(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("DE03120300000000202051", "check digits"),
        ("de02 1203 0000 0000 2020 15", "check digits"),
        ("   ", "is empty"),
    ],
)
def test_what_can_be_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        checked_identification(text)
