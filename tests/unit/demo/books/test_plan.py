"""Which week is played, and what is made up for it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from workers.demo.books.plan import ALL_TOLD, OUTCOMES, PLANTINGS, amount_of, iban_of, week_after
from workflows.reconciliation.terms import Calendar

TARGET = Calendar(
    weekend=("saturday", "sunday"),
    holidays=(date(2026, 12, 25), date(2027, 1, 1), date(2027, 3, 29)),
)


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        (datetime(2026, 11, 18, 12, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 23, 0, 1, tzinfo=UTC), date(2026, 11, 30)),
        (datetime(2026, 11, 22, 22, 59, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 22, 23, 0, tzinfo=UTC), date(2026, 11, 30)),  # too late to open
        (datetime(2026, 12, 16, 12, tzinfo=UTC), date(2027, 1, 4)),  # two holidays in a row
        (datetime(2027, 3, 17, 12, tzinfo=UTC), date(2027, 4, 5)),  # the payout's Monday
    ],
)
def test_a_week_begins_on_a_monday_to_come_and_banks_work_all_of_it(
    now: datetime, monday: date
) -> None:
    assert week_after(int(now.timestamp()), TARGET).monday == monday


def test_each_performance_has_a_bank_account_of_its_own_with_a_right_check() -> None:
    ibans = {iban_of(run) for run in ("abcdef", "abcdeg", "0")}
    assert len(ibans) == 3
    for iban in ibans:
        assert int(f"{iban[4:]}1314{iban[2:4]}") % 97 == 1


def test_amounts_are_the_same_again_and_others_for_others() -> None:
    assert amount_of("a", "cus_1", 0, 0) == amount_of("a", "cus_1", 0, 0)
    assert 2_000 <= amount_of("a", "cus_1", 0, 0) != amount_of("a", "cus_1", 0, 1) < 42_000


def test_something_goes_wrong_on_different_days_and_each_night_has_a_planned_end() -> None:
    assert len({one.break_class for one in PLANTINGS}) == len(PLANTINGS)
    assert len({one.day for one in PLANTINGS}) > 2
    assert {day for day, _ in OUTCOMES} == set(range(ALL_TOLD))
