"""What a decision rests on, and what it comes to."""

from typing import Literal

from workflows.onboarding.messages import ForApplication
from workflows.onboarding.review import ReviewTerms
from workflows.onboarding.rules import AdverseAction, DocumentKind, Risk, ScreeningStatus, Tier
from workflows.request_key import Message
from workflows.rules import RuleVersions


class Decide(ForApplication):
    """What a decision rests on, besides the application itself.

    rules      the versions of the tables that the process keeps; without them, identity decides
    screening  what came of it; empty where nobody screened, which is never taken for a clear one
    """

    identity: Literal["verified", "failed"]
    rules: RuleVersions | None = None
    screening: ScreeningStatus | None = None
    politically_exposed: bool = False
    possible_duplicate: bool = False


class Decided(Message):
    """A decision by rule: which, and in which version.

    codes      what a rejected applicant is told
    tier, risk, documents   what the tables said; it holds for whom a review approves, too
    review     on which terms people look; nobody has to where it is empty
    excluded   who may not take part in the review: names of API keys
    """

    outcome: Literal["approved", "review", "rejected"]
    rule: str
    rule_version: str
    codes: tuple[AdverseAction, ...] = ()
    tier: Tier | None = None
    risk: Risk | None = None
    documents: tuple[DocumentKind, ...] = ()
    review: ReviewTerms | None = None
    excluded: tuple[str, ...] = ()
