"""The journal is sealed once older transactions have ended, wherever on the server they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.reconciliation.gather import UNSEALED, GatherActivities
from database.connection import engine_for, transaction
from database.reconciliation import runs
from tests.integration.reconciliation.nights import Nights, march
from tests.patience import SOON
from workflows.reconciliation.messages import ForRun, Run


@pytest.fixture
async def nights(engine: AsyncEngine, tmp_path: Path) -> Nights:
    return await Nights.begun(engine, tmp_path, "daily")


async def opened(nights: Nights, day: int) -> ForRun:
    async with transaction(nights.engine) as connection:
        run = await runs.open_run(connection, nights.account, march(day))
    assert isinstance(run, Run)
    return ForRun(run=run, request_key=f"{run.workflow_id}/test")


@asynccontextmanager
async def held_elsewhere(database: str) -> AsyncIterator[None]:
    """A transaction that writes is open in another database of the server."""
    other = make_url(database).set(database="postgres")
    engine = engine_for(other.render_as_string(hide_password=False))
    try:
        async with transaction(engine) as connection:
            await connection.execute(text("SELECT pg_current_xact_id()"))
            yield
    finally:
        await engine.dispose()


async def test_a_seal_waits_for_a_transaction_in_another_database(
    nights: Nights, database: str
) -> None:
    request = await opened(nights, 2)
    gather = GatherActivities(nights.engine, lambda _: None, nights.intake, ())
    async with held_elsewhere(database):
        await nights.charge(march(2), "ch_1", 500)
        step = asyncio.ensure_future(ActivityEnvironment().run(gather.journal, request))
        await asyncio.sleep(1.5)
        assert not step.done(), "it would be incomplete"
    gathered = await step
    assert (gathered.new, gathered.problems) == (1, ())


async def test_a_transaction_that_lasts_is_waited_for_as_long_as_patience_does(
    nights: Nights, database: str
) -> None:
    request = await opened(nights, 2)
    gather = GatherActivities(nights.engine, lambda _: None, nights.intake, (), patience=0.2)
    step = ActivityEnvironment()
    async with held_elsewhere(database):
        await nights.charge(march(2), "ch_1", 500)
        gathered = await step.run(gather.journal, request)
        assert (gathered.new, gathered.problems) == (0, (UNSEALED,))
    again = await step.run(gather.journal, request)
    assert (again.new, again.problems) == (1, ()), "it is run again"


async def test_what_is_booked_for_a_later_day_is_not_waited_for(
    nights: Nights, database: str
) -> None:
    request = await opened(nights, 2)
    gather = GatherActivities(nights.engine, lambda _: None, nights.intake, ())
    async with held_elsewhere(database), asyncio.timeout(SOON):
        await nights.charge(march(3), "ch_1", 500)
        gathered = await ActivityEnvironment().run(gather.journal, request)
    assert gathered.problems == ()
