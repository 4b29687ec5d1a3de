"""What the business decided about its customers: a part of the policy."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from workflows.onboarding.review import Reviewer, ReviewTerms
from workflows.onboarding.rules import Hours, Risk, ScreeningStatus
from workflows.policy import Duration
from workflows.request_key import Message

Thing = Literal["customer", "tax_id", "user", "membership", "contact", "company"]
"""What a customer has outside: in billing, in the directory, in the CRM."""


class ByRisk(Message):
    """How long a proof of identity is good, by the customer's risk."""

    low: Duration
    medium: Duration
    high: Duration

    def of(self, risk: Risk) -> timedelta:
        """How long it is good. Whom people let in against the rules is at high risk."""
        return {"low": self.low, "medium": self.medium}.get(risk, self.high)


class CustomerReviewPolicy(Message):
    """On which terms reviewers look at a customer, in business hours since the review was opened.

    When nobody decides in time an operator is asked: nobody loses access by time alone.
    """

    approvers: int = Field(ge=1, le=2)
    owner: Reviewer
    remind_after: Hours
    escalate_after: Hours
    decide_within: int = Field(ge=1, le=2_000)

    def terms(self, screening: ScreeningStatus) -> ReviewTerms:
        """The terms of a review because of what came of a screening."""
        return ReviewTerms(
            **self.model_dump(), by_default="expire", reasons=(f"screening/{screening}",)
        )


class ExpiringPolicy(Message):
    """How customers are asked for a new document before the one that we have expires.

    ask_before      so long before the day
    remind_after    when they are reminded, from when they were asked
    deliver_within  how long they have at least, also where it is expired already
    look_hours      how many hours of business reviewers may refuse what was delivered
    files           how many files of one kind are taken in
    """

    ask_before: Duration
    remind_after: tuple[Duration, ...]
    deliver_within: Duration
    look_hours: Hours
    files: int = Field(ge=1, le=20)


class LifePolicy(Message):
    """What the business decided about its customers. Read anew with each comparison.

    compare_every     how often the systems outside are compared with what should be there
    unseen            so often in a row a system may give no answer; then somebody is asked
    repairs           what is made anew where it is gone; about all else somebody is asked first
    reverify_after    how long a proof of identity is good
    reverify_within   how long a customer has to prove it again
    keep_for          how long what is kept of somebody who left must be kept
    review            how reviewers look at who may be on a list; without it an operator is asked
    documents         how documents are seen to that expire; without it nobody does
    """

    compare_every: Duration
    unseen: int = Field(ge=1, le=100)
    repairs: tuple[Thing, ...]
    reverify_after: ByRisk
    reverify_within: Duration
    keep_for: Duration
    review: CustomerReviewPolicy | None = None
    documents: ExpiringPolicy | None = None
