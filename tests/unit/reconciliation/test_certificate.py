"""What a certificate is by itself: its bytes, its id, its arithmetic."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.unit.reconciliation.sample import CERTIFICATE
from workflows.reconciliation.certificate import (
    Certificate,
    ControlTotal,
    Equation,
    RollForward,
    Term,
    age_of,
    canonical,
    certificate_id,
)

AMOUNTS = st.integers(min_value=-(2**62), max_value=2**62)


def test_what_is_read_back_has_the_same_bytes() -> None:
    written = canonical(CERTIFICATE)
    assert canonical(Certificate.model_validate_json(written)) == written


def test_any_change_gives_another_id() -> None:
    changed = CERTIFICATE.model_copy(update={"ordinal": 3})
    assert certificate_id(changed) != certificate_id(CERTIFICATE)


def test_a_certificate_is_the_same_bytes_in_every_release() -> None:
    """Whoever changes the form of a certificate raises its schema version."""
    assert certificate_id(CERTIFICATE) == (
        "e5a54393d0cff4d91bff2fb3593d1284678732f39bda470543b8a2ae6edb8f07"
    )


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_a_closing_is_opening_and_movements(opening: int, movements: int, wrong: int) -> None:
    def control(closing: int) -> ControlTotal:
        return ControlTotal(
            book="bank",
            currency="EUR",
            opening_minor=opening,
            movements_minor=movements,
            closing_minor=closing,
        )

    assert control(opening + movements).closing_minor == opening + movements
    if wrong:
        with pytest.raises(ValidationError):
            control(opening + movements + wrong)


def test_a_residual_cannot_be_claimed() -> None:
    with pytest.raises(ValidationError):
        Equation(
            name="E1",
            currency="EUR",
            terms=(Term(name="clearing_closing", amount_minor=1),),
            residual_minor=0,
        )
    with pytest.raises(ValidationError):
        RollForward(
            leg="L1",
            currency="EUR",
            opening_minor=5,
            new_minor=3,
            cleared_minor=1,
            closing_minor=8,
            residual_minor=0,
        )


def test_a_control_without_a_source_is_not_proven() -> None:
    of = CERTIFICATE.controls[0]
    assert of.proven
    assert not of.model_copy(update={"source_minor": None}).proven
    assert not of.model_copy(update={"source_minor": of.closing_minor + 1}).proven


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (-3, "0-1"),
        (0, "0-1"),
        (1, "0-1"),
        (2, "2-7"),
        (7, "2-7"),
        (8, "8-30"),
        (30, "8-30"),
        (31, "31-90"),
        (90, "31-90"),
        (91, "91+"),
        (4000, "91+"),
    ],
)
def test_ages_touch_and_do_not_overlap(days: int, age: str) -> None:
    today = date(2026, 3, 14)
    assert age_of(today - timedelta(days=days), today) == age
