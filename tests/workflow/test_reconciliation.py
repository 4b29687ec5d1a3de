"""A run goes from the sources to the posting, and what goes wrong on the way leaves nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.workflow.conftest import Onboarding
from tests.workflow.scripted import refused, resolution
from tests.workflow.scripted_reconciliation import ScriptedBooks, run_withdrawal
from workers.sandbox import workflow_runner
from workflows.reconciliation.books import Status
from workflows.reconciliation.messages import END_OF, Run
from workflows.reconciliation.steps import GatherSteps, PostSteps, ProofSteps
from workflows.reconciliation.workflow import ReconcileAccount
from workflows.step import Declaration, bulk_queue, declaration_of, implementations

DAY = date(2026, 3, 2)


@asynccontextmanager
async def working(skipping: WorkflowEnvironment, world: ScriptedBooks) -> AsyncIterator[str]:
    """Workers of the two queues, as ours are set up; answers the queue of the processes."""
    queue = str(uuid4())
    steps = implementations(world)

    def kind(one: Any) -> str:
        declared: Declaration = declaration_of(one)
        return declared.kind

    async with (
        Worker(
            skipping.client,
            task_queue=queue,
            workflows=[ReconcileAccount],
            activities=[one for one in steps if kind(one) != "bulk"],
            max_cached_workflows=100,
            workflow_runner=workflow_runner(),
        ),
        Worker(
            skipping.client,
            task_queue=bulk_queue(queue),
            activities=[one for one in steps if kind(one) == "bulk"],
        ),
    ):
        yield queue


@asynccontextmanager
async def reconciliation(
    skipping: WorkflowEnvironment, world: ScriptedBooks, *, skip_time: bool = True
) -> AsyncIterator[Onboarding]:
    run = Run(account=f"acme-{uuid4().hex[:8]}", day=DAY, ordinal=1)

    async def begin(queue: str) -> WorkflowHandle[Any, str]:
        return await skipping.client.start_workflow(
            ReconcileAccount.run, run, id=run.workflow_id, task_queue=queue
        )

    async with working(skipping, world) as queue:
        if skip_time:
            handle = await begin(queue)
        else:
            with skipping.with_time_skipping_disabled():
                handle = await begin(queue)
        try:
            yield Onboarding(skipping, world, handle)
        finally:
            with suppress(RPCError):
                await handle.terminate("test over")


@pytest.mark.parametrize("status", ["BALANCED", "BREAKS"])
async def test_what_is_proven_is_certified_and_then_posted(
    skipping: WorkflowEnvironment, status: Status
) -> None:
    world = ScriptedBooks(status)
    async with reconciliation(skipping, world) as one:
        assert await one.handle.result() == END_OF[status]
        assert world.stages == [
            *("gathering", "matching", "proving", "certifying", "posting"),
            END_OF[status],
        ]
        assert [one.status for one in world.certified] == [status]
        assert len(world.posted) == 1
        certified, posted = world.calls.index("proof.certify"), world.calls.index("post.post")
        assert certified < posted, "evidence is never made by the run that it proves"
        assert bool(world.told) == (status == "BREAKS"), "nobody is told where nothing is wrong"


@pytest.mark.parametrize("status", ["INCOMPLETE", "PROOF_FAILED"])
async def test_nothing_is_posted_where_nothing_is_proven(
    skipping: WorkflowEnvironment, status: Status
) -> None:
    world = ScriptedBooks(status)
    async with reconciliation(skipping, world) as one:
        assert await one.handle.result() == END_OF[status]
        assert [one.status for one in world.certified] == [status]
        assert world.posted == []
        assert [told.status for told in world.told] == [status]


@pytest.mark.parametrize("status", ["BALANCED", "BREAKS", "INCOMPLETE"])
async def test_where_nothing_has_changed_the_earlier_certificate_stands(
    skipping: WorkflowEnvironment, status: Status
) -> None:
    world = ScriptedBooks()
    world.earlier = status
    async with reconciliation(skipping, world) as one:
        assert await one.handle.result() == END_OF[status]
        assert not {"match.match", "proof.prove", "proof.certify"} & set(world.calls)


async def test_the_sources_are_gathered_side_by_side(skipping: WorkflowEnvironment) -> None:
    world = ScriptedBooks()
    held = world.hold(GatherSteps.processor)
    async with reconciliation(skipping, world, skip_time=False) as one:
        await world.reached["gather.statements"].wait()
        await world.reached["gather.journal"].wait()
        assert "cut.fix" not in world.calls, "the inputs are fixed when all are there"
        held.set()
        assert await one.handle.result() == "balanced"


async def test_a_run_can_be_taken_back_until_it_is_certified(skipping: WorkflowEnvironment) -> None:
    world = ScriptedBooks()
    held = world.hold(ProofSteps.prove)
    async with reconciliation(skipping, world, skip_time=False) as one:
        await world.reached["proof.prove"].wait()
        taken = await one.decide(ReconcileAccount.withdraw, run_withdrawal())
        assert taken.stopping == "to be withdrawn"
        held.set()
        assert await one.handle.result() == "withdrawn"
        assert not world.certified
        assert not world.posted


async def test_what_is_certified_stands(skipping: WorkflowEnvironment) -> None:
    world = ScriptedBooks()
    held = world.hold(PostSteps.post)
    async with reconciliation(skipping, world, skip_time=False) as one:
        await world.reached["post.post"].wait()
        assert await one.why_not(ReconcileAccount.withdraw, run_withdrawal()) == "TooLate"
        await one.handle.cancel()
        held.set()
        assert await one.handle.result() == "balanced"


async def test_a_source_that_cannot_be_read_waits_for_somebody(
    skipping: WorkflowEnvironment,
) -> None:
    world = ScriptedBooks()
    world.fail(GatherSteps.statements, refused("statement.refused"))
    async with reconciliation(skipping, world, skip_time=False) as one:
        progress = await one.until(lambda progress: progress.attention)
        assert progress.attention[0].step == "gather.statements"
        await one.decide(ReconcileAccount.resolve, resolution(GatherSteps.statements, "retry"))
        assert await one.handle.result() == "balanced"


async def test_a_posting_that_is_refused_may_be_left_to_the_next_run(
    skipping: WorkflowEnvironment,
) -> None:
    world = ScriptedBooks("BREAKS")
    world.fail(PostSteps.post, refused("period.locked"))
    async with reconciliation(skipping, world, skip_time=False) as one:
        progress = await one.until(lambda progress: progress.attention)
        assert progress.attention[0].choices == ("retry", "skip")
        await one.decide(ReconcileAccount.resolve, resolution(PostSteps.post, "skip"))
        assert await one.handle.result() == "breaks"


async def test_an_aborted_run_is_not_certified(skipping: WorkflowEnvironment) -> None:
    world = ScriptedBooks()
    world.fail(ProofSteps.prove, refused("defect"))
    async with reconciliation(skipping, world, skip_time=False) as one:
        await one.until(lambda progress: progress.attention)
        await one.decide(ReconcileAccount.resolve, resolution(ProofSteps.prove, "abort"))
        assert await one.handle.result() == "aborted"
        assert not world.certified
        assert not world.posted


async def test_a_history_holds_ids_and_stays_short(skipping: WorkflowEnvironment) -> None:
    world = ScriptedBooks("BREAKS")
    async with reconciliation(skipping, world) as one:
        await one.handle.result()
        history = await one.handle.fetch_history()
        assert len(history.events) < 150
