"""The bridge over worlds of which every movement is known, and how a run comes out."""

from dataclasses import dataclass, fields, replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.reconciliation.sample import CERTIFICATE, SCOPE
from workflows.reconciliation.books import Book
from workflows.reconciliation.certificate import BreakTotal, Missing
from workflows.reconciliation.proof import Figures, bridge, status_of

Deed = Literal["payment", "payout", "settlement", "wire"]

AMOUNTS = st.integers(min_value=-(10**12), max_value=10**12)


@dataclass(frozen=True)
class Movement:
    """Something that happened: what we booked of it and what the outside has, None where nothing.

    payment     the processor's balance and our clearing
    payout      leaves the processor, and our clearing for in transit
    settlement  arrives at the bank, and leaves our in transit for cash
    wire        another entry of the bank, and of our cash
    """

    deed: Deed
    ours: int | None
    theirs: int | None


MOVEMENTS = st.lists(
    st.builds(
        Movement,
        st.sampled_from(("payment", "payout", "settlement", "wire")),
        st.none() | AMOUNTS,
        st.none() | AMOUNTS,
    ),
    max_size=40,
)


def world(movements: list[Movement]) -> Figures:
    """What the books come to, and what is open when only a pair is matched, to its difference.

    In L2 nothing is matched: all of it is open.
    """
    closing: dict[Book, int] = dict.fromkeys(SCOPE, 0)
    open_l1 = open_l3 = payouts = settlements = open_payouts = open_settlements = 0
    for one in movements:
        ours, theirs = one.ours or 0, one.theirs or 0
        match one.deed:
            case "payment" | "payout":
                closing["clearing"] += ours
                closing["processor"] += theirs
                open_l1 += ours - theirs
                if one.deed == "payout":
                    closing["in_transit"] -= ours
                    payouts += theirs
                    open_payouts += ours - theirs
            case "settlement" | "wire":
                closing["cash"] += ours
                closing["bank"] += theirs
                open_l3 += ours - theirs
                if one.deed == "settlement":
                    closing["in_transit"] -= ours
                    settlements += theirs
                    open_settlements += ours - theirs
    return Figures(
        closing=closing,
        payouts=payouts,
        settlements=settlements,
        open_l1=open_l1,
        open_l2=-payouts - settlements,
        open_l3=open_l3,
        open_payouts=open_payouts,
        open_settlements=open_settlements,
    )


@given(MOVEMENTS)
def test_whatever_is_missing_the_residuals_are_zero_when_all_of_it_is_told(
    movements: list[Movement],
) -> None:
    equations = bridge("EUR", world(movements), SCOPE)
    assert [(one.name, one.residual_minor) for one in equations] == [
        ("E1", 0),
        ("E2", 0),
        ("E3", 0),
        ("E4", 0),
    ]


@given(MOVEMENTS, st.sampled_from(SCOPE), AMOUNTS.filter(bool))
def test_a_closing_that_is_not_what_moved_is_seen(
    movements: list[Movement], book: Book, off: int
) -> None:
    figures = world(movements)
    wrong = replace(figures, closing={**figures.closing, book: figures.closing[book] + off})
    assert [abs(one.residual_minor) for one in bridge("EUR", wrong, SCOPE) if one.residual_minor]


SUMS = [field.name for field in fields(Figures) if field.name != "closing"]


@given(MOVEMENTS, st.sampled_from(SUMS), AMOUNTS.filter(bool))
def test_what_is_open_and_not_told_is_seen(
    movements: list[Movement], figure: str, off: int
) -> None:
    figures = world(movements)
    wrong = replace(figures, **{figure: getattr(figures, figure) + off})
    residuals = [one.residual_minor for one in bridge("EUR", wrong, SCOPE)]
    assert any(residuals)


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        (("clearing", "processor"), ["E1"]),
        (("clearing", "processor", "bank"), ["E1", "E2"]),
        (("clearing", "processor", "bank", "cash"), ["E1", "E2", "E3"]),
        (SCOPE, ["E1", "E2", "E3", "E4"]),
    ],
)
def test_an_equation_is_judged_where_its_books_are_known(
    scope: tuple[Book, ...], names: list[str]
) -> None:
    assert [one.name for one in bridge("EUR", Figures(closing={}), scope)] == names


MISSING = (Missing(lack="no_closing", book="processor", currency="EUR"),)
SOUND = bridge("EUR", Figures(closing={}), SCOPE)
BROKEN = bridge("EUR", Figures(closing={"clearing": 1}), SCOPE)
ROLLED = CERTIFICATE.roll_forward
ASTRAY = (ROLLED[0].model_copy(update={"residual_minor": 1}),)
A_BREAK = (BreakTotal(break_class="fee", currency="EUR", age="0-1", breaks=1, at_risk_minor=1),)


def test_the_first_status_that_applies_is_the_status() -> None:
    assert status_of((), SOUND, ROLLED, ()) == "BALANCED"
    assert status_of((), SOUND, ROLLED, A_BREAK) == "BREAKS"
    assert status_of((), BROKEN, ROLLED, A_BREAK) == "PROOF_FAILED"
    assert status_of((), SOUND, ASTRAY, ()) == "PROOF_FAILED"
    assert status_of(MISSING, BROKEN, ASTRAY, A_BREAK) == "INCOMPLETE"
