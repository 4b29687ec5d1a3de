"""What an applicant asks for, and what the gateway answers: the words of the HTTP API.

Applications are personal data. They travel between the caller and the gateway and rest in our
database; no process ever holds one.
"""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from workflows.onboarding.documents import DocumentState
from workflows.onboarding.messages import RefusalCode
from workflows.onboarding.rules import AdverseAction, DocumentKind
from workflows.progress import Progress
from workflows.request_key import Message


class TaxNumber(Message):
    """A tax id as the applicant wrote it; `type` is Stripe's name for the kind, as `eu_vat`."""

    type: str
    value: str


class Signatory(Message):
    """Somebody who is entitled to sign for a company. `country` is where they live."""

    name: str
    country: str
    date_of_birth: date


class Owner(Message):
    """A beneficial owner of a company, with their share of it in percent."""

    name: str
    country: str
    date_of_birth: date
    share_percent: float


class Application(Message):
    """A signup.

    `country` is ISO 3166-1 alpha-2, `currency` ISO 4217, both in capitals. `monthly_volume` is what
    the applicant expects to turn over, in whole euros. `account_manager` is the name of an API key:
    whoever has it does not review this application. `terms_version` are the terms that the
    applicant accepted at `terms_accepted_at`, or when the signup came in. What holds for the fields
    is checked by the gateway.
    """

    kind: Literal["person", "company"]
    name: str
    email: str
    country: str
    currency: str
    tax_id: TaxNumber | None = None
    date_of_birth: date | None = None
    monthly_volume: int | None = None
    owners: tuple[Owner, ...] = ()
    signatory: Signatory | None = None
    account_manager: str | None = None
    terms_version: str | None = None
    terms_accepted_at: datetime | None = None

    @property
    def owners_known(self) -> bool:
        """Whether it is told who stands behind a company, and who signs; always so of a person."""
        return self.kind == "person" or bool(self.owners and self.signatory)


class Answer(BaseModel):
    """What the gateway answers. A later release may tell more: what is not known is passed over."""

    model_config = ConfigDict(frozen=True)


class Onboarding(Answer):
    """Which onboarding a signup became, and its stage at that moment."""

    id: str
    workflow_id: str
    tenant: str
    stage: str


class ListedOnboarding(Onboarding):
    """An onboarding with its times. `ended_at` is empty while it is under way."""

    stage_since: datetime
    created_at: datetime
    ended_at: datetime | None


class AdverseActionTold(Answer):
    """Why the answer is no, as code and as the letter to the applicant says it."""

    code: AdverseAction
    text: str


class Told(Answer):
    """What a rejected applicant is told, and until when they may appeal; empty: no more."""

    codes: tuple[AdverseActionTold, ...]
    appeal_until: datetime | None


class DecisionTold(Answer):
    """What was decided, by whom and why, for those who review and operate. Never for applicants.

    `by` is the name of an API key or, of a rule, `rule:` and its table and row. Any: the content is
    each decision's own.
    """

    kind: str
    by: str
    at: datetime
    reason: str
    rule_version: str | None
    content: dict[str, Any]


class OnboardingInFull(ListedOnboarding):
    """An onboarding with its application and, while a worker answers for it, its progress.

    `version` is the application's: corrections by operators raise it. `identity_link` is where the
    applicant proves who they are: send them there while it is set, and nobody else. It expires
    after 48 hours or one attempt: ask for it when you need it, and do not keep it.

    `rejection` is for the applicant; `decisions`, with our own reasons, is there for keys of
    reviewers, operators and admins alone. `appeal_of` is the onboarding that this one appeals
    against, `earlier_case` an earlier one of the same applicant that came to nothing,
    `merged_into` the one that goes on in place of this one.
    """

    version: int
    identity_link: str | None = None
    rejection: Told | None = None
    appeal_of: str | None = None
    earlier_case: str | None = None
    merged_into: str | None = None
    decisions: tuple[DecisionTold, ...] | None = None
    application: Application
    progress: Progress | None


class Confirmed(Answer):
    """That an applicant's address is confirmed, and since when."""

    id: str
    confirmed_at: datetime


class Resent(Answer):
    """That the mail with the link goes out once more, and the stage at that moment."""

    id: str
    stage: str


class OnboardingPage(Answer):
    """Onboardings, newest first; `next` is the cursor of the page after, empty at the end."""

    items: list[ListedOnboarding]
    next: str | None


class ChangedApplication(Answer):
    """The new version of a changed application, and in which fields it says something else."""

    id: str
    version: int
    fields: tuple[str, ...]
    stage: str


class Withdrawn(Answer):
    """Where a withdrawal stands; `stopping` is empty once everything is taken back."""

    id: str
    stage: str
    stopping: str | None


class DeliveredDocument(Answer):
    """A document that came in; `code` says what is wrong with a refused one.

    `valid_until` is the last day on which it is valid, where it has one.

    `sha256` is of its content. What its file was called is not kept.
    """

    id: str
    onboarding_id: str
    kind: DocumentKind
    state: DocumentState
    code: RefusalCode | None
    sha256: str
    size: int
    media_type: str
    uploaded_by: str
    valid_until: date | None = None
    created_at: datetime
    stored_at: datetime | None
    judged_at: datetime | None


class DocumentList(Answer):
    """The documents of an onboarding, the oldest first, and the kinds that it still waits for."""

    missing: list[DocumentKind]
    items: list[DeliveredDocument]


Standing = Literal["in_progress", "your_turn", "accepted", "declined", "ended"]
Task = Literal["confirm_email", "prove_identity", "send_documents"]


class Asked(Answer):
    """What an applicant is to do, and until when, which is empty while no worker answers.

    `where` is the link at which they prove who they are, or the path that says which documents are
    missing and takes them in; the link that confirms an address is in their mail alone.
    """

    task: Task
    where: str | None
    until: datetime | None


class ApplicantStatus(Answer):
    """How an onboarding stands, as its applicant may know it.

    adverse_actions  why the answer is no, as codes
    appeal_until     until when they may appeal against that
    """

    id: str
    standing: Standing
    text: str
    asked: Asked | None
    adverse_actions: tuple[AdverseAction, ...]
    appeal_until: datetime | None


class StatusToken(Answer):
    """A token for the applicant, and nobody else; it holds until then."""

    token: str
    until: datetime
