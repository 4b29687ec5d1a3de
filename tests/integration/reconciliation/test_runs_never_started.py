"""A run that was given out and never began, as where Temporal was down, is begun by the night."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import transaction
from database.reconciliation import runs
from tests.integration.reconciliation.nights import Nights, march, mt940
from workflows.reconciliation.messages import OpenedNight, OpenNight, Run


@pytest.fixture
async def nights(engine: AsyncEngine, tmp_path: Path) -> Nights:
    return await Nights.begun(engine, tmp_path, "daily")


async def given_out(nights: Nights, day: date) -> Run:
    async with transaction(nights.engine) as connection:
        run = await runs.open_run(connection, nights.account, day)
    assert isinstance(run, Run)
    return run


async def night_of(nights: Nights, day: int) -> OpenedNight:
    at = datetime(2026, 3, day, 2, 30, tzinfo=UTC)
    asked = OpenNight(at=at, after=None, limit=10, request_key=f"night/{day}")
    async with transaction(nights.engine) as connection:
        return await runs.open_night(connection, asked)


@pytest.mark.parametrize("day", [2, 3, 5], ids=["certified before", "the day due", "a later one"])
async def test_each_night_begins_it_until_it_is_over(nights: Nights, day: int) -> None:
    await nights.send(mt940(1, 2, 2, {}, opening=0))
    await nights.night(march(2))
    run = await given_out(nights, march(day))
    for night in (6, 7):
        due = await night_of(nights, night)
        assert (due.runs, due.ranges, due.busy) == ((run,), (), 0)


async def test_the_days_that_are_due_follow_the_night_after(nights: Nights) -> None:
    run = await given_out(nights, march(2))
    assert (await night_of(nights, 5)).runs == (run,)
    await nights.send(mt940(1, 2, 2, {}, opening=0))
    await nights.night(march(2))
    [days] = (await night_of(nights, 6)).ranges
    assert (days.first, days.last) == (march(3), march(5))


async def test_one_that_has_begun_is_left_alone(nights: Nights) -> None:
    run = await given_out(nights, march(2))
    async with transaction(nights.engine) as connection:
        await runs.record_stage(connection, run, "gathering")
    due = await night_of(nights, 4)
    assert (due.runs, due.ranges, due.busy) == ((), (), 1)
