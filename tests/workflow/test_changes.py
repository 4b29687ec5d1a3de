"""An application that changes midway is gone through again: what rested on it is void."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from tests.workflow.conftest import Begin, Onboarding
from tests.workflow.reviewing import TWO, approval
from tests.workflow.scripted import (
    Scripted,
    change,
    production_policy,
    refused,
    resolution,
    withdrawal,
)
from tests.workflow.scripted_documents import KINDS, ScriptedDocuments
from tests.workflow.test_confirmation import confirm, until_so, waits
from tests.workflow.test_decision import asked_for_documents, decided, reviewed
from tests.workflow.test_onboarding import prove_identity
from workflows.onboarding.documents import DocumentsChanged, DocumentSteps
from workflows.onboarding.messages import CHANGEABLE, TRANSITIONS, IdentityStatus
from workflows.onboarding.screening import ScreeningSteps
from workflows.onboarding.state import RESTS_ON, Standing
from workflows.onboarding.steps import (
    ApplicationSteps,
    BillingSteps,
    CrmSteps,
    DirectorySteps,
    IdentitySteps,
    NoticeSteps,
)
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.progress import Progress


def proving(progress: Progress) -> bool:
    return progress.stage == "verifying_identity" and progress.waiting is not None


def open_session(world: Scripted) -> None:
    """The applicant has yet to prove who they are."""
    world.identity = IdentityStatus(status="requires_input")


async def prove(world: Scripted, one: Onboarding, event: str = "evt_2") -> None:
    world.identity = IdentityStatus(status="verified", report_id="vr_2")
    await prove_identity(one, event)


def parts(world: Scripted, step: str) -> list[str]:
    """The parts of a step's request keys, in the order in which they were first asked for."""
    asked = [one.request_key.partition(step) for one in world.requests if step in one.request_key]
    return list(dict.fromkeys(after.lstrip("/") for _, _, after in asked))


def under_review(progress: Progress) -> bool:
    return progress.stage == "reviewing" and progress.waiting is not None


def waits_only_for(progress: Progress, kind: str) -> bool:
    return progress.waiting is not None and progress.waiting.what == f"documents: {kind}"


async def refusal(one: Onboarding, *fields: str, version: int = 2) -> ApplicationError:
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await one.decide(CustomerOnboarding.change, change(*fields, version=version))
    assert isinstance(caught.value.cause, ApplicationError)
    return caught.value.cause


async def test_another_address_is_confirmed_again_and_nothing_else_asked_again(
    onboarding: Begin,
) -> None:
    world = Scripted()
    released = world.hold(ApplicationSteps.decide)
    async with onboarding(world) as one:
        await prove_identity(one)
        await world.reached["application.decide"].wait()
        world.confirmed = False
        asked = change("email")
        taken = await one.decide(CustomerOnboarding.change, asked)
        assert taken.stage == "deciding"
        released.set()
        progress = await one.until(waits)
        assert progress.version == 2
        await confirm(world, one, "again")
        assert await one.handle.result() == "active"
    assert [link.version for link in world.links] == [1, 2]
    assert world.calls.count("identity.open_session") == 1
    assert parts(world, "application.decide") == ["", "round-2"]
    (kept,) = world.decisions
    assert (kept.update, kept.content["version"], kept.content["fields"]) == (
        "change",
        2,
        ["email"],
    )
    made = [one.version for one in world.requests if "create_customer" in one.request_key]
    assert made == [2]


@pytest.mark.parametrize("field", ["name", "date_of_birth", "signatory", "kind"])
async def test_who_has_another_name_proves_it_again(onboarding: Begin, field: str) -> None:
    world = Scripted()
    released = world.hold(ApplicationSteps.decide)
    async with onboarding(world) as one:
        await prove_identity(one)
        await world.reached["application.decide"].wait()
        open_session(world)
        await one.decide(CustomerOnboarding.change, change(field))
        released.set()
        await one.until(proving)
        assert world.calls.count("identity.close_session") == 1, "what was collected is erased"
        await prove(world, one)
        assert await one.handle.result() == "active"
    assert parts(world, "identity.open_session") == ["", "round-2"]
    assert len(world.links) == 1, "the address stands"


async def test_what_nothing_rests_on_is_decided_about_anew(onboarding: Begin) -> None:
    world = Scripted()
    released = world.hold(ApplicationSteps.decide)
    async with onboarding(world) as one:
        await prove_identity(one)
        await world.reached["application.decide"].wait()
        await one.decide(CustomerOnboarding.change, change("monthly_volume"))
        released.set()
        assert await one.handle.result() == "active"
    assert (len(world.links), world.calls.count("identity.open_session")) == (1, 1)
    for step in ("application.validate", "application.decide"):
        assert parts(world, step) == ["", "round-2"]


async def test_while_the_applicant_proves_it_their_session_stays_open_for_another_address(
    onboarding: Begin,
) -> None:
    world = Scripted()
    open_session(world)
    async with onboarding(world) as one:
        await one.until(proving)
        world.confirmed = False
        await one.decide(CustomerOnboarding.change, change("email"))
        await one.until(waits)
        await confirm(world, one, "again")
        await one.until(proving)
        await prove(world, one)
        assert await one.handle.result() == "active"
    assert parts(world, "identity.open_session") == [""]
    assert "identity.close_session" not in world.calls


async def test_while_the_address_waits_the_next_mail_goes_to_the_other(onboarding: Begin) -> None:
    world = Scripted()
    async with onboarding(world, confirms=False) as one:
        await one.until(waits)
        await one.decide(CustomerOnboarding.change, change("email", "name"))
        await until_so(lambda: len(world.links) == 2)
        await one.until(waits)
        await one.decide(CustomerOnboarding.change, change("name", version=3))
        await one.until(lambda progress: progress.version == 3 and waits(progress))
        await confirm(world, one)
        await prove_identity(one)
        assert await one.handle.result() == "active"
    assert [link.version for link in world.links] == [1, 2], "none for a name"


async def test_a_rejection_that_has_yet_to_be_told_is_void(onboarding: Begin) -> None:
    world = Scripted()
    world.problems = ("country_not_served",)
    released = world.hold(ApplicationSteps.validate)
    async with onboarding(world) as one:
        await world.reached["application.validate"].wait()
        await one.decide(CustomerOnboarding.change, change("country"))
        released.set()
        assert await one.handle.result() == "rejected"
    assert parts(world, "application.validate") == ["", "round-2"]


async def test_a_parked_step_is_given_up_and_begun_anew(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(IdentitySteps.open_session, refused("stripe.invalid_request"))
    async with onboarding(world) as one:
        await one.until(lambda progress: progress.attention)
        await one.decide(CustomerOnboarding.change, change("name"))
        await one.until(proving)
        progress = await one.progress()
        assert progress.attention == ()
        await prove(world, one)
        assert await one.handle.result() == "active"
    assert parts(world, "identity.open_session")[-1] == "round-2"


async def test_a_parked_step_of_a_check_that_stands_is_begun_anew(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.decided = decided(documents=KINDS)
    world.fail(DocumentSteps.store, refused("archive.refused"))
    async with onboarding(world) as one:
        await prove_identity(one)
        await asked_for_documents(one)
        for kind in KINDS:
            world.deliver(kind)
        hint = DocumentsChanged(event_id="1")
        await one.handle.signal(CustomerOnboarding.documents_changed, hint)
        await one.until(lambda progress: progress.attention)
        await one.decide(CustomerOnboarding.change, change("currency"))
        await one.until(lambda progress: progress.waiting and "look" in progress.waiting.what)
        assert world.states() == ["stored", "stored"]


async def test_what_became_void_leaves_nothing_behind(onboarding: Begin) -> None:
    world = Scripted()
    open_session(world)
    async with onboarding(world) as one:
        await one.until(proving)
        await one.decide(CustomerOnboarding.change, change("name"))
        await until_so(lambda: world.calls.count("identity.open_session") == 2)
        await one.until(proving)
        await one.decide(CustomerOnboarding.withdraw, withdrawal())
        assert await one.handle.result() == "withdrawn"
    assert world.made == {}
    assert parts(world, "identity.close_session") == ["", "round-2"]


async def test_an_undo_that_parks_midway_is_done_at_the_end(onboarding: Begin) -> None:
    world = Scripted()
    open_session(world)
    world.fail(IdentitySteps.close_session, refused("stripe.auth"))
    async with onboarding(world) as one:
        await one.until(proving)
        await one.decide(CustomerOnboarding.change, change("name"))
        await one.until(lambda progress: progress.attention)
        await one.decide(CustomerOnboarding.withdraw, withdrawal())
        assert await one.handle.result() == "withdrawn"
    assert world.made == {}


async def test_several_changes_at_once_are_gone_through_together(onboarding: Begin) -> None:
    world = Scripted()
    released = world.hold(ApplicationSteps.decide)
    async with onboarding(world) as one:
        await prove_identity(one)
        await world.reached["application.decide"].wait()
        open_session(world)
        world.confirmed = False
        await one.decide(CustomerOnboarding.change, change("email"))
        await one.decide(CustomerOnboarding.change, change("name", version=3))
        assert (await refusal(one, "name", version=3)).type == "ChangedMeanwhile"
        released.set()
        await one.until(waits)
        await confirm(world, one, "again")
        await one.until(proving)
        await prove(world, one)
        assert await one.handle.result() == "active"
    assert [kept.content["version"] for kept in world.decisions] == [2, 3]
    assert parts(world, "application.validate") == ["", "round-2"]


async def test_changes_have_a_number_and_a_bounded_history(onboarding: Begin) -> None:
    world = Scripted()
    open_session(world)
    number = production_policy().changes
    async with onboarding(world) as one:
        for version in range(2, number + 2):
            await one.until(proving)
            await one.decide(CustomerOnboarding.change, change("name", version=version))
            await until_so(
                lambda opened=version: world.calls.count("identity.open_session") == opened  # type: ignore[misc]
            )
        await one.until(proving)
        no = await refusal(one, "name", version=number + 2)
        assert (no.type, f"{number} times" in no.message) == ("NoMoreChanges", True)
        await prove(world, one)
        assert await one.handle.result() == "active"
        history = await one.handle.fetch_history()
    assert len(history.events) < 2_000


async def test_who_was_given_to_a_system_is_not_changed(onboarding: Begin) -> None:
    world = Scripted()
    released = world.hold(BillingSteps.create_customer)
    async with onboarding(world) as one:
        await prove_identity(one)
        await world.reached["billing.create_customer"].wait()
        no = await refusal(one, "name")
        assert (no.type, no.message.endswith("provisioning")) == ("NotChangeable", True)
        released.set()
        assert await one.handle.result() == "active"


async def test_a_change_that_a_withdrawal_overtakes_is_kept_all_the_same(onboarding: Begin) -> None:
    world = Scripted()
    released = world.hold(ApplicationSteps.decide)
    async with onboarding(world) as one:
        await prove_identity(one)
        await world.reached["application.decide"].wait()
        await one.decide(CustomerOnboarding.change, change("name"))
        await one.decide(CustomerOnboarding.withdraw, withdrawal())
        assert (await refusal(one, "name", version=3)).type == "NotChangeable"
        released.set()
        assert await one.handle.result() == "withdrawn"
    assert sorted(kept.update for kept in world.decisions) == ["change", "withdraw"]


HELD: Mapping[str, Callable[..., object]] = {
    "screening": ScreeningSteps.screen,
    "deciding": ApplicationSteps.decide,
}
"""Stages that nobody is waited for in, and the step that holds them up."""


@pytest.mark.parametrize("stage", sorted(CHANGEABLE - {"validating"}))
async def test_wherever_it_is_changed_it_begins_again(onboarding: Begin, stage: str) -> None:
    world = ScriptedDocuments()
    released = world.hold(HELD[stage]) if stage in HELD else asyncio.Event()
    if stage == "reviewing":
        world.decided = decided("review")
    if stage == "awaiting_documents":
        world.decided = decided(documents=("proof_of_address",))
    if stage == "verifying_identity":
        open_session(world)
    async with onboarding(world, confirms=stage != "verifying_email") as one:
        if stage not in ("verifying_email", "verifying_identity"):
            await prove_identity(one)
        await one.until(lambda progress: progress.stage == stage)
        if stage not in HELD:
            await one.until(lambda progress: progress.waiting is not None)
        await one.decide(CustomerOnboarding.change, change("monthly_volume"))
        released.set()
        await until_so(lambda: (stage, "validating") in itertools.pairwise(world.stages))
        if stage not in HELD:
            await one.until(lambda progress: progress.stage == stage and progress.waiting)
            await one.decide(CustomerOnboarding.withdraw, withdrawal())
        assert await one.handle.result() == ("active" if stage in HELD else "withdrawn")


async def test_who_agreed_to_what_it_said_before_agreed_to_nothing_now(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.decided = decided("review").model_copy(update={"review": TWO})
    async with onboarding(world) as one:
        await reviewed(one)
        await one.decide(CustomerOnboarding.approve, approval("rosa"))
        await one.decide(CustomerOnboarding.change, change("monthly_volume"))
        await one.until(lambda progress: progress.version == 2 and under_review(progress))
        for late in (approval("sven"), approval("sven", review=2)):
            with pytest.raises(WorkflowUpdateFailedError) as caught:
                await one.decide(CustomerOnboarding.approve, late)
            assert isinstance(caught.value.cause, ApplicationError)
            assert caught.value.cause.type in ("OtherReview", "OtherVersion")
        for name in ("rosa", "sven"):
            again = approval(name, review=2, version=2)
            await one.decide(CustomerOnboarding.approve, again)
        assert await one.handle.result() == "active"
    assert [one.update for one in world.decisions] == ["approve", "change", "approve", "approve"]


@pytest.mark.parametrize(
    ("field", "asked_again"), [("email", ("source_of_funds",)), ("name", KINDS)]
)
async def test_documents_stand_unless_they_are_about_what_changed(
    onboarding: Begin, field: str, asked_again: tuple[str, ...]
) -> None:
    world = ScriptedDocuments()
    world.decided = decided(documents=KINDS)
    async with onboarding(world) as one:
        await prove_identity(one)
        await asked_for_documents(one)
        world.deliver("proof_of_address")
        hint = DocumentsChanged(event_id="1")
        await one.handle.signal(CustomerOnboarding.documents_changed, hint)
        await one.until(lambda progress: waits_only_for(progress, "source_of_funds"))
        await one.decide(CustomerOnboarding.change, change(field))
        await one.until(lambda progress: progress.version == 2)
        await asked_for_documents(one)
        assert world.letters[-1].kinds == asked_again


async def test_who_is_being_told_no_is_not_changed(onboarding: Begin) -> None:
    world = Scripted()
    world.problems = ("country_not_served",)
    world.fail(NoticeSteps.reject, refused("smtp.refused"))
    async with onboarding(world) as one:
        await one.until(lambda progress: progress.attention)
        assert (await refusal(one, "country")).type == "NotChangeable"
        retry = resolution(NoticeSteps.reject, "retry")
        await one.decide(CustomerOnboarding.resolve, retry)
        assert await one.handle.result() == "rejected"


async def test_an_onboarding_that_began_before_there_were_changes_is_not_changed(
    onboarding: Begin,
) -> None:
    world = Scripted(production_policy().model_copy(update={"changes": 0}))
    open_session(world)
    async with onboarding(world) as one:
        await one.until(proving)
        assert (await refusal(one, "name")).type == "NoMoreChanges"


def test_every_check_says_what_it_rests_on() -> None:
    assert set(RESTS_ON) == set(Standing.model_fields)


def test_stages_are_changeable_until_a_system_is_given_the_customer() -> None:
    before = {stage for stage, following in TRANSITIONS.items() if "provisioning" in following}
    assert before <= CHANGEABLE
    assert not CHANGEABLE & {"received", "provisioning", "welcoming"}


async def test_what_every_system_refused_may_be_changed_and_is_checked_again(
    onboarding: Begin,
) -> None:
    world = Scripted()
    creating = (BillingSteps.create_customer, DirectorySteps.create_user, CrmSteps.create_contact)
    for step in creating:
        world.fail(step, refused())
    async with onboarding(world) as one:
        await prove_identity(one)
        await one.until(lambda progress: len(progress.attention) == 3)
        taken = await one.decide(CustomerOnboarding.change, change("name"))
        assert taken.stage == "provisioning"
        assert await one.handle.result() == "active"
    assert parts(world, "identity.open_session") == ["", "round-2"]
    assert parts(world, "screening.screen") == parts(world, "application.decide") == ["", "round-2"]
    for name in ("billing.create_customer", "directory.create_user", "crm.create_contact"):
        asked = [each for each in world.requests if name in each.request_key]
        assert [(each.version, each.request_key.endswith("again-1")) for each in asked] == [
            (1, False),
            (2, True),
        ]


async def test_what_one_system_has_is_not_changed(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(BillingSteps.create_customer, refused())
    world.fail(CrmSteps.create_contact, refused())
    async with onboarding(world) as one:
        await prove_identity(one)
        await one.until(lambda progress: len(progress.attention) == 2)
        assert (await refusal(one, "name")).type == "NotChangeable"


async def test_who_proves_it_still_has_a_link_again_after_a_change(onboarding: Begin) -> None:
    """The link goes with the stage; a look at the session that stands makes it anew."""
    world = Scripted()
    open_session(world)
    async with onboarding(world) as one:
        await one.until(proving)
        assert "identity.read_session" not in world.calls
        await one.decide(CustomerOnboarding.change, change("currency"))
        await one.until(lambda progress: progress.version == 2 and proving(progress))
        await until_so(lambda: "identity.read_session" in world.calls)
        await prove(world, one)
        assert await one.handle.result() == "active"
    assert world.calls.count("identity.open_session") == 1
