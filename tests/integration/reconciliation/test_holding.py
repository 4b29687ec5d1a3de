"""Who has an account's books in hand, and who waits for that and who does not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.reconciliation.compare import InputsOf, MatchActivities
from activities.reconciliation.gathered import GatheredInputs
from activities.reconciliation.shadow import ShadowActivities
from database.connection import transaction
from database.reconciliation import runs
from database.reconciliation.accounts import Account
from tests.integration.reconciliation.books import TERMS
from tests.integration.reconciliation.nights import Nights, march
from tests.patience import SOON
from workflows.reconciliation.inputs import Inputs, Told
from workflows.reconciliation.messages import ForRun, OpenNight, Run


@pytest.fixture
async def nights(engine: AsyncEngine, tmp_path: Path) -> Nights:
    return await Nights.begun(engine, tmp_path, "daily")


def inputs_after(meanwhile: Callable[[], Awaitable[None]]) -> InputsOf:
    """What is gathered, read after something else was done."""

    async def inputs_of(
        connection: AsyncConnection, account: Account, run: Run, rules: Mapping[str, str]
    ) -> tuple[Inputs, Sequence[Told]]:
        await meanwhile()
        return await GatheredInputs(TERMS)(connection, account, run, rules)

    return inputs_of


async def opened(nights: Nights, day: int) -> ForRun:
    async with transaction(nights.engine) as connection:
        run = await runs.open_run(connection, nights.account, march(day))
    assert isinstance(run, Run)
    return ForRun(run=run, request_key=f"{run.workflow_id}/test")


@pytest.mark.parametrize("asked", ["a run", "a shadow"])
async def test_what_comes_in_while_inputs_are_read_is_in_none_of_them(
    nights: Nights, asked: Literal["a run", "a shadow"]
) -> None:
    """Else a statement would count of which the entries do not, or the other way round."""
    intakes: list[asyncio.Task[None]] = []

    async def come_in() -> None:
        intakes.append(asyncio.create_task(nights.move(march(2), "charge", "late", 500)))
        await asyncio.sleep(0.3)
        assert not intakes[0].done()

    request = await opened(nights, 2)
    step, inputs_of = ActivityEnvironment(), inputs_after(come_in)
    if asked == "a run":
        cut = await step.run(MatchActivities(nights.engine, TERMS, inputs_of).fix, request)
        assert cut.items == {}
    else:
        shadow = ShadowActivities(nights.engine, TERMS, inputs_of)
        found = await step.run(shadow.compare, request)
        assert found.breaks == {}
    await intakes[0]


async def test_a_night_opens_the_day_of_an_account_that_somebody_tries_out(
    nights: Nights,
) -> None:
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await goes_on.wait()

    run = Run(account=nights.account.name, day=march(2), ordinal=1)
    request = ForRun(run=run, request_key="a test")
    shadow = ShadowActivities(nights.engine, TERMS, inputs_after(wait))
    tried = asyncio.ensure_future(ActivityEnvironment().run(shadow.compare, request))
    await begun.wait()
    night = OpenNight(
        at=datetime(2026, 3, 3, 2, 30, tzinfo=UTC), after=None, limit=10, request_key="night"
    )
    try:
        async with asyncio.timeout(SOON), transaction(nights.engine) as connection:
            due = await runs.open_night(connection, night)
    finally:
        goes_on.set()
    assert (due.runs, due.busy) == ((run,), 0)
    assert (await tried).status == (await nights.night(march(2))).status
