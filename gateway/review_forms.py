"""What reviewers send, and what they are told."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from gateway import examples
from gateway.forms import Form, ReasonForm
from workflows.onboarding.application import Answer, Application
from workflows.onboarding.review import Reviewer, review_id
from workflows.onboarding.rules import AdverseAction

ReviewState = Literal["open", "approved", "rejected", "expired", "void"]

_LONGEST_COMMENT = 2_000
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def _readable(said: str) -> str:
    if _UNFIT.search(said):
        raise ValueError("holds control characters: only line breaks and tabs may be in it")
    if not said.strip():
        raise ValueError("says nothing")
    return said


CommentText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=_LONGEST_COMMENT,
        json_schema_extra={
            "pattern": r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*[!-~][^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"
        },
    ),
    AfterValidator(_readable),
]


class NothingMore(Form):
    """An empty object: all is said by the path."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class CommentForm(Form):
    """What is to be said to other reviewers. It may name the applicant."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "The register extract has another address."}]}
    )

    text: CommentText


class ApprovalForm(ReasonForm):
    """Why somebody agrees."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the register confirms the directors"}]}
    )


class RejectionForm(ReasonForm):
    """Why somebody says no: `reason` is for us alone, `codes` are told to the applicant."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"reason": "the directors are not who they say", "codes": ["details_not_confirmed"]}
            ]
        }
    )

    codes: Annotated[tuple[AdverseAction, ...], Field(min_length=1, max_length=6)]


class ListedReview(Answer):
    """A review in the queue, without anything about the applicant.

    state         `void`: the onboarding went on without it, as when it was withdrawn
    owner         the role that may decide; once it is `senior_reviewer`, only they may
    version       of the application; name it as `If-Match` when you decide
    approvers     how many different people have to agree; `agreed` are those who did
    reasons       why somebody has to look
    escalate_at   when it is put before senior reviewers; an open review after that is overdue
    due_at        when it ends without anybody; it is never approved so
    """

    id: str
    onboarding: str
    workflow_id: str
    tenant: str
    state: ReviewState
    owner: Reviewer
    version: int
    approvers: int
    agreed: tuple[str, ...]
    reasons: tuple[str, ...]
    claimed_by: str | None
    claimed_at: datetime | None
    opened_at: datetime
    escalate_at: datetime
    due_at: datetime
    escalated_at: datetime | None
    closed_at: datetime | None


class ReviewPage(Answer):
    """Reviews, the first due first; `next` is the cursor of the page after, empty at the end."""

    items: list[ListedReview]
    next: str | None


class Agreement(Answer):
    """That somebody agreed, when and why."""

    by: str
    at: datetime
    reason: str


class Comment(Answer):
    """What a reviewer said to others."""

    id: int
    author: str
    text: str
    written_at: datetime


class Check(Answer):
    """What a rule or a person decided about the application. Any: each kind has its own content."""

    kind: str
    by: str
    at: datetime
    reason: str
    rule_version: str | None
    content: dict[str, Any]


class ReviewInFull(ListedReview):
    """All that a reviewer needs to decide.

    by_default   what happens when nobody decides in time
    excluded     the keys that may not decide
    codes        what the applicant was told, where they were rejected
    application  as it was when the review began, in this version
    open_hits    hits of the screening that nobody has judged: nobody can agree before
    checks       what was decided about the application so far, the latest first
    """

    by_default: Literal["reject", "expire"]
    excluded: tuple[str, ...]
    codes: tuple[AdverseAction, ...]
    application: Application
    open_hits: int
    agreements: list[Agreement]
    comments: list[Comment]
    checks: list[Check]


ID = review_id(examples.ID, 1)
LISTED = ListedReview(
    id=ID,
    onboarding=examples.ID,
    workflow_id=examples.PROCESS,
    tenant="example",
    state="open",
    owner="reviewer",
    version=1,
    approvers=1,
    agreed=(),
    reasons=("onboarding_risk/duplicate",),
    claimed_by="rosa-reviewer",
    claimed_at=examples.AT,
    opened_at=examples.AT,
    escalate_at=examples.AT + timedelta(days=3),
    due_at=examples.AT + timedelta(days=14),
    escalated_at=None,
    closed_at=None,
)
PAGE = ReviewPage(items=[LISTED], next=None)
COMMENT = Comment(
    id=1, author="rosa-reviewer", text="Asked for a newer extract.", written_at=examples.AT
)
IN_FULL = ReviewInFull(
    **LISTED.model_dump(),
    by_default="expire",
    excluded=(),
    codes=(),
    application=examples.IN_FULL.application,
    open_hits=0,
    agreements=[],
    comments=[COMMENT],
    checks=[
        Check(
            kind="rule.onboarding_risk",
            by="rule:onboarding_risk/duplicate",
            at=examples.AT,
            reason="onboarding_risk/duplicate",
            rule_version="1f0c5d6e7a8b",
            content={"row": "duplicate", "answer": {"route": "review", "risk": "medium"}},
        )
    ],
)
