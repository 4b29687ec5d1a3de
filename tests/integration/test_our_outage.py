"""Our own database hangs: people are answered, processes wait, nothing parks or is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from tests.house import House
from tests.integration.gateway.conftest import gateway_of
from tests.integration.test_worker import at_stripe, prove_identity, started, until
from tests.patience import SOON
from workflows.onboarding.workflow import CustomerOnboarding

AT_ONCE = 3.0
"""Seconds: well under what a database that hangs is waited for."""

pytestmark = [pytest.mark.slow, pytest.mark.alone]


@asynccontextmanager
async def hanging(house: House) -> AsyncIterator[None]:
    """Our database answers nothing that concerns a request, a stage or a decision."""
    connection = await asyncpg.connect(house.settings.database_url)
    lock = connection.transaction()
    await lock.start()
    tables = "requests, onboardings, applications, decisions, audit, lost_runs, api_requests"
    await connection.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
    try:
        yield
    finally:
        await lock.rollback()
        await connection.close()


async def test_a_person_is_answered_at_once_while_our_database_hangs(house: House) -> None:
    async with house.working(max_cached_workflows=100), gateway_of(house) as gateway:
        application, handle = await started(house)
        await until(handle, lambda progress: progress.waiting)
        async with hanging(house):
            begun = time.monotonic()
            answer = await gateway.service.post(
                f"/v1/onboardings/{application}/withdraw", {"reason": "changed their mind"}
            )
            assert time.monotonic() - begun < AT_ONCE
            assert answer.status_code == 202
            assert answer.json()["stopping"] == "to be withdrawn"
            await asyncio.sleep(1.5)
            # It hangs on our database now; whoever comes next is answered as quickly.
            begun = time.monotonic()
            again = await gateway.service.post(
                f"/v1/onboardings/{application}/withdraw", {"reason": "changed their mind"}
            )
            assert time.monotonic() - begun < AT_ONCE
            assert again.status_code == 202
        assert await asyncio.wait_for(handle.result(), SOON) == "withdrawn"
    kept = await house.rows("SELECT * FROM decisions WHERE kind = 'withdraw'")
    assert [row["actor"] for row in kept] == ["test-service"]


async def test_a_parked_step_is_resolved_while_our_database_hangs(house: House) -> None:
    async with house.working(max_cached_workflows=100), gateway_of(house) as gateway:
        _, handle = await started(house)
        await until(handle, lambda progress: progress.waiting)
        await house.outside.fault("error_503", path="/v1/customers*", times=None)
        await prove_identity(house, handle)
        await until(handle, lambda progress: progress.attention)
        await house.outside.clear_faults()
        async with hanging(house):
            begun = time.monotonic()
            answer = await gateway.operator.post(
                "/v1/attention/resolve",
                {
                    "workflow_id": handle.id,
                    "step": "billing.create_customer",
                    "action": "retry",
                    "reason": "Stripe is back",
                },
            )
            assert time.monotonic() - begun < AT_ONCE
            assert answer.is_success
            await asyncio.sleep(1)
        assert await asyncio.wait_for(handle.result(), SOON) == "active"
    assert len(await at_stripe(house, "/v1/customers", handle.id)) == 1


async def test_an_outage_of_ours_longer_than_every_budget_parks_nothing(house: House) -> None:
    """It hangs in the middle of a remote step: only the outside's failures use its budget up."""
    async with house.working(max_cached_workflows=100):
        _, handle = await started(house)
        await until(handle, lambda progress: progress.waiting)
        await house.outside.fault("error_503", path="/v1/customers*", times=None)
        await prove_identity(house, handle)
        await until(handle, lambda progress: progress.stage == "provisioning")
        async with hanging(house):
            await house.outside.clear_faults()
            await asyncio.sleep(10)  # longer than the 8 s that remote steps have in this profile
            progress = await handle.query(CustomerOnboarding.progress)
            assert not progress.attention
            states = {step.step: step.state for step in progress.steps}
            assert states["billing.create_customer"] == "running"
        assert await asyncio.wait_for(handle.result(), SOON) == "active"
        history = await handle.fetch_history()
    assert len(history.events) < 150, "waiting for our database does not fill the history"
    assert len(await at_stripe(house, "/v1/customers", handle.id)) == 1
