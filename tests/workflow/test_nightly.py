"""A night starts what is due of every account; a range goes through its days in their order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import ParentClosePolicy
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleBackfill,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    ScheduleSpec,
    ScheduleState,
    WorkflowHandle,
)
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.workflow.scripted import refused
from tests.workflow.scripted_reconciliation import ScriptedBooks
from tests.workflow.test_customer_life import until
from workflows.reconciliation import nightly
from workflows.reconciliation.messages import Days, Night, Run
from workflows.reconciliation.nightly import Nightly, ReconcileDays
from workflows.reconciliation.steps import GatherSteps
from workflows.reconciliation.workflow import ReconcileAccount
from workflows.step import bulk_queue, declaration_of, implementations

DAY = date(2026, 3, 2)


@asynccontextmanager
async def working(skipping: WorkflowEnvironment, world: ScriptedBooks) -> AsyncIterator[str]:
    queue = str(uuid4())
    steps = implementations(world)
    bulk = [one for one in steps if declaration_of(one).kind == "bulk"]
    async with (
        Worker(
            skipping.client,
            task_queue=queue,
            workflows=[Nightly, ReconcileDays, ReconcileAccount],
            activities=[one for one in steps if one not in bulk],
            workflow_runner=UnsandboxedWorkflowRunner(),
            max_cached_workflows=100,
        ),
        Worker(skipping.client, task_queue=bulk_queue(queue), activities=bulk),
    ):
        yield queue


def names(count: int) -> list[str]:
    own = uuid4().hex[:8]
    return [f"{own}-{at}" for at in range(count)]


async def test_a_night_starts_a_run_of_each_account_and_ends_before_they_do(
    skipping: WorkflowEnvironment,
) -> None:
    world = ScriptedBooks()
    accounts = names(3)
    world.due = dict.fromkeys(accounts, (DAY, DAY))
    held = world.hold(GatherSteps.processor)
    async with working(skipping, world) as queue:
        with skipping.with_time_skipping_disabled():
            night = await skipping.client.start_workflow(
                Nightly.run, Night(at=datetime.now(UTC)), id=str(uuid4()), task_queue=queue
            )
        started = await night.result()
        assert started.accounts == 3
        history = await night.fetch_history()
        children = [
            event.start_child_workflow_execution_initiated_event_attributes
            for event in history.events
            if event.HasField("start_child_workflow_execution_initiated_event_attributes")
        ]
        assert [one.workflow_id for one in children] == [
            f"reconciliation/{name}/2026-03-02/1" for name in accounts
        ]
        abandoned = ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON
        assert {one.parent_close_policy for one in children} == {abandoned}
        held.set()
        for one in children:
            ended: WorkflowHandle[Any, str] = skipping.client.get_workflow_handle(one.workflow_id)
            assert await ended.result() == "balanced"


async def test_an_account_whose_run_waits_for_somebody_holds_up_no_other(
    skipping: WorkflowEnvironment,
) -> None:
    world = ScriptedBooks()
    stuck, free = names(2)
    world.due = {stuck: (DAY, DAY)}
    world.fail(GatherSteps.processor, refused("stripe.permission"))
    async with working(skipping, world) as queue:

        async def night() -> Any:
            with skipping.with_time_skipping_disabled():
                handle = await skipping.client.start_workflow(
                    Nightly.run, Night(at=datetime.now(UTC)), id=str(uuid4()), task_queue=queue
                )
            return await handle.result()

        assert (await night()).accounts == 1
        await until(lambda: world.notices)
        world.due = {stuck: (DAY, DAY + timedelta(days=1)), free: (DAY, DAY)}
        second = await night()
        assert (second.accounts, second.busy) == (1, 1)
        await until(lambda: world.ended == [(free, DAY, "balanced")])


async def test_a_run_that_was_ended_from_outside_is_an_operators_and_no_nights(
    skipping: WorkflowEnvironment,
) -> None:
    world = ScriptedBooks()
    [name] = names(1)
    run = Run(account=name, day=DAY, ordinal=1)
    async with working(skipping, world) as queue:
        with skipping.with_time_skipping_disabled():
            lost = await skipping.client.start_workflow(
                ReconcileAccount.run, run, id=run.workflow_id, task_queue=str(uuid4())
            )
            await lost.terminate()
        world.due = {name: (DAY, DAY)}
        started = await skipping.client.execute_workflow(
            Nightly.run, Night(at=datetime.now(UTC)), id=str(uuid4()), task_queue=queue
        )
        assert (started.accounts, started.busy) == (0, 1)
        assert not world.stages


async def test_many_accounts_are_started_in_parts(
    skipping: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "ACCOUNTS_AT_A_TIME", 2)
    world = ScriptedBooks()
    world.due = dict.fromkeys(names(5), (DAY, DAY))
    async with working(skipping, world) as queue:
        started = await skipping.client.execute_workflow(
            Nightly.run, Night(at=datetime.now(UTC)), id=str(uuid4()), task_queue=queue
        )
        assert started.accounts == 5
        assert len({one.at for one in world.nights}) == 1, "all of them for the same night"
        await until(lambda: len(world.ended) == 5)


async def test_days_of_a_range_go_in_their_order_across_runs(
    skipping: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "DAYS_AT_A_TIME", 2)
    world = ScriptedBooks("BREAKS")
    (account,) = names(1)
    days = Days(account=account, first=DAY, last=DAY + timedelta(days=4))
    async with working(skipping, world) as queue:
        done = await skipping.client.execute_workflow(
            ReconcileDays.run, days, id=str(uuid4()), task_queue=queue
        )
    assert dict(done.ended) == {"breaks": 5}
    assert world.ended == [(account, DAY + timedelta(days=at), "breaks") for at in range(5)]


async def test_a_range_ends_where_a_run_of_the_account_is_open(
    skipping: WorkflowEnvironment,
) -> None:
    world = ScriptedBooks()
    (account,) = names(1)
    world.open_runs[account] = Run(account=account, day=DAY, ordinal=1)
    days = Days(account=account, first=DAY, last=DAY)
    async with working(skipping, world) as queue:
        done = await skipping.client.execute_workflow(
            ReconcileDays.run, days, id=str(uuid4()), task_queue=queue
        )
    assert dict(done.ended) == {"busy": 1}
    assert world.ended == []


async def test_a_night_is_of_the_time_it_was_scheduled_for(skipping: WorkflowEnvironment) -> None:
    world = ScriptedBooks()
    meant = datetime(2026, 3, 3, 2, 30, tzinfo=UTC)
    async with working(skipping, world) as queue:
        schedule = await skipping.client.create_schedule(
            f"nights-{uuid4()}",
            Schedule(
                action=ScheduleActionStartWorkflow(
                    Nightly.run, Night(), id=f"night-{uuid4()}", task_queue=queue
                ),
                spec=ScheduleSpec(
                    intervals=[
                        ScheduleIntervalSpec(
                            every=timedelta(days=1), offset=timedelta(hours=2, minutes=30)
                        )
                    ]
                ),
                state=ScheduleState(paused=True),
            ),
        )
        try:
            await schedule.backfill(
                ScheduleBackfill(
                    start_at=meant - timedelta(minutes=1),
                    end_at=meant + timedelta(minutes=1),
                    overlap=ScheduleOverlapPolicy.ALLOW_ALL,
                )
            )
            await until(lambda: world.nights)
        finally:
            await schedule.delete()
    assert [one.at for one in world.nights] == [meant]
