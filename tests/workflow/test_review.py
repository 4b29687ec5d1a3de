"""A review by people: who may say what, how often, until when, and what happens otherwise."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any, Literal, Protocol
from uuid import uuid4

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.patience import SOON
from tests.workflow.conftest import Onboarding
from tests.workflow.reviewing import (
    REVIEWER,
    SENIOR,
    TERMS,
    TWO,
    Reviewed,
    ReviewOnly,
    approval,
    rejection,
)
from tests.workflow.scripted import Scripted, refused, withdrawal
from workers.sandbox import workflow_runner
from workflows.decisions import ProcessSteps
from workflows.onboarding.review import AboutReview, Approval, Rejection, ReviewTerms
from workflows.onboarding.steps import ReviewSteps
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.progress import Progress
from workflows.step import implementations

ROLES = [REVIEWER, SENIOR, ("operator",)]
APPROVE, REJECT = CustomerOnboarding.approve, CustomerOnboarding.reject
HOUR = timedelta(hours=1)


class Review(Protocol):
    """Opens a review: `async with review(world, terms) as one`."""

    def __call__(
        self, world: Scripted, terms: ReviewTerms = TERMS, **given: Any
    ) -> AbstractAsyncContextManager[Onboarding]: ...


@pytest.fixture
def review(skipping: WorkflowEnvironment) -> Review:
    """Open a review, and wait until it is open."""

    @asynccontextmanager
    async def start(
        world: Scripted, terms: ReviewTerms = TERMS, **given: Any
    ) -> AsyncIterator[Onboarding]:
        queue, application = str(uuid4()), uuid4().hex[:26]
        async with Worker(
            skipping.client,
            task_queue=queue,
            workflows=[Reviewed],
            activities=implementations(world),
            max_cached_workflows=100,
            workflow_runner=workflow_runner(),
        ):
            with skipping.with_time_skipping_disabled():
                handle = await skipping.client.start_workflow(
                    Reviewed.run,
                    ReviewOnly(application_id=application, terms=terms, **given),
                    id=f"onboarding/acme/{application}",
                    task_queue=queue,
                )
            one = Onboarding(skipping, world, handle)
            await one.until(is_open)
            yield one

    return start


def is_open(progress: Progress) -> bool:
    return progress.waiting is not None


async def refusal(one: Onboarding, decision: AboutReview, update: Any = APPROVE) -> str | None:
    """Why a decision is not taken."""
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await one.decide(update, decision)
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause.type


async def test_one_person_agrees(review: Review) -> None:
    world = Scripted()
    async with review(world) as one:
        taken = await one.decide(APPROVE, approval())
        assert taken.stage == "reviewing"
        assert await one.handle.result() == "active"
    (kept,) = world.decisions
    assert (kept.update, kept.decision.by.actor.name) == ("approve", "rosa-reviewer")
    assert kept.content == {"review": 1, "version": 1}
    (closed,) = world.closed
    assert closed.verdict.outcome == "approved"
    assert not closed.by_default


async def test_two_different_people_agree(review: Review) -> None:
    world = Scripted()
    async with review(world, TWO) as one:
        assert (await one.progress()).waiting.what == "a review by 2 people"  # type: ignore[union-attr]
        await one.decide(APPROVE, approval("rosa-reviewer"))
        progress = await one.until(lambda now: now.waiting and now.waiting.what == "a review")
        assert progress.stage == "reviewing"
        await one.decide(APPROVE, approval("rita-reviewer"))
        assert await one.handle.result() == "active"
    names = [one.decision.by.actor.name for one in world.decisions]
    assert names == ["rosa-reviewer", "rita-reviewer"]


async def test_the_same_person_does_not_count_twice(review: Review) -> None:
    async with review(Scripted(), TWO) as one:
        await one.decide(APPROVE, approval())
        assert await refusal(one, approval()) == "AgreedAlready"
        assert await refusal(one, approval(roles=SENIOR)) == "AgreedAlready"
        assert (await one.progress()).stage == "reviewing"


async def test_the_same_person_at_the_same_moment_does_not_count_twice(review: Review) -> None:
    world = Scripted()
    release = world.hold(ProcessSteps.verify_actor)
    async with review(world, TWO) as one:
        both = asyncio.gather(
            one.decide(APPROVE, approval()),
            one.decide(APPROVE, approval()),
            return_exceptions=True,
        )
        await asyncio.wait_for(world.reached["process.verify_actor"].wait(), SOON)
        await asyncio.sleep(0.2)
        release.set()
        results = await both
        assert sum(isinstance(one, WorkflowUpdateFailedError) for one in results) == 1
        assert (await one.progress()).stage == "reviewing"


async def test_one_no_ends_it_whoever_agreed(review: Review) -> None:
    world = Scripted()
    async with review(world, TWO) as one:
        await one.decide(APPROVE, approval())
        await one.decide(REJECT, rejection("rita-reviewer"))
        assert await one.handle.result() == "rejected"
    assert world.closed[0].verdict.codes == ("not_accepted",)
    assert world.decisions[1].content["codes"] == ["not_accepted"]
    assert world.decisions[1].decision.reason == "cannot be who they say"


async def test_whoever_agreed_may_still_say_no(review: Review) -> None:
    async with review(Scripted(), TWO) as one:
        await one.decide(APPROVE, approval())
        await one.decide(REJECT, rejection())
        assert await one.handle.result() == "rejected"


@pytest.mark.parametrize("update", [APPROVE, REJECT])
async def test_whoever_has_a_part_in_it_may_not_decide(review: Review, update: Any) -> None:
    decision = approval() if update is APPROVE else rejection()
    async with review(Scripted(), excluded=("rosa-reviewer",)) as one:
        assert await refusal(one, decision, update) == "Excluded"
        await one.decide(APPROVE, approval("rita-reviewer"))
        assert await one.handle.result() == "active"


async def test_a_service_is_not_a_person(review: Review) -> None:
    async with review(Scripted()) as one:
        assert await refusal(one, approval(kind="service")) == "NotAPerson"


async def test_a_senior_reviewers_review_is_theirs_alone(review: Review) -> None:
    terms = TERMS.model_copy(update={"owner": "senior_reviewer"})
    async with review(Scripted(), terms) as one:
        assert await refusal(one, approval()) == "NotTheirs"
        assert await refusal(one, rejection(), REJECT) == "NotTheirs"
        await one.decide(APPROVE, approval(roles=SENIOR))
        assert await one.handle.result() == "active"


async def test_other_roles_decide_nothing(review: Review) -> None:
    world = Scripted()
    async with review(world) as one:
        assert await refusal(one, approval(roles=("operator", "admin"))) == "NotTheirs"
        await one.decide(APPROVE, approval(roles=REVIEWER))
        await one.handle.result()
    checked = [one for one in world.requests if type(one).__name__ == "VerifyActor"]
    assert [one.roles for one in checked] == [SENIOR]  # type: ignore[attr-defined]


async def test_what_was_looked_at_must_be_what_is_open(review: Review) -> None:
    async with review(Scripted(), times=2) as one:
        assert await refusal(one, approval(version=2)) == "OtherVersion"
        await one.decide(APPROVE, approval())
        assert await refusal(one, approval()) in ("OtherReview", "NotReviewing")
        await one.until(is_open)
        assert await refusal(one, approval()) == "OtherReview"
        await one.decide(APPROVE, approval(review=2))
        assert await one.handle.result() == "active"


async def test_nothing_is_decided_about_what_was_changed_meanwhile(review: Review) -> None:
    async with review(Scripted(), TWO) as one:
        await one.decide(APPROVE, approval())
        await one.handle.signal(Reviewed.now_in_version, 2)
        assert await refusal(one, approval("rita-reviewer")) == "OtherVersion"
        assert await refusal(one, rejection("rita-reviewer"), REJECT) == "OtherVersion"


async def test_after_the_end_nothing_is_decided(review: Review) -> None:
    world = Scripted()
    release = world.hold(ProcessSteps.record_decision)
    async with review(world) as one:
        await one.decide(APPROVE, approval())
        assert await refusal(one, rejection("rita-reviewer"), REJECT) == "AlreadyDecided"
        release.set()
        assert await one.handle.result() == "active"
    assert len(world.decisions) == 1


@pytest.mark.parametrize(
    ("by_default", "end", "codes"),
    [("reject", "rejected", ("not_accepted",)), ("expire", "expired", ())],
)
async def test_reminded_then_escalated_then_the_terms_default(
    review: Review, by_default: Literal["reject", "expire"], end: str, codes: tuple[str, ...]
) -> None:
    world = Scripted()
    async with review(world, TWO.model_copy(update={"by_default": by_default})) as one:
        await one.pass_time(7 * HOUR)
        assert world.reminded == []
        await one.pass_time(1.5 * HOUR)
        await until(lambda: len(world.reminded) == 1)
        assert world.reminded[0].owner == "reviewer"
        await one.decide(APPROVE, approval())
        await one.pass_time(8 * HOUR)
        await until(lambda: len(world.reminded) == 2)
        assert len(world.escalated) == 1
        assert (world.reminded[1].owner, world.reminded[1].escalated) == ("senior_reviewer", True)
        assert await refusal(one, approval("rita-reviewer")) == "NotTheirs"
        await one.pass_time(24 * HOUR)
        assert await one.handle.result() == end
    (closed,) = world.closed
    assert closed.by_default
    assert closed.verdict.codes == codes
    assert len(world.reminded) == 2, "bounded"


async def test_who_agreed_before_it_was_escalated_has_agreed(review: Review) -> None:
    async with review(Scripted(), TWO) as one:
        await one.decide(APPROVE, approval())
        await one.pass_time(17 * HOUR)
        await one.until(lambda now: now.waiting and now.waiting.who == "a senior reviewer")
        await one.decide(APPROVE, approval("selma-senior", SENIOR))
        assert await one.handle.result() == "active"


async def test_what_is_said_while_it_is_put_before_others_is_on_record(review: Review) -> None:
    world = Scripted()
    released = world.hold(ReviewSteps.escalate)
    async with review(world) as one:
        passing = asyncio.create_task(one.pass_time(17 * HOUR))  # not over while a step is held
        await asyncio.wait_for(world.reached["review.escalate"].wait(), SOON)
        await one.decide(APPROVE, approval("selma-senior", SENIOR))
        released.set()
        assert await asyncio.wait_for(one.handle.result(), SOON) == "active"
        await asyncio.wait([passing])
    (kept,) = world.decisions
    assert kept.decision.by.actor.name == "selma-senior"


async def test_a_reminder_that_cannot_be_sent_holds_up_nothing(review: Review) -> None:

    world = Scripted()
    world.fail(ReviewSteps.remind, refused("mail.refused"))
    async with review(world) as one:
        await one.pass_time(9 * HOUR)
        await until(lambda: "review.remind" in world.calls)
        assert not (await one.progress()).attention
        await one.decide(APPROVE, approval())
        assert await one.handle.result() == "active"


async def test_a_withdrawal_ends_it_and_what_was_agreed_stays_on_record(review: Review) -> None:
    world = Scripted()
    async with review(world, TWO) as one:
        await one.decide(APPROVE, approval())
        await one.decide(CustomerOnboarding.withdraw, withdrawal())
        assert await one.handle.result() == "withdrawn"
    assert [one.update for one in world.decisions] == ["approve", "withdraw"]
    assert world.closed == [], "leaving the stage closes it in our database"


async def until(condition: Any) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(SOON):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_comes_in_whatever_order_only_two_who_may_approve_it(
    review: Review, seed: int
) -> None:
    world, chance = Scripted(), random.Random(seed)
    agreed: set[str] = set()
    end = None
    async with review(world, TWO, excluded=("anna",)) as one:
        while end is None:
            name, roles = chance.choice(["anna", "bert", "cora"]), chance.choice(ROLES)
            kind: Literal["person", "service"] = chance.choice(["person", "person", "service"])
            version, no = chance.choice([1, 1, 1, 2]), chance.random() < 0.1
            said: Approval | Rejection = approval(name, roles, kind=kind, version=version)
            if no:
                said = rejection(name, roles)
            may = (
                said.version == 1
                and said.by.actor.kind == "person"
                and roles != ("operator",)
                and name != "anna"
                and (no or name not in agreed)
            )
            update = REJECT if no else APPROVE
            if not may:
                await refusal(one, said, update)
                continue
            await one.decide(update, said)
            if no:
                end = "rejected"
            else:
                agreed.add(name)
                end = "active" if len(agreed) == 2 else None
        assert await one.handle.result() == end
    kept = [each.decision.by.actor.name for each in world.decisions if each.update == "approve"]
    assert set(kept) == agreed
    assert len(kept) == len(agreed)
