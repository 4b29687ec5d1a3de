"""What a decision leads to: straight on, to people, to documents, or to a letter that says no."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Literal
from uuid import uuid4

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from tests.patience import SOON
from tests.workflow.conftest import Begin, Onboarding
from tests.workflow.reviewing import REVIEWER, TERMS, approval, rejection
from tests.workflow.scripted import refused, resolution, signed, withdrawal
from tests.workflow.scripted_documents import ScriptedDocuments
from tests.workflow.test_onboarding import NO_CASE_HERE, prove_identity
from workflows.onboarding.decision import Decide, Decided
from workflows.onboarding.documents import DocumentsChanged, DocumentSteps
from workflows.onboarding.duplicates import Link, Merge
from workflows.onboarding.messages import TRANSITIONS
from workflows.onboarding.rules import DocumentKind
from workflows.onboarding.screening import Screened
from workflows.onboarding.steps import ApplicationSteps, NoticeSteps, ReviewSteps
from workflows.onboarding.workflow import CustomerOnboarding

OTHER = "b" * 26
ADDRESS: tuple[DocumentKind, ...] = ("proof_of_address",)
PAIRS = sorted(
    (stage, after)
    for stage, following in TRANSITIONS.items()
    for after in following
    if {stage, after} & NO_CASE_HERE and after != "validating"
)


def decided(
    outcome: Literal["approved", "review", "rejected"] = "approved",
    documents: tuple[DocumentKind, ...] = (),
    excluded: tuple[str, ...] = (),
) -> Decided:
    return Decided(
        outcome=outcome,
        rule="review/somebody-looks",
        rule_version="1",
        codes=("details_not_confirmed",) if outcome == "rejected" else (),
        documents=documents,
        review=TERMS if outcome == "review" else None,
        excluded=excluded,
    )


async def reviewed(one: Onboarding) -> None:
    await prove_identity(one)
    await one.until(lambda progress: progress.stage == "reviewing" and progress.waiting)


async def asked_for_documents(one: Onboarding) -> None:
    await one.until(lambda progress: progress.stage == "awaiting_documents" and progress.waiting)


async def approved(world: ScriptedDocuments, one: Onboarding, stage: str) -> None:
    await reviewed(one)
    await one.decide(CustomerOnboarding.approve, approval())


async def delivers(world: ScriptedDocuments, one: Onboarding, stage: str) -> None:
    await prove_identity(one)
    await asked_for_documents(one)
    world.deliver("proof_of_address")
    hint = DocumentsChanged(event_id="1")
    await one.handle.signal(CustomerOnboarding.documents_changed, hint)


async def approved_and_delivers(world: ScriptedDocuments, one: Onboarding, stage: str) -> None:
    await approved(world, one, stage)
    await delivers(world, one, stage)


async def turned_down(world: ScriptedDocuments, one: Onboarding, stage: str) -> None:
    await reviewed(one)
    await one.decide(CustomerOnboarding.reject, rejection())


async def nobody_decides(world: ScriptedDocuments, one: Onboarding, stage: str) -> None:
    await reviewed(one)
    await one.pass_time(timedelta(hours=TERMS.decide_within, seconds=1))


async def delivers_nothing(world: ScriptedDocuments, one: Onboarding, stage: str) -> None:
    await prove_identity(one)
    await asked_for_documents(one)
    assert world.policy.documents is not None
    await one.pass_time(world.policy.documents.expires_after + timedelta(seconds=1))


FIRST_STEP: Mapping[str, Callable[..., object]] = {
    "reviewing": ReviewSteps.open_review,
    "awaiting_documents": DocumentSteps.ask,
}


async def is_withdrawn(world: ScriptedDocuments, one: Onboarding, stage: str) -> None:
    await prove_identity(one)
    await one.until(lambda progress: progress.stage == stage and progress.waiting)
    await one.decide(CustomerOnboarding.withdraw, withdrawal())


async def is_aborted(world: ScriptedDocuments, one: Onboarding, stage: str) -> None:
    step = FIRST_STEP[stage]
    await prove_identity(one)
    progress = await one.until(lambda progress: progress.attention)
    assert progress.stage == stage
    part = progress.attention[0].step.partition("/")[2]
    await one.decide(CustomerOnboarding.resolve, resolution(step, "abort", part=part))


Case = Callable[[ScriptedDocuments, Onboarding, str], Awaitable[None]]


def case_of(stage: str, after: str, world: ScriptedDocuments) -> tuple[Decided, Case]:
    """What the rules say, and what everybody does then, for a transition to happen."""
    if after == "aborted":
        world.fail(FIRST_STEP[stage], refused())
    first = {
        ("deciding", "reviewing"): (decided("review"), approved),
        ("deciding", "awaiting_documents"): (decided(documents=ADDRESS), delivers),
        ("reviewing", "awaiting_documents"): (decided("review", ADDRESS), approved_and_delivers),
        ("reviewing", "provisioning"): (decided("review"), approved),
        ("reviewing", "rejected"): (decided("review"), turned_down),
        ("reviewing", "expired"): (decided("review"), nobody_decides),
        ("awaiting_documents", "provisioning"): (decided(documents=ADDRESS), delivers),
        ("awaiting_documents", "expired"): (decided(documents=ADDRESS), delivers_nothing),
    }
    if (stage, after) in first:
        return first[stage, after]
    says = decided("review") if stage == "reviewing" else decided(documents=ADDRESS)
    return says, is_withdrawn if after == "withdrawn" else is_aborted


@pytest.mark.parametrize(("stage", "after"), PAIRS)
async def test_every_transition_happens(onboarding: Begin, stage: str, after: str) -> None:
    world = ScriptedDocuments()
    world.decided, case = case_of(stage, after, world)
    async with onboarding(world) as one:
        await case(world, one, stage)
        if world.documents:
            await one.until(lambda progress: progress.waiting)
            await one.pass_time(timedelta(days=1))
        end = await asyncio.wait_for(one.handle.result(), SOON)
    passed = list(zip(["received", *world.stages], world.stages, strict=False))
    assert (stage, after) in passed
    assert all(after in TRANSITIONS[stage] for stage, after in passed)
    assert world.stages[-1] == end
    if end in CustomerOnboarding.UNDONE:
        assert not world.made, "nothing is left of whoever did not become a customer"
    assert len(world.told_no) == (end == "rejected")


async def test_rules_are_told_what_the_checks_found(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.possible_duplicate = True
    world.screened = Screened(status="possible", politically_exposed=True, hits=2, list_version="1")
    async with onboarding(world) as one:
        await prove_identity(one)
        assert await one.handle.result() == "active"
    (asked,) = [request for request in world.requests if isinstance(request, Decide)]
    assert (asked.screening, asked.politically_exposed) == ("possible", True)
    assert asked.possible_duplicate
    assert asked.rules == {"onboarding_risk": "1"}


async def test_whom_nobody_screened_is_not_told_to_be_clear(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.policy = world.policy.model_copy(update={"screening": None})
    async with onboarding(world) as one:
        await prove_identity(one)
        await one.handle.result()
    (asked,) = [request for request in world.requests if isinstance(request, Decide)]
    assert asked.screening is None


async def test_a_rejected_applicant_is_told_the_codes_and_until_when_to_appeal(
    onboarding: Begin,
) -> None:
    world = ScriptedDocuments()
    world.decided = decided("rejected")
    assert world.policy.rejection is not None
    async with onboarding(world) as one:
        await prove_identity(one)
        assert await one.handle.result() == "rejected"
    (letter,) = world.told_no
    assert letter.codes == ("details_not_confirmed",)
    kept = [request for request in world.records if request.stage == "rejected"]
    assert [one.adverse_actions for one in kept] == [("details_not_confirmed",)]
    assert [one.appeal_until for one in kept] == [letter.appeal_until]


async def test_who_fails_a_check_of_the_policy_is_told_so(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.problems = ("currency_not_served",)
    async with onboarding(world) as one:
        assert await one.handle.result() == "rejected"
    assert [letter.codes for letter in world.told_no] == [("currency_not_served",)]


async def test_a_letter_that_cannot_be_sent_can_be_skipped(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.decided = decided("rejected")
    world.fail(NoticeSteps.reject, refused("mail.address"))
    async with onboarding(world) as one:
        await prove_identity(one)
        progress = await one.until(lambda progress: progress.attention)
        assert progress.attention[0].choices == ("retry", "skip", "abort")
        await one.decide(CustomerOnboarding.resolve, resolution(NoticeSteps.reject, "skip"))
        assert await one.handle.result() == "rejected"
    assert world.told_no == []


async def test_tables_that_cannot_be_asked_park_the_step_until_they_can(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    text = "review was never used in version 3"
    world.fail(
        ApplicationSteps.decide, ApplicationError(text, type="UnknownVersion", non_retryable=True)
    )
    async with onboarding(world) as one:
        await prove_identity(one)
        progress = await one.until(lambda progress: progress.attention)
        assert progress.attention[0].reason.text == text
        await one.decide(CustomerOnboarding.resolve, resolution(ApplicationSteps.decide, "retry"))
        assert await one.handle.result() == "active"


async def test_whom_the_decision_excludes_may_not_review(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.decided = decided("review", excluded=("rosa-reviewer",))
    async with onboarding(world) as one:
        await reviewed(one)
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await one.decide(CustomerOnboarding.approve, approval("rosa-reviewer"))
        assert isinstance(failed.value.cause, ApplicationError)
        assert failed.value.cause.type == "Excluded"
        await one.decide(CustomerOnboarding.approve, approval("rolf-reviewer"))
        assert await one.handle.result() == "active"


def merging(name: str = "rosa-reviewer") -> Merge:
    by = signed(str(uuid4()), REVIEWER, name=name)
    return Merge(reason="the same person", by=by, review=1, version=1, other=OTHER)


def linking() -> Link:
    by = signed(str(uuid4()), REVIEWER, name="rosa-reviewer")
    return Link(reason="they are married", by=by, review=1, version=1, other=OTHER)


async def test_who_is_merged_is_turned_down_in_favour_of_the_other(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.decided = decided("review")
    async with onboarding(world) as one:
        await reviewed(one)
        await one.decide(CustomerOnboarding.merge, merging())
        assert await one.handle.result() == "rejected"
    assert [letter.codes for letter in world.told_no] == [("known_already",)]
    assert [(one.relation, one.other) for one in world.related] == [("merge", OTHER)]
    (kept,) = world.decisions
    assert kept.content["other"] == OTHER


async def test_who_is_linked_is_still_to_be_decided(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.decided = decided("review")
    async with onboarding(world) as one:
        await reviewed(one)
        await one.decide(CustomerOnboarding.link, linking())
        assert (await one.progress()).stage == "reviewing"
        await one.decide(CustomerOnboarding.approve, approval())
        assert await one.handle.result() == "active"
    assert [(one.relation, one.other) for one in world.related] == [("link", OTHER)]
    assert [one.update for one in world.decisions] == ["link", "approve"]


@pytest.mark.parametrize("update", ["merge", "link"])
async def test_who_may_not_decide_may_not_relate_either(onboarding: Begin, update: str) -> None:
    world = ScriptedDocuments()
    world.decided = decided("review", excluded=("rosa-reviewer",))
    decision = merging() if update == "merge" else linking()
    async with onboarding(world) as one:
        await reviewed(one)
        with pytest.raises(WorkflowUpdateFailedError):
            await one.handle.execute_update(update, decision, id=decision.by.update_id)
        await one.decide(CustomerOnboarding.withdraw, withdrawal())
        assert await one.handle.result() == "withdrawn"
    assert world.related == []
