"""Cases of the effects that a review has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.faults.intents import Bench, Case, Intent, into, named
from workflows.onboarding.review import (
    CloseReview,
    OfReview,
    OpenReview,
    RemindOfReview,
    ReviewTerms,
    Verdict,
    review_id,
)
from workflows.onboarding.steps import ReviewSteps

CASES: dict[str, Case] = {}
case = into(CASES)

TERMS = ReviewTerms(
    approvers=1,
    owner="reviewer",
    remind_after=8,
    escalate_after=16,
    decide_within=40,
    by_default="reject",
)
AUDITED = "audit WHERE workflow_id = :id AND event = :event"


@case(ReviewSteps.open_review)
async def opened(bench: Bench) -> Intent:
    application, process = await bench.applied()
    key = named(ReviewSteps.open_review, process, "1")
    request = OpenReview(request_key=key, application_id=application, number=1, terms=TERMS)
    return Intent(request, lambda: bench.count(AUDITED, id=process, event="review.opened"))


async def open_one(bench: Bench) -> tuple[str, str]:
    """An open review, and its process."""
    intent = await opened(bench)
    await bench.act(ReviewSteps.open_review)(intent.request)
    request: Any = intent.request
    process = request.request_key.split("/review.")[0]
    return review_id(request.application_id, 1), process


@case(ReviewSteps.escalate)
async def _(bench: Bench) -> Intent:
    review, process = await open_one(bench)
    request = OfReview(request_key=named(ReviewSteps.escalate, process, "1"), review_id=review)
    return Intent(request, lambda: bench.count(AUDITED, id=process, event="review.escalated"))


@case(ReviewSteps.close)
async def _(bench: Bench) -> Intent:
    review, process = await open_one(bench)
    request = CloseReview(
        request_key=named(ReviewSteps.close, process, "1"),
        review_id=review,
        verdict=Verdict(outcome="rejected", codes=("not_accepted",)),
        by_default=True,
    )
    return Intent(request, lambda: bench.count("decisions WHERE workflow_id = :id", id=process))


@case(ReviewSteps.remind)
async def _(bench: Bench) -> Intent:
    review, process = await open_one(bench)
    request = RemindOfReview(
        request_key=named(ReviewSteps.remind, process, "1"),
        review_id=review,
        owner="reviewer",
        due_at=datetime.now(UTC),
    )

    async def received() -> int:
        return len(await bench.house.outside.messages(subject=review))

    return Intent(request, received)
