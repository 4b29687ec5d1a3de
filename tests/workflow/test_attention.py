"""A process that needs people: what it asks them, and which decisions it takes."""

from __future__ import annotations

import asyncio
import time

import pytest
from temporalio.exceptions import ApplicationError

from tests.patience import SOON
from tests.workflow.conftest import Begin
from tests.workflow.scripted import Scripted, refused, resolution, signed, withdrawal
from tests.workflow.test_onboarding import prove_identity
from workflows.decisions import ProcessSteps, Taken
from workflows.onboarding.messages import CreateCustomer, Withdrawal
from workflows.onboarding.steps import ApplicationSteps, BillingSteps
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.step import OUR_OUTAGE, declaration_of

RESOLVE, WITHDRAW = CustomerOnboarding.resolve, CustomerOnboarding.withdraw
CREATE = BillingSteps.create_customer


async def test_a_refused_step_parks_and_says_what_why_and_who(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(CREATE, refused("stripe.invalid_request"))
    async with onboarding(world) as one:
        await prove_identity(one)
        progress = await one.until(lambda progress: progress.attention)
        parked = progress.attention[0]
        assert parked.step == "billing.create_customer"
        assert parked.owner == "operator"
        assert (parked.reason.kind, parked.reason.type) == ("refused", "stripe.invalid_request")
        assert parked.choices == ("retry", "abort")
        details = progress.as_markdown()
        assert "Create the customer in billing" in details
        assert "stripe.invalid_request" in details
        assert "operator" in details
        attributes = await one.attributes_when(lambda found: "Attention" in found)
        assert attributes["Attention"] == ["billing.create_customer"]
        assert attributes["Owner"] == ["operator"]
        assert attributes["AttentionSince"]
        await one.decide(RESOLVE, resolution(CREATE, "retry"))
        assert await one.handle.result() == "active"
        assert await one.attributes_when(lambda found: "Attention" not in found)
    assert len(world.notices) == 1


async def test_the_retry_of_a_refused_request_is_a_new_generation_of_it(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(CREATE, refused(generation=3))
    async with onboarding(world) as one:
        await prove_identity(one)
        await one.until(lambda progress: progress.attention)
        await one.decide(RESOLVE, resolution(CREATE, "retry", version=2))
        assert await one.handle.result() == "active"
    asked = [request for request in world.requests if isinstance(request, CreateCustomer)]
    assert [(request.generation, request.version) for request in asked] == [(1, 1), (4, 2)]
    assert len({request.request_key for request in asked}) == 1
    later = [r for r in world.requests if r.request_key.endswith("notice.welcome")]
    assert [request.version for request in later] == [2], "a correction holds for what follows"


async def test_a_request_of_unknown_outcome_cannot_be_corrected(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(CREATE, ApplicationError("no", type="Conflict", non_retryable=True))
    async with onboarding(world) as one:
        await prove_identity(one)
        await one.until(lambda progress: progress.attention)
        assert (
            await one.why_not(RESOLVE, resolution(CREATE, "retry", version=2)) == "NotCorrectable"
        )
        await one.decide(RESOLVE, resolution(CREATE, "abort"))
        assert await one.handle.result() == "aborted"


async def test_only_what_is_parked_can_be_resolved_and_only_as_offered(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(CREATE, refused())
    async with onboarding(world) as one:
        assert await one.why_not(RESOLVE, resolution(CREATE, "retry")) == "NotParked"
        await prove_identity(one)
        await one.until(lambda progress: progress.attention)
        assert await one.why_not(RESOLVE, resolution(CREATE, "skip")) == "NotAChoice"
        await one.decide(RESOLVE, resolution(CREATE, "abort"))
        assert await one.handle.result() == "aborted"


async def test_of_two_decisions_at_once_one_is_taken(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(CREATE, refused())
    async with onboarding(world) as one:
        await prove_identity(one)
        await one.until(lambda progress: progress.attention)
        both = await asyncio.gather(
            one.decide(RESOLVE, resolution(CREATE, "retry")),
            one.decide(RESOLVE, resolution(CREATE, "retry")),
            return_exceptions=True,
        )
        assert await one.handle.result() == "active"
    taken = [answer for answer in both if isinstance(answer, Taken)]
    assert len(taken) == 1
    assert len(world.decisions) == 1


async def test_a_decision_that_nobody_vouches_for_changes_nothing(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(CREATE, refused())
    forged = ApplicationError("not ours", type="ActorRefused", non_retryable=True)
    async with onboarding(world) as one:
        world.fail(ProcessSteps.verify_actor, forged, forged)
        await prove_identity(one)
        await one.until(lambda progress: progress.attention)
        assert await one.why_not(RESOLVE, resolution(CREATE, "abort")) == "ActorRefused"
        assert await one.why_not(WITHDRAW, withdrawal()) == "ActorRefused"
        assert (await one.progress()).stopping is None
        await one.decide(RESOLVE, resolution(CREATE, "retry"))
        assert await one.handle.result() == "active"


def test_a_reason_names_nobody() -> None:
    for reason in ("", "ask ann@example.com", "call 0044 20 7946 0000"):
        with pytest.raises(ValueError, match="reason"):
            Withdrawal(reason=reason, by=signed("1"))


async def test_a_notice_that_cannot_be_sent_parks_nothing_more(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(CREATE, refused())
    world.fail(ProcessSteps.notify, refused("smtp.refused"))
    async with onboarding(world) as one:
        await prove_identity(one)
        await one.until(lambda progress: progress.attention)
        await one.decide(RESOLVE, resolution(CREATE, "retry"))
        assert await one.handle.result() == "active"


async def test_our_own_outage_uses_up_no_budget_of_a_remote_step(onboarding: Begin) -> None:
    world = Scripted()
    outage = ApplicationError("our database does not answer", type=OUR_OUTAGE)
    world.fail(CREATE, outage, outage, outage)
    world.fail(ProcessSteps.database_answers, outage, outage)
    async with onboarding(world) as one:
        await prove_identity(one)
        assert await asyncio.wait_for(one.handle.result(), SOON) == "active"
    assert world.calls.count("billing.create_customer") == 4
    assert world.calls.count("process.database_answers") >= 3
    assert world.notices == []


async def test_local_steps_are_done_at_once_and_are_no_activities_of_the_server(
    onboarding: Begin,
) -> None:
    world = Scripted()
    async with onboarding(world) as one:
        await prove_identity(one)
        assert await one.handle.result() == "active"
        history = await one.handle.fetch_history()
    scheduled = {
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    }
    assert declaration_of(BillingSteps.create_customer).name in scheduled
    assert set(world.calls) - scheduled, "on a slow machine one may take too long, but not all"


async def test_a_local_step_waits_for_our_database_and_never_parks(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(ApplicationSteps.decide, *[ApplicationError("down", type=OUR_OUTAGE)] * 4)
    async with onboarding(world) as one:
        await prove_identity(one)
        assert await asyncio.wait_for(one.handle.result(), SOON) == "active"
    assert world.calls.count("application.decide") == 5
    keys = {r.request_key for r in world.requests if r.request_key.endswith("application.decide")}
    assert len(keys) == 1
    assert world.notices == []


async def test_people_are_answered_at_once_while_our_database_hangs(
    onboarding: Begin,
) -> None:
    world = Scripted()
    released = world.hold(ApplicationSteps.record_stage)
    world.hold(ProcessSteps.record_decision)
    async with onboarding(world) as one:
        await asyncio.wait_for(world.reached["application.record_stage"].wait(), SOON)
        begun = time.monotonic()
        taken = await one.decide(WITHDRAW, withdrawal())
        assert time.monotonic() - begun < 5, "what is held would be waited for"
        assert taken.stopping == "to be withdrawn"
        released.set()
        world.held["process.record_decision"].set()
        assert await one.handle.result() == "withdrawn"
