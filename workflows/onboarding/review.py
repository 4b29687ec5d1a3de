"""What people are asked when rules send an application to them."""

from typing import Literal

from workflows.onboarding.rules import Hours
from workflows.request_key import Message


class ReviewTerms(Message):
    """How an application is looked at: by how many, in whose queue, and by when.

    remind_after, escalate_after, decide_within   business hours since the review began
    by_default   what happens when nobody decided in time: never an approval
    reasons      the rows of rules that asked for it, as `table/row`
    """

    approvers: int
    owner: Literal["reviewer", "senior_reviewer"]
    remind_after: Hours
    escalate_after: Hours
    decide_within: Hours
    by_default: Literal["reject", "expire"]
    reasons: tuple[str, ...] = ()
