"""Every transition of an onboarding, and what an applicant's identity does to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import pytest

from tests.patience import SOON
from tests.workflow.conftest import Begin, Onboarding
from tests.workflow.scripted import (
    Scripted,
    down,
    email_policy,
    production_policy,
    refused,
    resolution,
    withdrawal,
)
from workflows.onboarding.confirmation import ConfirmationSteps
from workflows.onboarding.messages import (
    ENDS,
    TRANSITIONS,
    IdentityChanged,
    IdentityStatus,
    ReadSession,
)
from workflows.onboarding.policy import Policy
from workflows.onboarding.screening import ScreeningSteps
from workflows.onboarding.steps import ApplicationSteps, BillingSteps, IdentitySteps, NoticeSteps
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.progress import Progress
from workflows.step import declaration_of

STRAIGHT = [
    *("received", "validating", "verifying_email", "verifying_identity", "screening", "deciding"),
    *("provisioning", "welcoming", "active"),
]
STEP_OF: Mapping[str, Callable[..., object]] = {
    "received": ApplicationSteps.receive,
    "validating": ApplicationSteps.validate,
    "verifying_email": ConfirmationSteps.send,
    "verifying_identity": IdentitySteps.open_session,
    "screening": ScreeningSteps.screen,
    "deciding": ApplicationSteps.decide,
    "provisioning": BillingSteps.create_customer,
    "welcoming": NoticeSteps.welcome,
}
NO_CASE_HERE = {"reviewing", "awaiting_documents"}
"""Stages that come after a decision: see test_decision."""
PAIRS = sorted(
    (stage, after)
    for stage, following in TRANSITIONS.items()
    for after in following
    if not {stage, after} & NO_CASE_HERE and not (after == "validating" and stage != "received")
)


def hint(event: str = "evt_1") -> IdentityChanged:
    return IdentityChanged(event_id=event, session_id="vs_1")


async def prove_identity(one: Onboarding, event: str = "evt_1") -> None:
    await one.handle.signal(CustomerOnboarding.identity_changed, hint(event))


async def goes_on(world: Scripted, one: Onboarding, stage: str) -> None:
    await prove_identity(one)


async def is_withdrawn(world: Scripted, one: Onboarding, stage: str) -> None:
    """Withdraw while a step of the stage is in flight: it is never cancelled."""
    await prove_identity(one)
    name = declaration_of(STEP_OF[stage]).name
    released = world.held[name]
    await asyncio.wait_for(world.reached[name].wait(), SOON)
    taken = await one.decide(CustomerOnboarding.withdraw, withdrawal())
    assert taken.stopping == "to be withdrawn"
    released.set()


async def is_aborted(world: Scripted, one: Onboarding, stage: str) -> None:
    await prove_identity(one)
    progress = await one.until(lambda progress: progress.attention)
    assert progress.stage == stage
    part = "1" if stage == "verifying_email" else ""
    abort = resolution(STEP_OF[stage], "abort", part=part)
    await one.decide(CustomerOnboarding.resolve, abort)


async def expires(world: Scripted, one: Onboarding, stage: str) -> None:
    await one.until(lambda progress: progress.waiting is not None)
    policy = world.policy
    time = email_policy(policy) if stage == "verifying_email" else policy.identity
    await one.pass_time(time.expires_after + timedelta(seconds=1))


def expiring(after: timedelta) -> Policy:
    """The policy with other times for the applicant: each day of them takes a test a second."""
    policy = production_policy()
    email = email_policy(policy).model_copy(update={"expires_after": after})
    identity = policy.identity.model_copy(update={"expires_after": after})
    return policy.model_copy(update={"email": email, "identity": identity})


Case = Callable[[Scripted, Onboarding, str], Awaitable[None]]


def case_of(stage: str, after: str, world: Scripted) -> Case:
    """What makes an onboarding go from a stage to the one after it."""
    match after:
        case "withdrawn":
            world.hold(STEP_OF[stage])
            return is_withdrawn
        case "aborted":
            world.fail(STEP_OF[stage], refused())
            return is_aborted
        case "rejected" if stage == "validating":
            world.problems = ("country_not_served",)
            return goes_on
        case "rejected" if stage == "deciding":
            world.identity = IdentityStatus(status="canceled")
            return goes_on
        case "expired":
            world.policy = expiring(timedelta(days=2))
            world.identity = IdentityStatus(status="requires_input")
            return expires
        case "verifying_identity" if stage == "validating":  # as who began before does
            world.policy = world.policy.model_copy(update={"email": None})
            return goes_on
        case "deciding" if stage == "verifying_identity":
            world.policy = world.policy.model_copy(update={"screening": None})
            return goes_on
        case _ if STRAIGHT.index(after) == STRAIGHT.index(stage) + 1:
            return goes_on
    raise AssertionError(f"no test for {stage} → {after}")


@pytest.mark.parametrize(("stage", "after"), PAIRS)
async def test_every_transition_happens(onboarding: Begin, stage: str, after: str) -> None:
    world = Scripted()
    case = case_of(stage, after, world)
    confirms = (stage, after) != ("verifying_email", "expired")
    async with onboarding(world, confirms=confirms) as one:
        await case(world, one, stage)
        end = await asyncio.wait_for(one.handle.result(), SOON)
    passed = list(zip(["received", *world.stages], world.stages, strict=False))
    assert (stage, after) in passed
    assert set(passed) <= set(PAIRS)
    assert world.stages[-1] == end
    assert end in ENDS
    kept = {"active": 7, "rejected": 1 if stage == "deciding" else 0}.get(end, 0)
    assert len(world.made) == kept, "nothing is left of whoever did not become a customer"
    assert len(world.mails) == (end == "active")


async def test_without_a_tax_id_none_is_made(onboarding: Begin) -> None:
    world = Scripted(has_tax_id=False)
    async with onboarding(world) as one:
        await prove_identity(one)
        assert await one.handle.result() == "active"
    assert "billing.create_tax_id" not in world.calls


async def test_a_hint_that_comes_before_the_session_is_known_counts(onboarding: Begin) -> None:
    world = Scripted()
    released = world.hold(IdentitySteps.open_session)
    async with onboarding(world) as one:
        await prove_identity(one)
        released.set()
        assert await one.handle.result() == "active"


async def test_hints_twice_and_out_of_order_are_looked_at_once_each(onboarding: Begin) -> None:
    world = Scripted()
    world.identity = IdentityStatus(status="processing")
    async with onboarding(world) as one:
        for event in ("evt_2", "evt_1", "evt_2", "evt_1"):
            await prove_identity(one, event)
        await one.until(lambda progress: progress.waiting is not None)
        world.identity = IdentityStatus(status="verified", report_id="vr_1")
        await prove_identity(one, "evt_3")
        assert await one.handle.result() == "active"
    assert world.calls.count("identity.read_session") <= 3


async def test_identity_may_be_tried_again_but_not_for_ever(onboarding: Begin) -> None:
    world = Scripted()
    async with onboarding(world) as one:
        tries = world.policy.identity.tries
        for number in range(1, tries + 1):
            await one.until(lambda progress: progress.waiting is not None)
            world.identity = IdentityStatus(
                status="requires_input", report_id=f"vr_{number}", error="document_expired"
            )
            before = world.calls.count("identity.read_session")
            await prove_identity(one, f"evt_{number}")
            while world.calls.count("identity.read_session") == before:
                await asyncio.sleep(0.02)
        assert await one.handle.result() == "rejected"
    assert world.calls.count("identity.read_session") == tries


async def test_one_failed_try_told_twice_is_one_try(onboarding: Begin) -> None:
    world = Scripted()
    world.identity = IdentityStatus(
        status="requires_input", report_id="vr_1", error="document_expired"
    )
    async with onboarding(world) as one:
        for number in range(world.policy.identity.tries + 2):
            before = world.calls.count("identity.read_session")
            await prove_identity(one, f"evt_{number}")
            while world.calls.count("identity.read_session") == before:
                await asyncio.sleep(0.02)
        await one.until(lambda progress: progress.waiting is not None)
        world.identity = IdentityStatus(status="verified", report_id="vr_2")
        await prove_identity(one, "evt_last")
        assert await one.handle.result() == "active"


async def test_a_lost_hint_is_made_up_for_within_a_day(onboarding: Begin) -> None:
    world = Scripted()
    async with onboarding(world) as one:
        await one.until(lambda progress: progress.waiting is not None)
        await one.pass_time(timedelta(days=1, seconds=1))
        assert await one.handle.result() == "active"


async def test_a_session_that_waits_is_looked_at_each_day(onboarding: Begin) -> None:
    """Its link lasts two days: each look brings the applicant a new one."""
    world = Scripted()
    world.identity = IdentityStatus(status="requires_input")
    async with onboarding(world) as one:
        progress = await one.until(lambda progress: progress.waiting is not None)
        until = progress.waiting.until
        for day in (1, 2):
            assert world.calls.count("identity.read_session") == day - 1
            await one.pass_time(timedelta(days=1))
            async with asyncio.timeout(SOON):
                while world.calls.count("identity.read_session") < day:
                    await asyncio.sleep(0.02)
            progress = await one.until(lambda progress: progress.waiting is not None)
            assert abs(progress.waiting.until - until) < timedelta(seconds=5), "no time is won"
    looks = [request for request in world.requests if isinstance(request, ReadSession)]
    assert {look.application_id for look in looks} == {one.handle.id.rpartition("/")[2]}


async def test_no_session_is_looked_at_for_ever(onboarding: Begin) -> None:
    world = Scripted(expiring(timedelta(days=3)))
    world.identity = IdentityStatus(status="requires_input")
    async with onboarding(world, skip_time=True) as one:
        assert await asyncio.wait_for(one.handle.result(), SOON) == "expired"
    assert world.calls.count("identity.read_session") == 3


async def test_the_welcome_can_be_skipped_by_an_operator(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(NoticeSteps.welcome, refused("smtp.refused"))
    async with onboarding(world) as one:
        await prove_identity(one)
        progress = await one.until(lambda progress: progress.attention)
        assert progress.attention[0].choices == ("retry", "skip", "abort")
        await one.decide(CustomerOnboarding.resolve, resolution(NoticeSteps.welcome, "skip"))
        assert await one.handle.result() == "active"
        states = {step.step: step.state for step in (await one.progress()).steps}
        assert states["notice.welcome"] == "skipped"
    assert world.mails == []
    assert [kept.content["action"] for kept in world.decisions] == ["skip"]


async def test_weeks_of_parking_and_retrying_stay_short_in_history(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(BillingSteps.create_customer, *[refused(generation=n) for n in range(1, 6)])
    async with onboarding(world) as one:
        await prove_identity(one)
        for number in range(1, 6):

            def parked_again(progress: Progress, times: int = number) -> bool:
                tried = world.calls.count("billing.create_customer")
                return bool(progress.attention) and tried == times

            await one.until(parked_again)
            retry = resolution(BillingSteps.create_customer, "retry")
            await one.decide(CustomerOnboarding.resolve, retry)
        assert await one.handle.result() == "active"
        history = await one.handle.fetch_history()
    assert len(history.events) < 2000


async def test_an_outage_of_hours_is_waited_for_and_then_parks(onboarding: Begin) -> None:
    world = Scripted()
    world.fail_while(BillingSteps.create_customer, lambda: True)
    world.failing["billing.create_customer"] = [down() for _ in range(10_000)]
    async with onboarding(world) as one:
        await prove_identity(one)
        await asyncio.wait_for(world.reached["billing.create_customer"].wait(), SOON)
        progress = await one.progress()
        assert not progress.attention
        for _ in range(70):
            await one.pass_time(timedelta(minutes=1))
            progress = await one.progress()
            if progress.attention:
                break
        assert progress.attention[0].reason.kind == "out of time"
        assert progress.attention[0].reason.type == "stripe.connection"
        world.failing.clear()
        await one.decide(
            CustomerOnboarding.resolve, resolution(BillingSteps.create_customer, "retry")
        )
        assert await one.handle.result() == "active"
    generations = {
        request.generation
        for request in world.requests
        if request.request_key.endswith("billing.create_customer")
    }
    assert generations == {1}, "what became of it is not known: it is asked again as it was"
