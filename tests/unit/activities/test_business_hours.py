"""Deadlines in business hours: nights, weekends, holidays and changing clocks do not count."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.onboarding.business_hours import BusinessHours, NoSuchOffice, ReviewHours
from workflows.onboarding.review import Office, ReviewPolicy, Weekday

WEEK: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday")
BERLIN = Office(
    country="DE",
    time_zone="Europe/Berlin",
    opens=time(9),
    closes=time(17),
    working_days=WEEK,
)


_FROM = datetime(2025, 1, 1, tzinfo=UTC)
moments = st.integers(0, 3 * 365 * 24 * 60).map(lambda count: _FROM + timedelta(minutes=count))


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-03-04 10:00", 2, "2026-03-04 12:00"),
        ("2026-03-04 10:00", 7, "2026-03-04 17:00"),
        ("2026-03-04 10:00", 8, "2026-03-05 10:00"),
        ("2026-03-04 06:30", 1, "2026-03-04 10:00"),  # before hours
        ("2026-03-04 17:00", 1, "2026-03-05 10:00"),  # the moment it closes
        ("2026-03-04 23:59", 1, "2026-03-05 10:00"),  # after hours
        ("2026-03-06 16:00", 2, "2026-03-09 10:00"),  # over a weekend
        ("2026-03-07 12:00", 0.5, "2026-03-09 09:30"),  # on a Saturday
        ("2026-04-02 16:00", 2, "2026-04-07 10:00"),  # Good Friday to Easter Monday
        ("2026-12-24 09:00", 16, "2026-12-28 17:00"),  # Christmas on a Friday and a Saturday
        ("2026-12-31 16:00", 2, "2027-01-04 10:00"),  # New Year, in the year after
        ("2026-03-27 16:00", 2, "2026-03-30 10:00"),  # clocks go forward on the Sunday
        ("2026-10-23 16:00", 2, "2026-10-26 10:00"),  # and back
        ("2026-03-04 20:00", 0, "2026-03-04 20:00"),
        ("2026-01-05 09:00", 80, "2026-01-16 17:00"),
    ],
)
def test_only_open_hours_count(start: str, hours: float, end: str) -> None:
    assert BusinessHours(BERLIN).after(berlin(start), hours) == berlin(end)


def test_a_day_on_which_the_clock_changes_is_as_long_as_it_is() -> None:
    sundays = BERLIN.model_copy(
        update={"opens": time(0), "closes": time(12), "working_days": ("sunday",)}
    )
    hours = BusinessHours(sundays)
    spring, autumn = berlin("2026-03-29 00:00"), berlin("2026-10-25 00:00")
    assert hours.after(spring, 11) == berlin("2026-03-29 12:00")
    assert hours.after(autumn, 13) == berlin("2026-10-25 12:00")


def test_the_holidays_of_a_part_of_a_country_count_there() -> None:
    bavaria = BERLIN.model_copy(update={"subdivision": "BY"})
    eve = berlin("2026-01-05 16:00")
    assert BusinessHours(BERLIN).after(eve, 2) == berlin("2026-01-06 10:00")
    assert BusinessHours(bavaria).after(eve, 2) == berlin("2026-01-07 10:00")


def test_each_country_has_its_office() -> None:
    new_york = Office(
        country="US",
        time_zone="America/New_York",
        opens=time(9),
        closes=time(17),
        working_days=WEEK,
        applicants_from=("US",),
    )
    hours = ReviewHours(ReviewPolicy(offices=(new_york, BERLIN)))
    night = datetime(2026, 7, 2, 20, tzinfo=UTC)  # in Berlin; in New York it is afternoon
    assert hours.after(night, 2, country="FR") == datetime(2026, 7, 3, 9, tzinfo=UTC)
    # The third of July is when the fourth is kept in 2026, a Saturday.
    assert hours.after(night, 2, country="US") == datetime(2026, 7, 6, 14, tzinfo=UTC)


def test_where_a_person_watches_an_hour_is_a_moment() -> None:
    policy = ReviewPolicy(offices=(BERLIN,), an_hour_takes=timedelta(seconds=0.5))
    sunday = berlin("2026-03-08 03:00")
    assert ReviewHours(policy).after(sunday, 8, country="DE") == sunday + timedelta(seconds=4)


@pytest.mark.parametrize(
    "wrong", [{"country": "XX"}, {"subdivision": "ZZ"}, {"time_zone": "Europe/Nowhere"}]
)
def test_an_office_is_somewhere(wrong: dict[str, str]) -> None:
    with pytest.raises(NoSuchOffice) as unknown:
        BusinessHours(BERLIN.model_copy(update=wrong))
    assert next(iter(wrong.values())) in str(unknown.value)


@given(
    start=moments,
    hours=st.lists(st.integers(0, 100), min_size=2, max_size=2, unique=True).map(sorted),
)
def test_more_hours_end_later_and_always_while_it_is_open(
    start: datetime, hours: list[int]
) -> None:
    office = BusinessHours(BERLIN)
    ends = [office.after(start, count) for count in hours]
    for earlier, later in pairwise(ends):
        assert start <= earlier < later
    local = ends[1].astimezone(ZoneInfo("Europe/Berlin"))
    assert time(9) < local.time() <= time(17)
    assert local.weekday() < 5
    assert local.date() not in {date(local.year, 12, 25), date(local.year, 1, 1)}


@given(
    start=moments,
    first=st.integers(0, 60),
    then=st.integers(1, 60),
)
def test_it_makes_no_difference_to_stop_on_the_way(start: datetime, first: int, then: int) -> None:
    office = BusinessHours(BERLIN)
    assert office.after(office.after(start, first), then) == office.after(start, first + then)
