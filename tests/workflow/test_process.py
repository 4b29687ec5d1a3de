"""How a process is stopped and undone, and what its story may not do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from pydantic import BaseModel
from temporalio import workflow
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.patience import SOON
from tests.workflow.conftest import Begin, progress_of
from tests.workflow.scripted import Scripted, refused, resolution, signed, withdrawal
from tests.workflow.test_onboarding import prove_identity
from workers.sandbox import workflow_runner
from workflows.decisions import Resolution
from workflows.onboarding.messages import CreateCustomer, ForApplication
from workflows.onboarding.steps import ApplicationSteps, BillingSteps, IdentitySteps, NoticeSteps
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.process import Process
from workflows.request_key import Request
from workflows.step import declaration_of, implementations

RESOLVE, WITHDRAW = CustomerOnboarding.resolve, CustomerOnboarding.withdraw
CREATE = BillingSteps.create_customer


# Stopping and undo


async def test_a_step_in_flight_is_never_cancelled(onboarding: Begin) -> None:
    """A withdrawal in the very moment of a create: it is made, seen, and taken back."""
    world = Scripted()
    released = world.hold(CREATE)
    async with onboarding(world) as one:
        await prove_identity(one)
        await asyncio.wait_for(world.reached["billing.create_customer"].wait(), SOON)
        await one.decide(WITHDRAW, withdrawal())
        await one.handle.cancel()
        await asyncio.sleep(0.3)
        assert "billing.delete_customer" not in world.calls
        released.set()
        assert await one.handle.result() == "withdrawn"
    assert world.made == {}
    assert "billing.create_tax_id" not in world.calls, "a stopping process begins nothing new"


async def test_undo_runs_in_reverse_with_what_failed_too(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(BillingSteps.create_tax_id, refused())
    async with onboarding(world) as one:
        await prove_identity(one)
        await one.until(lambda progress: progress.attention)
        await one.decide(RESOLVE, resolution(BillingSteps.create_tax_id, "abort"))
        assert await one.handle.result() == "aborted"
    ours = ("billing.delete_", "identity.close_")
    undone = [call for call in world.calls if call.startswith(ours)]
    assert undone == ["billing.delete_tax_id", "billing.delete_customer", "identity.close_session"]
    assert world.made == {}


async def test_an_undo_that_fails_parks_and_can_be_repaired(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(BillingSteps.create_tax_id, refused())
    world.fail(BillingSteps.delete_customer, refused("stripe.auth"))
    async with onboarding(world) as one:
        await prove_identity(one)
        await one.until(lambda progress: progress.attention)
        await one.handle.cancel()
        delete = BillingSteps.delete_customer
        progress = await one.until(
            lambda progress: any(a.step == "billing.delete_customer" for a in progress.attention)
        )
        assert progress.attention[0].choices == ("retry", "skip"), "nothing to abort any more"
        assert progress.stopping == "to be withdrawn"
        await one.decide(RESOLVE, resolution(delete, "retry"))
        assert await one.handle.result() == "withdrawn"
    assert world.made == {}


async def test_an_undo_that_is_skipped_says_so_and_who_did_it_is_kept(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(BillingSteps.create_tax_id, refused())
    world.fail(BillingSteps.delete_customer, refused("stripe.auth"))
    skip = resolution(BillingSteps.delete_customer, "skip")
    async with onboarding(world) as one:
        await prove_identity(one)
        await one.until(lambda progress: progress.attention)
        await one.handle.cancel()
        await one.until(
            lambda progress: any(a.step == "billing.delete_customer" for a in progress.attention)
        )
        await one.decide(RESOLVE, skip)
        assert await one.handle.result() == "withdrawn"
        states = {step.step: step.state for step in (await one.progress()).steps}
    assert states["billing.delete_customer"] == "skipped"
    assert states["billing.delete_tax_id"] == "succeeded"
    (kept,) = world.decisions
    what = {"step": "billing.delete_customer", "action": "skip", "version": None, "since": None}
    assert kept.content == what, "who and why stand beside it"
    assert (kept.decision.reason, kept.decision.by) == (skip.reason, skip.by)
    assert (kept.workflow_id, kept.update) == (one.handle.id, "resolve")


@pytest.mark.parametrize("parked", [False, True])
async def test_cancellation_from_outside_is_a_withdrawal(
    onboarding: Begin, *, parked: bool
) -> None:
    world = Scripted()
    if parked:
        world.fail(CREATE, refused())
    async with onboarding(world) as one:
        if parked:
            await prove_identity(one)
            await one.until(lambda progress: progress.attention)
        else:
            await one.until(lambda progress: progress.waiting is not None)
        await one.handle.cancel()
        assert await one.handle.result() == "withdrawn"
    assert world.made == {}
    assert world.stages[-1] == "withdrawn"


async def test_cancellation_after_the_welcome_began_comes_too_late(onboarding: Begin) -> None:
    world = Scripted()
    released = world.hold(NoticeSteps.welcome)
    async with onboarding(world) as one:
        await prove_identity(one)
        await asyncio.wait_for(world.reached["notice.welcome"].wait(), SOON)
        await one.handle.cancel()
        assert await one.why_not(WITHDRAW, withdrawal()) == "TooLate"
        released.set()
        assert await one.handle.result() == "active"
    assert len(world.mails) == 1


async def test_withdrawing_twice_is_withdrawing_once(onboarding: Begin) -> None:
    world = Scripted()
    released = world.hold(IdentitySteps.open_session)
    async with onboarding(world) as one:
        await asyncio.wait_for(world.reached["identity.open_session"].wait(), SOON)
        first = await one.decide(WITHDRAW, withdrawal())
        second = await one.decide(WITHDRAW, withdrawal())
        assert first == second
        released.set()
        assert await one.handle.result() == "withdrawn"
    assert [kept.update for kept in world.decisions] == ["withdraw"]


# What a story may and may not do


class Nothing(BaseModel):
    """A process that knows nothing."""


@workflow.defn
class Pair(Process[Nothing]):
    """Customers made at the same time, by one step in several parts."""

    TRANSITIONS: ClassVar = {"received": frozenset({"active", "withdrawn", "aborted"})}
    UNDONE = frozenset({"withdrawn", "aborted"})

    @workflow.init
    def __init__(self, parts: list[str]) -> None:
        super().__init__("received", Nothing())

    @workflow.run
    async def run(self, parts: list[str]) -> str:
        return await self.carry_out(lambda: self.story(parts))

    async def story(self, parts: list[str]) -> str:
        received = await self.step(ApplicationSteps.receive, ForApplication(application_id="a"))
        self.budgets = received.policy.budgets
        await self.together(
            *(
                self.step(
                    CREATE,
                    CreateCustomer(application_id="a"),
                    part=part,
                    undo=BillingSteps.delete_customer,
                )
                for part in parts
            )
        )
        return "active"

    async def record_stage(self, stage: str) -> None:
        """A pair is on no list."""


async def pair(
    skipping: WorkflowEnvironment, world: Scripted, parts: list[str]
) -> tuple[Worker, WorkflowHandle[Pair, str]]:
    queue = str(uuid4())
    worker = Worker(
        skipping.client,
        task_queue=queue,
        workflows=[Pair],
        activities=implementations(world),
        max_cached_workflows=0,
        workflow_runner=workflow_runner(),
    )
    with skipping.with_time_skipping_disabled():
        handle = await skipping.client.start_workflow(
            Pair.run, parts, id=f"pair/{queue}", task_queue=queue
        )
    return worker, handle


async def test_a_group_settles_every_member_before_anything_is_undone(
    skipping: WorkflowEnvironment,
) -> None:
    world = Scripted()
    slow = asyncio.Event()
    order: list[str] = []

    async def played(step: Callable[..., object], request: Request) -> None:
        name = declaration_of(step).name
        if request.request_key.endswith("create_customer/1"):
            order.append("slow one begun")
            await slow.wait()
            order.append("slow one made")
        elif request.request_key.endswith("create_customer/2"):
            raise refused()
        elif name == "billing.delete_customer":
            order.append("undo")

    world._play = played  # type: ignore[method-assign]
    worker, handle = await pair(skipping, world, ["1", "2"])
    async with worker:
        async with asyncio.timeout(SOON):
            while not (await progress_of(handle)).attention:
                await asyncio.sleep(0.02)
        by = signed(str(uuid4()))
        abort = Resolution(reason="no", by=by, step="billing.create_customer/2", action="abort")
        await handle.execute_update("resolve", abort, id=by.update_id)
        await asyncio.sleep(0.3)
        assert "undo" not in order
        slow.set()
        assert await handle.result() == "aborted"
    assert order == ["slow one begun", "slow one made", "undo", "undo"]
    assert world.made == {}


async def test_two_parked_at_once_are_both_on_the_list(skipping: WorkflowEnvironment) -> None:
    world = Scripted()
    world.fail(CREATE, refused(), refused())
    worker, handle = await pair(skipping, world, ["1", "2"])
    async with worker:
        listed: Sequence[Any] = ()
        async with asyncio.timeout(SOON):
            while len(listed) < 2:  # a query is answered before the server has the attributes
                await asyncio.sleep(0.02)
                listed = (await handle.describe()).search_attributes.get("Attention", ())
        assert sorted(listed) == ["billing.create_customer/1", "billing.create_customer/2"]
        for part in ("1", "2"):
            retry = resolution(CREATE, "retry", part=part)
            await handle.execute_update("resolve", retry, id=retry.by.update_id)
        assert await handle.result() == "active"


async def test_one_key_for_two_steps_fails_the_task_and_not_the_process(
    skipping: WorkflowEnvironment,
) -> None:
    world = Scripted()
    worker, handle = await pair(skipping, world, ["1", "1"])
    async with worker:
        async with asyncio.timeout(SOON):
            while True:
                history = await handle.fetch_history()
                failures = [
                    event.workflow_task_failed_event_attributes.failure.message
                    for event in history.events
                    if event.HasField("workflow_task_failed_event_attributes")
                ]
                if failures:
                    break
                await asyncio.sleep(0.05)
        assert "is used twice: tell the uses apart by part=" in failures[0]
        assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
    await handle.terminate()
