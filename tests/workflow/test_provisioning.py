"""Three systems at the same time: none waits for another, and all of it or nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.patience import SOON
from tests.workflow.conftest import Begin, Onboarding
from tests.workflow.scripted import Scripted, refused, resolution, withdrawal
from workflows.onboarding.messages import IdentityChanged
from workflows.onboarding.steps import BillingSteps, CrmSteps, DirectorySteps
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.progress import Progress
from workflows.step import declaration_of

Step = Callable[..., object]
FIRST: list[Step] = [
    BillingSteps.create_customer,
    DirectorySteps.create_user,
    CrmSteps.create_contact,
]
SECOND: list[Step] = [
    BillingSteps.create_tax_id,
    DirectorySteps.join_group,
    CrmSteps.create_company,
]
UNDONE_BEFORE = [
    ("billing.delete_tax_id", "billing.delete_customer"),
    ("directory.leave_group", "directory.delete_user"),
    ("crm.archive_company", "crm.archive_contact"),
]
"""What hangs on something is taken away before it."""


def named(step: Step) -> str:
    return declaration_of(step).name


async def provision(one: Onboarding) -> None:
    hint = IdentityChanged(event_id="evt_1", session_id="vs_1")
    await one.handle.signal(CustomerOnboarding.identity_changed, hint)


async def reached(world: Scripted, *steps: Step) -> None:
    async with asyncio.timeout(SOON):
        await asyncio.gather(*(world.reached[named(step)].wait() for step in steps))


def succeeded(*steps: Step) -> Callable[[Progress], bool]:
    def so(progress: Progress) -> bool:
        states = {step.step: step.state for step in progress.steps}
        return all(states.get(named(step)) == "succeeded" for step in steps)

    return so


def undone(world: Scripted) -> list[str]:
    verbs = ("delete_", "leave_", "archive_", "close_")
    return [call for call in world.calls if call.partition(".")[2].startswith(verbs)]


async def test_all_three_are_begun_before_any_answers(onboarding: Begin) -> None:
    world = Scripted()
    released = [world.hold(step) for step in FIRST]
    async with onboarding(world) as one:
        await provision(one)
        await reached(world, *FIRST)
        for event in released:
            event.set()
        assert await one.handle.result() == "active"
    assert len(world.made) == 7


async def test_a_person_has_a_contact_and_no_company(onboarding: Begin) -> None:
    world = Scripted(is_company=False)
    async with onboarding(world) as one:
        await provision(one)
        assert await one.handle.result() == "active"
    assert "crm.create_contact" in world.calls
    assert "crm.create_company" not in world.calls


@pytest.mark.parametrize("step", [*FIRST, *SECOND], ids=named)
async def test_what_is_parked_in_one_system_holds_up_no_other(
    onboarding: Begin, step: Step
) -> None:
    world = Scripted()
    world.fail(step, refused("directory.conflict"))
    system = named(step).partition(".")[0]
    others = [each for each in (*FIRST, *SECOND) if not named(each).startswith(system)]
    async with onboarding(world) as one:
        await provision(one)
        progress = await one.until(
            lambda progress: progress.attention and succeeded(*others)(progress)
        )
        assert [parked.step for parked in progress.attention] == [named(step)]
        assert progress.attention[0].reason.type == "directory.conflict"
        assert progress.stage == "provisioning"
        await one.decide(CustomerOnboarding.resolve, resolution(step, "retry"))
        assert await one.handle.result() == "active"
    assert len(world.made) == 7


async def test_two_that_are_parked_are_decided_one_by_one(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(DirectorySteps.create_user, refused("directory.conflict"))
    world.fail(CrmSteps.create_contact, refused("crm.conflict"))
    async with onboarding(world) as one:
        await provision(one)
        await one.until(lambda progress: len(progress.attention) == 2)
        retry = resolution(CrmSteps.create_contact, "retry", version=2)
        await one.decide(CustomerOnboarding.resolve, retry)
        progress = await one.until(lambda progress: len(progress.attention) == 1)
        assert progress.attention[0].step == "directory.create_user"
        retry = resolution(DirectorySteps.create_user, "retry", version=2)
        await one.decide(CustomerOnboarding.resolve, retry)
        assert await one.handle.result() == "active"
    versions = _last_versions(world)
    assert versions["billing.create_customer"] == 1, "it was made before, and stays as it was"
    assert versions["crm.create_contact"] == versions["directory.create_user"] == 2
    assert versions["directory.join_group"] == versions["notice.welcome"] == 2


async def test_a_correction_that_does_not_exist_stays_out_of_the_other_systems(
    onboarding: Begin,
) -> None:
    world = Scripted()
    world.fail(BillingSteps.create_customer, refused(), refused("NoApplication", generation=2))
    released = world.hold(CrmSteps.create_contact)
    async with onboarding(world) as one:
        await provision(one)
        await one.until(lambda progress: progress.attention)
        retry = resolution(BillingSteps.create_customer, "retry", version=7)
        await one.decide(CustomerOnboarding.resolve, retry)
        await one.until(
            lambda progress: [each.reason.type for each in progress.attention] == ["NoApplication"]
        )
        released.set()
        await one.until(succeeded(CrmSteps.create_company))
        retry = resolution(BillingSteps.create_customer, "retry", version=2)
        await one.decide(CustomerOnboarding.resolve, retry)
        assert await one.handle.result() == "active"
    versions = _last_versions(world)
    assert versions["crm.create_company"] == 1
    assert versions["billing.create_customer"] == versions["notice.welcome"] == 2


async def test_an_abort_waits_for_what_is_under_way_and_undoes_all_three(
    onboarding: Begin,
) -> None:
    world = Scripted()
    world.fail(DirectorySteps.join_group, refused("directory.missing"))
    released = world.hold(CrmSteps.create_company)
    async with onboarding(world) as one:
        await provision(one)
        await reached(world, CrmSteps.create_company)
        await one.until(
            lambda progress: progress.attention and succeeded(BillingSteps.create_tax_id)(progress)
        )
        await one.decide(CustomerOnboarding.resolve, resolution(DirectorySteps.join_group, "abort"))
        progress = await one.until(lambda progress: not progress.attention)
        assert progress.stopping == "to be aborted"
        assert undone(world) == [], "nothing is undone while the CRM may still make something"
        released.set()
        assert await one.handle.result() == "aborted"
    assert world.made == {}
    order = undone(world)
    for first, then in UNDONE_BEFORE:
        assert order.index(first) < order.index(then)
    assert order[-1] == "identity.close_session"


async def test_a_withdrawal_gives_up_what_is_parked_and_undoes_all_three(
    onboarding: Begin,
) -> None:
    world = Scripted()
    world.fail(CrmSteps.create_contact, refused("crm.conflict"))
    async with onboarding(world) as one:
        await provision(one)
        await one.until(
            lambda progress: (
                progress.attention
                and succeeded(BillingSteps.create_tax_id, DirectorySteps.join_group)(progress)
            )
        )
        await one.decide(CustomerOnboarding.withdraw, withdrawal())
        assert await one.handle.result() == "withdrawn"
    assert world.made == {}
    assert "crm.archive_contact" in undone(world), "a refused step may have been done before"
    assert "crm.archive_company" not in undone(world), "it was never begun"


async def test_what_cannot_be_undone_is_put_before_somebody(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(CrmSteps.create_contact, refused("crm.conflict"))
    world.fail(DirectorySteps.delete_user, refused("directory.auth"))
    async with onboarding(world) as one:
        await provision(one)
        await one.until(
            lambda progress: progress.attention and succeeded(DirectorySteps.join_group)(progress)
        )
        await one.decide(CustomerOnboarding.resolve, resolution(CrmSteps.create_contact, "abort"))
        progress = await one.until(
            lambda progress: [each.step for each in progress.attention] == ["directory.delete_user"]
        )
        assert progress.attention[0].choices == ("retry", "skip")
        await one.decide(
            CustomerOnboarding.resolve, resolution(DirectorySteps.delete_user, "retry")
        )
        assert await one.handle.result() == "aborted"
    assert world.made == {}


def _last_versions(world: Scripted) -> dict[str, int]:
    """The version of the application that each step was last asked with."""
    return {request.request_key.rsplit("/", 1)[-1]: request.version for request in world.requests}
