"""What a review by people is told, tells and asks for. Ids and codes only."""

from datetime import datetime, time
from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from workflows.actor import Decision
from workflows.onboarding.rules import AdverseAction, Hours
from workflows.policy import Duration
from workflows.request_key import Message, Request

Reviewer = Literal["reviewer", "senior_reviewer"]
"""The roles that may decide in a review. Once it is a senior reviewer's, only they may."""

Outcome = Literal["approved", "rejected", "expired"]

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]

BY_DEFAULT: AdverseAction = "not_accepted"
"""What an applicant is told whom nobody decided about in time."""


class Office(Message):
    """Where reviewers work: its hours and its public holidays are those of a review's deadlines.

    applicants_from  the countries whose applicants it looks at; where it is empty, every other
    country          whose public holidays hold; `subdivision` adds those of a part of it, as BY
    opens, closes    by the clock of `time_zone`
    """

    country: CountryCode
    subdivision: str | None = None
    time_zone: str
    opens: time
    closes: time
    working_days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    applicants_from: tuple[CountryCode, ...] = ()

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> "Office":
        if self.opens >= self.closes:
            raise ValueError("an office opens before it closes, on the same day")
        return self


class ReviewPolicy(Message):
    """When reviewers work. The terms of each review are of the rules, in business hours.

    `an_hour_takes` stands in for the offices' hours where a person watches: so long is an hour,
    round the clock.
    """

    offices: Annotated[tuple[Office, ...], Field(min_length=1)]
    an_hour_takes: Duration | None = None

    @model_validator(mode="after")
    def _somebody_looks_at_every_applicant(self) -> "ReviewPolicy":
        last = self.offices[-1]
        if any(bool(office.applicants_from) is (office is last) for office in self.offices):
            raise ValueError(
                "each office names its applicants' countries; the last, which has all others, none"
            )
        return self


class ReviewTerms(Message):
    """What the rules say about one review.

    approvers   how many different people have to agree
    owner       whose queue it is in
    remind_after, escalate_after, decide_within   business hours since it was opened
    by_default  what happens when nobody decided in time: never an approval
    reasons     why somebody has to look: codes, or rows of rules
    version     of the rules that say so
    """

    approvers: Annotated[int, Field(ge=1, le=2)]
    owner: Reviewer
    remind_after: Hours
    escalate_after: Hours
    decide_within: Annotated[int, Field(ge=1, le=2_000)]
    by_default: Literal["reject", "expire"]
    reasons: tuple[str, ...] = ()
    version: str = ""


class Verdict(Message):
    """How a review ended; `codes` are what a rejected applicant is told."""

    outcome: Outcome
    codes: tuple[AdverseAction, ...] = ()


class AboutReview(Decision):
    """A decision about exactly one review of exactly one version of the application."""

    review: int
    version: int


class Approval(AboutReview):
    """One person agrees."""


class Rejection(AboutReview):
    """One person says no: `codes` are for the applicant, the reason is for us alone."""

    codes: Annotated[tuple[AdverseAction, ...], Field(min_length=1, max_length=6)]


class Mark(BaseModel):
    """What is to be done about an open review, and when."""

    at: datetime
    what: Literal["remind", "escalate"]


class UnderReview(BaseModel):
    """An open review, as its process knows it. It goes over into another run with the process.

    marks      what is still to be done while nobody decides, in order
    decisions  what was said, each with the update that it came by
    kept       how many of them have their row
    """

    id: str
    number: int
    version: int
    terms: ReviewTerms
    excluded: tuple[str, ...]
    owner: Reviewer
    due_at: datetime
    marks: list[Mark] = []
    decisions: list[tuple[str, Approval | Rejection]] = []
    kept: int = 0

    @property
    def rejection(self) -> Rejection | None:
        """The no that ended it."""
        return next((one for _, one in self.decisions if isinstance(one, Rejection)), None)

    @property
    def agreed(self) -> tuple[str, ...]:
        """Who agreed so far."""
        return tuple(one.by.actor.name for _, one in self.decisions if isinstance(one, Approval))

    @property
    def missing(self) -> int:
        """How many people have yet to agree."""
        return self.terms.approvers - len(self.agreed)

    @property
    def settled(self) -> bool:
        """Whether nobody has to say any more."""
        return self.rejection is not None or self.missing == 0

    @property
    def deciders(self) -> tuple[Reviewer, ...]:
        """Who may decide now."""
        if self.owner == "senior_reviewer":
            return ("senior_reviewer",)
        return ("reviewer", "senior_reviewer")


class Reviewed(BaseModel):
    """What a process knows of the reviews of whom its application is about.

    `reviews` is how many there have been; `review` is the one that is open.
    """

    application_id: str
    reviews: int = 0
    review: UnderReview | None = None


def review_id(application_id: str, number: int) -> str:
    """The id of an onboarding's review: they are counted from 1."""
    return f"{application_id}-{number}"


class OpenReview(Request):
    """Put one version of an application before people; `excluded` may not decide about it.

    `process` takes what they decide, where it is not the onboarding.
    """

    application_id: str
    number: int
    process: str | None = None
    terms: ReviewTerms
    excluded: tuple[str, ...] = ()


class OpenedReview(Message):
    """The times that its terms come to, in the hours of those who look."""

    remind_at: datetime
    escalate_at: datetime
    due_at: datetime


class OfReview(Request):
    """A step about an open review."""

    review_id: str


class RemindOfReview(OfReview):
    """Tell those in whose queue a review is that it waits, or that it is theirs from now on."""

    owner: Reviewer
    due_at: datetime
    escalated: bool = False


class CloseReview(OfReview):
    """How a review ended; `by_default` where nobody decided in time."""

    verdict: Verdict
    by_default: bool
    rule_version: str = ""
