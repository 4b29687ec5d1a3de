"""The decision tables that an onboarding asks, in the order that it asks them."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from workflows.rules import Country, Facts, Question, Route, Ruling

Kind = Literal["person", "company"]
Risk = Literal["low", "medium", "high", "prohibited"]
Tier = Literal["standard", "business", "vip"]
DocumentKind = Literal[
    "proof_of_address",
    "register_extract",
    "ownership_statement",
    "source_of_funds",
    "identity_document",
]
ScreeningStatus = Literal["clear", "accepted", "possible", "confirmed"]
"""What lists of sanctions say of the parties of an application.

clear      no hit
accepted   only hits that somebody found to be others
possible   a hit that nobody has judged
confirmed  somebody found a party to be the one that is listed
"""
AdverseAction = Literal[
    "identity_not_verified",
    "country_not_served",
    "currency_not_served",
    "not_accepted",
    "details_not_confirmed",
    "known_already",
]
"""What an applicant is told about a rejection. A hit on a sanctions list is not told."""

Euros = Annotated[int, Field(ge=0)]
"""Whole euros, for thresholds; it is no amount of money that is owed to anybody."""
Hours = Annotated[int, Field(ge=0, le=2_000)]
"""Business hours."""


class RiskFacts(Facts):
    """What the risk of an applicant rests on.

    screening  where nobody screened it is `possible`, never `clear`
    owners_checked  every beneficial owner and the signatory; true for a person
    """

    kind: Kind
    country: Country
    identity: Literal["verified", "failed"]
    screening: ScreeningStatus
    politically_exposed: bool
    possible_duplicate: bool
    owners_checked: bool
    monthly_volume: Euros


class RiskRuling(Ruling):
    """How risky an applicant is. `codes` are what a rejected applicant is told."""

    risk: Risk
    codes: tuple[AdverseAction, ...]


class TierFacts(Facts):
    """What the tier of a customer rests on."""

    kind: Kind
    risk: Risk
    monthly_volume: Euros
    account_manager: bool


class TierRuling(Ruling):
    """Which tier a customer is in."""

    tier: Tier


class DocumentFacts(Facts):
    """What decides which documents are asked for."""

    kind: Kind
    risk: Risk
    tier: Tier


class DocumentsRuling(Ruling):
    """The documents that have to be delivered before provisioning."""

    documents: tuple[DocumentKind, ...]


class ReviewFacts(Facts):
    """What decides whether, by whom and by when an application is looked at."""

    risk: Risk
    tier: Tier
    risk_route: Route
    tier_route: Route
    documents_route: Route
    appeal: bool


class ReviewRuling(Ruling):
    """The terms of a review; its route is the last word of the rules.

    approvers     how many different people have to agree; none where nobody has to look
    remind_after, escalate_after, decide_within   business hours since the review began
    by_default    what happens when nobody decided in time: never an approval
    """

    approvers: Annotated[int, Field(ge=0, le=2)]
    owner: Literal["reviewer", "senior_reviewer"]
    remind_after: Hours
    escalate_after: Hours
    decide_within: Hours
    by_default: Literal["reject", "expire"]

    @model_validator(mode="after")
    def _people_have_time(self) -> "ReviewRuling":
        if self.route == "review" and (self.approvers < 1 or self.decide_within < 1):
            raise ValueError("a review takes at least one approver and one hour")
        return self


RISK = Question("onboarding_risk", RiskFacts, RiskRuling)
TIER = Question("customer_tier", TierFacts, TierRuling)
DOCUMENTS = Question("required_documents", DocumentFacts, DocumentsRuling)
REVIEW = Question("review", ReviewFacts, ReviewRuling)

QUESTIONS: tuple[Question[Any, Any], ...] = (RISK, TIER, DOCUMENTS, REVIEW)
"""Any: each has its own facts and answer."""
