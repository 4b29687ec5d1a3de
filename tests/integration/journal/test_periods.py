"""Months close and lock; what comes late is booked into the open one."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from database.connection import transaction
from database.journal.book import post
from database.journal.periods import NotSoClosed, Period, State, periods, set_state, states
from tests.integration.journal.conftest import AT, Journal, charge

JANUARY, FEBRUARY, MARCH = (date(2026, month, 1) for month in (1, 2, 3))


async def set_to(journal: Journal, month: date, state: State, by: str = "test-fiona") -> bool:
    async with transaction(journal.engine) as connection:
        return await set_state(
            connection, journal.account, month, state, by=by, reason="month's end"
        )


async def told_of(journal: Journal, first: date, last: date) -> list[Period]:
    async with transaction(journal.engine) as connection:
        return await periods(connection, journal.account, first=first, last=last)


async def booked_in(journal: Journal, key: str) -> date:
    (entry,) = await journal.rows(
        "SELECT period FROM journal_entries WHERE request_key = :key", key=f"test/{key}"
    )
    period: date = entry["period"]
    return period


async def test_what_belongs_into_a_closed_month_is_booked_into_the_first_open_one(
    journal: Journal,
) -> None:
    await journal.post(charge("in time"))
    assert await set_to(journal, JANUARY, "soft_closed")
    await journal.post(charge("late"), charge("next", at=AT + timedelta(days=40)))
    assert await booked_in(journal, "in time") == JANUARY
    assert await booked_in(journal, "late") == FEBRUARY
    assert await booked_in(journal, "next") == MARCH
    days = await journal.rows("SELECT DISTINCT effective_on FROM journal_entries ORDER BY 1")
    assert days[0]["effective_on"] == date(2026, 1, 31), "the day that it happened stays"


async def test_a_closed_month_is_closed_to_sql_too(journal: Journal) -> None:
    await journal.post(charge("a"))
    await set_to(journal, FEBRUARY, "soft_closed")
    with pytest.raises(DBAPIError, match="the period 2026-01-01 is closed"):
        await journal.rows("""
            WITH entry AS (
                INSERT INTO journal_entries (account, request_key, kind, occurred_at, effective_on,
                                             period, derived, lines)
                SELECT account, 'test/b', kind, occurred_at, effective_on, period, derived, lines
                FROM journal_entries RETURNING id
            )
            INSERT INTO journal_lines (entry, line, journal_account, amount_minor, kind)
            SELECT entry.id, line, journal_account, amount_minor, kind FROM entry, journal_lines
        """)


async def test_months_are_opened_again_the_latest_first_and_never_once_locked(
    journal: Journal,
) -> None:
    await set_to(journal, JANUARY, "soft_closed")
    await set_to(journal, FEBRUARY, "soft_closed")
    assert not await set_to(journal, FEBRUARY, "soft_closed"), "it is so already"
    with pytest.raises(NotSoClosed, match="a period later"):
        await set_to(journal, JANUARY, "open")
    assert await set_to(journal, FEBRUARY, "open")
    assert await set_to(journal, JANUARY, "locked", by="test-frank")
    with pytest.raises(NotSoClosed, match="locked for good"):
        await set_to(journal, JANUARY, "open")
    async with transaction(journal.engine) as connection:
        assert await states(connection, journal.account) == {JANUARY: "locked", FEBRUARY: "open"}
    told = await journal.rows("SELECT actor, details FROM audit WHERE event = 'journal.period'")
    assert len(told) == 4
    assert told[-1]["details"]["why"] == "month's end"


async def test_a_month_is_locked_by_somebody_else_than_who_closed_it(journal: Journal) -> None:
    with pytest.raises(NotSoClosed) as open_still:
        await set_to(journal, JANUARY, "locked")
    await set_to(journal, JANUARY, "soft_closed")
    with pytest.raises(NotSoClosed) as own:
        await set_to(journal, JANUARY, "locked")
    assert (open_still.value.why, own.value.why) == ("not-closed", "own-close")
    assert await set_to(journal, JANUARY, "locked", by="test-frank")
    assert not await set_to(journal, JANUARY, "locked"), "it is so already"


async def test_the_months_are_told_with_who_closed_them(journal: Journal) -> None:
    await set_to(journal, FEBRUARY, "soft_closed")
    march, february, january = await told_of(journal, date(2026, 1, 15), date(2026, 3, 9))
    assert march == Period(MARCH, "open")
    assert (february.state, february.changed_by) == ("soft_closed", "test-fiona")
    assert (january.month, january.state) == (JANUARY, "soft_closed"), "with February"
    await set_to(journal, FEBRUARY, "locked", by="test-frank")
    february, january = await told_of(journal, JANUARY, JANUARY)
    assert {february.state, january.state} == {"locked"}, "what is closed is told, however late"
    assert january.changed_by == "test-frank"


@pytest.mark.parametrize("change", ["DELETE FROM journal_periods", "TRUNCATE journal_periods"])
async def test_periods_are_kept(journal: Journal, change: str) -> None:
    await set_to(journal, JANUARY, "soft_closed")
    with pytest.raises(DBAPIError, match="append-only"):
        await journal.rows(change)


async def test_a_month_is_closed_after_what_is_being_booked_into_it(journal: Journal) -> None:
    async with transaction(journal.engine) as connection:
        await post(connection, journal.account, [charge("first")])
        closing = asyncio.create_task(set_to(journal, JANUARY, "soft_closed"))
        await asyncio.sleep(0.2)
        assert not closing.done()
        after = asyncio.create_task(journal.post(charge("second")))
        await asyncio.sleep(0.2)
        assert not after.done()
    await closing
    await after
    assert await booked_in(journal, "first") == JANUARY
    assert await booked_in(journal, "second") == FEBRUARY
