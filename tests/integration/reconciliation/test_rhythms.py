"""A bank that sends a statement a week is proven by it, and between two by the last one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.reconciliation.page import page
from tests.integration.reconciliation.nights import IBAN, Nights, march, mt940, residuals
from workflows.reconciliation.books import Rhythm
from workflows.reconciliation.certificate import Certificate

WEEKS = {
    1: mt940(1, 2, 6, {f"T{day}": (day + 1, 10_000) for day in (2, 3, 4, 5)}, opening=0),
    2: mt940(
        *(2, 9, 13),
        {"T6": (9, 10_000), **{f"T{day}": (day + 1, 10_000) for day in (9, 10, 11, 12)}},
        opening=40_000,
    ),
    3: mt940(
        *(3, 16, 20),
        {"T13": (16, 10_000), **{f"T{day}": (day + 1, 10_000) for day in (16, 17, 18, 19)}},
        opening=90_000,
    ),
}
"""Statements of three weeks, in which each payout is there a working day after it left."""


@pytest.fixture
async def weekly(engine: AsyncEngine, tmp_path: Path) -> Nights:
    return await Nights.begun(engine, tmp_path, "weekly")


async def go(
    nights: Nights, *, sent: dict[int, bytes], first: int = 2, last: int
) -> dict[int, Certificate]:
    """Sell on each working day, reconcile from `first` on; statements come on days of `sent`."""
    made = {}
    for day in range(2, last + 1):
        if march(day).weekday() < 5:
            await nights.sell_and_pay_out(march(day), f"T{day}")
        if day in sent:
            await nights.send(sent[day])
        if day < first:
            continue
        made[day] = await nights.night(march(day))
        if "unequal" not in {one.lack for one in made[day].missing}:
            assert residuals(made[day]) <= {0}, day
    return made


def told(made: dict[int, Certificate]) -> dict[int, str]:
    """The days that did not come out balanced."""
    return {
        day: ", ".join([one.status, *sorted({lack.lack for lack in one.missing})])
        for day, one in made.items()
        if one.status != "BALANCED"
    }


def proven(certificate: Certificate) -> date:
    [one] = certificate.cut.proven
    return one.day


async def test_weekly_statements_prove_each_day_of_three_weeks(weekly: Nights) -> None:
    made = await go(weekly, sent={8: WEEKS[1], 13: WEEKS[2], 20: WEEKS[3]}, last=20)

    assert told(made) == {}
    until = {day: proven(certificate) for day, certificate in made.items()}
    assert {until[day] for day in range(2, 8)} == {march(1)}  # what people agreed on
    assert {until[day] for day in range(8, 13)} == {march(6)}
    assert {until[day] for day in range(13, 20)} == {march(13)}
    assert until[20] == march(20)
    closing = {day: bank(certificate) for day, certificate in made.items()}
    assert (closing[7], closing[12], closing[19], closing[20]) == (0, 40_000, 90_000, 140_000)
    assert "Proven until 2026-03-13" in page(made[19], ())


def bank(certificate: Certificate) -> int:
    [total] = [one for one in certificate.controls if one.book == "bank"]
    assert total.proven
    return total.closing_minor


async def test_a_statement_that_is_overdue_makes_days_incomplete_until_it_comes(
    weekly: Nights,
) -> None:
    made = await go(weekly, sent={8: WEEKS[1], 18: WEEKS[2]}, first=15, last=18)

    assert told(made) == {
        16: "INCOMPLETE, statement_missing",
        17: "INCOMPLETE, statement_missing",
    }
    assert (proven(made[17]), proven(made[18])) == (march(6), march(13))


async def test_days_that_are_made_up_for_are_cut_where_a_statement_ends(weekly: Nights) -> None:
    made = await go(weekly, sent={2: WEEKS[1]}, first=4, last=6)

    assert told(made) == {}
    assert [proven(made[day]) for day in (4, 5, 6)] == [march(1), march(1), march(6)]


async def test_a_statement_that_never_comes_is_noticed_by_the_one_after_it(weekly: Nights) -> None:
    made = await go(weekly, sent={8: WEEKS[1], 20: WEEKS[3]}, first=19, last=20)

    assert told(made)[20] == "INCOMPLETE, statement_gap, unequal"
    assert told(made)[19] == "INCOMPLETE, statement_missing"


async def test_what_the_bank_had_no_turn_for_is_in_transit_and_then_missing(
    weekly: Nights,
) -> None:
    without = mt940(1, 2, 6, {f"T{day}": (day + 1, 10_000) for day in (3, 4, 5)}, opening=0)
    made = await go(weekly, sent={8: without}, first=7, last=8)

    assert told(made) == {8: "BREAKS"}
    assert await weekly.breaks() == ["payout_missing_bank"]


async def test_a_payout_that_came_back_waits_for_what_the_bank_says_of_it(weekly: Nights) -> None:
    first = march(2)
    await weekly.sell_and_pay_out(first, "T2")
    await weekly.night(first)
    back = {"trace": "T2", "arrival": march(4)}
    await weekly.move(march(4), "payout_reversal", "po_T2", 10_000, **back)  # type: ignore[arg-type]
    await weekly.night(march(4))
    await weekly.send(mt940(1, 2, 6, {"T2": (3, 10_000)}, opening=0))
    made = await weekly.night(march(6))
    assert (made.status, await weekly.breaks()) == ("BALANCED", [])

    await weekly.send(mt940(2, 9, 13, {}, opening=10_000))
    made = await weekly.night(march(13))
    assert (residuals(made), await weekly.breaks()) == ({0}, ["payout_return_missing"])


@pytest.mark.parametrize(
    ("rhythm", "in_time", "late"),
    [
        ("daily", march(4), march(5)),
        ("weekly", march(10), march(11)),
        ("monthly", date(2026, 4, 6), date(2026, 4, 7)),  # over Easter
    ],
)
async def test_a_statement_is_due_by_the_rhythm_in_which_the_bank_sends_them(
    engine: AsyncEngine, tmp_path: Path, rhythm: Rhythm, in_time: date, late: date
) -> None:
    nights = await Nights.begun(engine, tmp_path, rhythm)
    await nights.send(mt940(1, 2, 4, {}, opening=0))

    assert (await nights.night(in_time)).missing == ()
    [lack] = (await nights.night(late)).missing
    assert (lack.lack, lack.subject) == ("statement_missing", IBAN)
