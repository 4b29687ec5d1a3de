"""What a certificate proves of three books, day after day."""

from __future__ import annotations

import pytest

from tests.integration.reconciliation.three_books import (
    ALL,
    MONDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    ThreeBooks,
    changed,
    deposit,
    item,
    payout,
    sale,
)
from workflows.reconciliation.books import Book
from workflows.reconciliation.certificate import Certificate, Missing

DAY = (sale("a", 10_000), sale("b", 2_500), payout("po", 9_700), deposit("po", 9_700))


def residuals(certificate: Certificate) -> list[int]:
    return [one.residual_minor for one in (*certificate.bridge,)] + [
        one.residual_minor for one in certificate.roll_forward
    ]


def open_of(certificate: Certificate) -> dict[str, int]:
    return {one.leg: one.closing_minor for one in certificate.roll_forward}


async def test_books_that_agree_are_balanced(acme: ThreeBooks) -> None:
    await acme.take(*DAY)
    _, certificate = await acme.reconcile(MONDAY)
    assert certificate.status == "BALANCED"
    assert not any(residuals(certificate))
    assert [one.name for one in certificate.bridge] == ["E1", "E2", "E3", "E4"]
    assert {one.book: one.closing_minor for one in certificate.controls} == {
        "processor": 2_800,
        "bank": 9_700,
        "clearing": 2_800,
        "in_transit": 0,
        "cash": 9_700,
    }


@pytest.mark.parametrize(
    ("planted", "open_", "classes"),
    [
        ([item("processor", "p-x", 10_000)], {"L1": -10_000}, {"missing_ours": 10_000}),
        ([item("clearing", "c-x", 10_000)], {"L1": 10_000}, {"missing_processor": 10_000}),
        (
            [item("clearing", "c-x", 10_100), item("processor", "p-x", 10_000)],
            {"L1": 100},
            {"amount": 100},
        ),
        (
            [
                item("clearing", "c-x", 10_100),
                item("processor", "p-x", 10_000),
                item("clearing", "c-y", 10_000),
                item("processor", "p-y", 10_100),
            ],
            {"L1": 0},
            {"amount": 200},
        ),
        (payout("px", 97_000), {"L2": 97_000}, {}),
        (
            [item("bank", "b-x", 5_000, kind="NTRF")],
            {"L2": -5_000, "L3": -5_000},
            {"missing_cash": 5_000},
        ),
        ([item("bank", "b-x", -300, kind="NCHG")], {"L3": 300}, {"missing_cash": 300}),
        (
            [
                *payout("px", 97_000),
                item("bank", "b-px", 95_500, kind="NTRF"),
                item("cash", "c-px", 95_500, kind="payout"),
                item("in_transit", "t-px", -95_500, kind="payout"),
            ],
            {"L2": 1_500},
            {"amount": 1_500},
        ),
        (
            [item("processor", "p-px", -97_000, kind="payout")],
            {"L1": 97_000, "L2": 97_000},
            {"missing_ours": 97_000},
        ),
    ],
    ids=[
        "not in our journal",
        "not at the processor",
        "another amount",
        "two amounts that cancel",
        "in transit",
        "a deposit of nothing",
        "a bank's charge",
        "a deposit short of a fee",
        "a payout that we did not book",
    ],
)
async def test_what_differs_is_told_and_the_residual_is_zero(
    acme: ThreeBooks, planted: list[object], open_: dict[str, int], classes: dict[str, int]
) -> None:
    await acme.take(*DAY, planted)  # type: ignore[arg-type]
    _, certificate = await acme.reconcile(MONDAY)
    assert certificate.status == ("BREAKS" if classes else "BALANCED")
    assert not any(residuals(certificate))
    assert open_of(certificate) == {"L1": 0, "L2": 0, "L3": 0} | open_
    at_risk: dict[str, int] = {}
    for one in certificate.breaks:
        at_risk[one.break_class] = at_risk.get(one.break_class, 0) + one.at_risk_minor
    assert at_risk == classes


async def test_currencies_are_proven_apart(acme: ThreeBooks) -> None:
    await acme.take(
        *DAY, [item("clearing", "c-x", 10_000, currency="USD"), item("processor", "p-y", 10_000)]
    )
    _, certificate = await acme.reconcile(MONDAY)
    assert not any(residuals(certificate))
    assert {
        one.currency: one.closing_minor for one in certificate.roll_forward if one.leg == "L1"
    } == {
        "EUR": -10_000,
        "USD": 10_000,
    }
    assert [(one.name, one.currency) for one in certificate.bridge if one.name == "E1"] == [
        ("E1", "EUR"),
        ("E1", "USD"),
    ]


async def test_a_closing_that_is_not_told_or_is_unequal_makes_it_incomplete(
    acme: ThreeBooks,
) -> None:
    await acme.take(*DAY)
    acme.off["bank", "EUR"] = 7
    _, certificate = await acme.reconcile(MONDAY)
    assert certificate.status == "INCOMPLETE"
    assert certificate.missing == (
        Missing(lack="unequal", book="bank", currency="EUR", amount_minor=7),
    )
    acme.off.clear()
    acme.scope = ("processor", "clearing", "in_transit", "cash")
    await acme.take(sale("c", 1, on=TUESDAY))
    _, certificate = await acme.reconcile(TUESDAY)
    assert certificate.missing == (Missing(lack="no_closing", book="bank"),)


async def test_what_gathering_found_missing_makes_it_incomplete(acme: ThreeBooks) -> None:
    gap = Missing(lack="statement_gap", book="bank", currency="EUR", amount_minor=1_500)
    await acme.take(*DAY)
    _, certificate = await acme.reconcile(MONDAY, missing=[gap])
    assert certificate.status == "INCOMPLETE"
    assert certificate.missing == (gap,)


async def test_an_item_that_matching_lost_fails_the_proof(acme: ThreeBooks) -> None:
    """What is neither matched nor open nowhere is a defect of ours, and the bridge sees it."""
    await acme.take(*DAY, [item("processor", "p-x", 10_000)])
    fixed = await acme.fix(MONDAY)
    async with acme.transaction() as connection:
        await acme.match(connection, fixed.run)
        await acme.execute(connection, "DELETE FROM open_items")
    _, certificate = await acme.certify(fixed.run)
    assert certificate.status == "PROOF_FAILED"
    assert [one.residual_minor for one in certificate.bridge] == [-10_000, 0, 0, 0]


async def test_what_is_open_rolls_forward_over_days(acme: ThreeBooks) -> None:
    await acme.take(*DAY, [item("processor", "p-x", 10_000)], payout("px", 500))
    _, monday = await acme.reconcile(MONDAY)
    await acme.take(
        [item("clearing", "c-x", 10_000, on=TUESDAY)],
        sale("d", 400, on=TUESDAY),
        [item("clearing", "c-z", 70, on=TUESDAY)],
    )
    _, tuesday = await acme.reconcile(TUESDAY)
    await acme.take(deposit("px", 500, on=WEDNESDAY))
    _, wednesday = await acme.reconcile(WEDNESDAY)
    _, thursday = await acme.reconcile(THURSDAY)
    rolled = [
        [
            (one.leg, one.opening_minor, one.new_minor, one.cleared_minor, one.closing_minor)
            for one in day.roll_forward
            if one.leg != "L3"
        ]
        for day in (monday, tuesday, wednesday, thursday)
    ]
    assert rolled == [
        [("L1", 0, -10_000, 0, -10_000), ("L2", 0, 500, 0, 500)],
        [("L1", -10_000, 70, -10_000, 70), ("L2", 500, 0, 0, 500)],
        [("L1", 70, 0, 0, 70), ("L2", 500, 0, 500, 0)],
        [("L1", 70, 0, 0, 70), ("L2", 0, 0, 0, 0)],
    ]
    assert not any(one for day in (monday, tuesday, wednesday, thursday) for one in residuals(day))
    assert [one.status for one in (monday, tuesday, wednesday, thursday)] == ["BREAKS"] * 4
    assert [
        (one.break_class, one.opening, one.new, one.cleared, one.closing)
        for one in tuesday.break_movements
    ] == [("missing_ours", 1, 0, 1, 0), ("missing_processor", 0, 1, 0, 1)]
    assert [(one.age, one.breaks) for one in thursday.breaks] == [("2-7", 1)]


async def test_openings_are_the_closings_of_the_certificate_before(acme: ThreeBooks) -> None:
    await acme.take(*DAY)
    monday_id, monday = await acme.reconcile(MONDAY)
    await acme.take(sale("e", 50, on=TUESDAY))
    _, tuesday = await acme.reconcile(TUESDAY)
    assert tuesday.previous == monday_id
    assert [one.opening_minor for one in tuesday.controls] == [
        one.closing_minor for one in monday.controls
    ]


async def test_what_was_there_at_the_beginning_is_open_and_did_not_move(
    acme: ThreeBooks,
) -> None:
    """A payout of the week before is on its way, and a charge was not booked."""
    await acme.take(
        [
            item("processor", "processor-old", -4_000, kind="payout"),
            item("clearing", "clearing-old", -4_000, kind="payout"),
            item("processor", "p-lost", 250),
        ],
        source="opening",
    )
    await acme.take(*DAY, deposit("old", 4_000))
    opening = {"processor": 1_000, "clearing": 750, "in_transit": 4_000, "cash": 30, "bank": 30}
    acme.loaded = {"processor": -3_750, "clearing": -4_000}
    _, certificate = await acme.reconcile(MONDAY, opening=opening)  # type: ignore[arg-type]
    assert certificate.status == "BREAKS"
    assert not any(residuals(certificate))
    assert [
        (one.leg, one.opening_minor, one.new_minor, one.cleared_minor, one.closing_minor)
        for one in certificate.roll_forward
    ] == [("L1", -250, 0, 0, -250), ("L2", 4_000, 0, 4_000, 0), ("L3", 0, 0, 0, 0)]


async def test_what_a_source_tells_otherwise_counts_as_it_tells_it_now(
    acme: ThreeBooks,
) -> None:
    first = item("processor", "p-x", 10_000)
    await acme.take(*DAY, [first, item("clearing", "c-x", 9_000)])
    await acme.reconcile(MONDAY)
    await acme.take([changed(first, 9_000)])
    await acme.forget("p-x")
    _, tuesday = await acme.reconcile(TUESDAY)
    assert {one.book: one.movements_minor for one in tuesday.controls}["processor"] == -1_000
    assert not any(residuals(tuesday))
    assert open_of(tuesday) == {"L1": 0, "L2": 0, "L3": 0}


async def test_a_match_that_a_person_takes_apart_is_open_in_the_next_run(
    acme: ThreeBooks,
) -> None:
    await acme.take(*DAY)
    await acme.reconcile(MONDAY)
    await acme.unmatch("processor-a", "L1")
    await acme.take(sale("e", 50, on=TUESDAY))
    _, tuesday = await acme.reconcile(TUESDAY)
    assert not any(residuals(tuesday))
    assert tuesday.cut.manual_matches != (await acme.reconcile(WEDNESDAY))[1].cut.manual_matches


async def test_a_day_without_an_opening_is_nothing_to_go_on_from(acme: ThreeBooks) -> None:
    opening: dict[Book, int] = {"processor": 1_000, "clearing": 1_000, "cash": 500, "bank": 500}
    await acme.take(*DAY)
    acme.scope = ("processor", "clearing", "in_transit", "cash")
    _, monday = await acme.reconcile(MONDAY, opening=opening)
    acme.scope = ALL
    await acme.take(sale("c", 1, on=TUESDAY))
    _, tuesday = await acme.reconcile(TUESDAY, opening=opening)
    await acme.take(sale("d", 2, on=WEDNESDAY))
    id_, wednesday = await acme.reconcile(WEDNESDAY, opening=opening)

    assert Missing(lack="no_opening", book="bank") in monday.missing
    assert (tuesday.status, tuesday.previous) == ("BALANCED", None)
    assert {one.book: one.closing_minor for one in tuesday.controls}["bank"] == 10_200
    assert not any(residuals(tuesday))
    assert (wednesday.status, wednesday.previous is None) == ("BALANCED", False)
    assert await acme.verify(id_) == ()
