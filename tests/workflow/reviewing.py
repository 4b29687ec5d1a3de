"""An onboarding that is nothing but a review, and people who decide in it."""

from __future__ import annotations

from typing import Literal
from uuid import uuid4

from temporalio import workflow

from tests.workflow.scripted import signed
from workflows.onboarding.review import Approval, Rejection, ReviewTerms
from workflows.onboarding.state import OnboardingState
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.request_key import Message

TERMS = ReviewTerms(
    approvers=1,
    owner="reviewer",
    remind_after=8,
    escalate_after=16,
    decide_within=40,
    by_default="expire",
    reasons=("onboarding_risk/duplicate",),
)
TWO = TERMS.model_copy(update={"approvers": 2})

REVIEWER = ("reviewer",)
SENIOR = ("reviewer", "senior_reviewer")


class ReviewOnly(Message):
    """What is reviewed: under these terms, so many times."""

    application_id: str
    terms: ReviewTerms
    excluded: tuple[str, ...] = ()
    times: int = 1


@workflow.defn
class Reviewed(CustomerOnboarding):
    """An onboarding whose story is a review."""

    @workflow.init
    def __init__(self, start: ReviewOnly) -> None:
        state = OnboardingState(application_id=start.application_id)
        super(CustomerOnboarding, self).__init__("deciding", state)
        self.reviewed = start

    @workflow.run
    async def run(self, start: ReviewOnly) -> str:  # type: ignore[override]
        """Review, and answer how it ended."""
        return await self.carry_out(self.onboard)

    async def onboard(self) -> str:
        """The story."""
        await self.enter("reviewing")
        for _ in range(self.reviewed.times):
            verdict = await self.review(self.reviewed.terms, excluded=self.reviewed.excluded)
            if verdict.outcome != "approved":
                return verdict.outcome
        await self.enter("provisioning")
        await self.enter("welcoming")
        return "active"

    @workflow.signal
    def now_in_version(self, version: int) -> None:
        """The application was changed."""
        self.version = version


def approval(
    name: str = "rosa-reviewer",
    roles: tuple[str, ...] = REVIEWER,
    *,
    kind: Literal["person", "service"] = "person",
    review: int = 1,
    version: int = 1,
) -> Approval:
    by = signed(str(uuid4()), roles, name=name, kind=kind)
    return Approval(reason="looks right", by=by, review=review, version=version)


def rejection(name: str = "rosa-reviewer", roles: tuple[str, ...] = REVIEWER) -> Rejection:
    by = signed(str(uuid4()), roles, name=name)
    return Rejection(
        reason="cannot be who they say", by=by, review=1, version=1, codes=("not_accepted",)
    )
