"""What an onboarding is told, tells and asks for. Ids only: personal data stays in our database."""

import hashlib
from base64 import b32encode
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from workflows.actor import Decision
from workflows.onboarding.policy import DuplicatesPolicy, Policy
from workflows.onboarding.rules import AdverseAction
from workflows.request_key import Message, Request
from workflows.rules import RuleVersions

TASK_QUEUE = "onboarding"

Stage = Literal[
    "received",
    "validating",
    "verifying_email",
    "verifying_identity",
    "screening",
    "deciding",
    "reviewing",
    "awaiting_documents",
    "provisioning",
    "welcoming",
    "active",
    "rejected",
    "withdrawn",
    "expired",
    "aborted",
]

_STOPPED = ("withdrawn", "aborted")
_CHANGED = ("validating",)
"""A changed application is gone through again: what was checked before rests on the old one."""

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "received": frozenset({"validating", *_STOPPED}),
    # A stage whose section the policy does not have is left out: the one after it may follow.
    "validating": frozenset({"verifying_email", "verifying_identity", "rejected", *_STOPPED}),
    "verifying_email": frozenset({"verifying_identity", "expired", *_CHANGED, *_STOPPED}),
    "verifying_identity": frozenset({"screening", "deciding", "expired", *_CHANGED, *_STOPPED}),
    "screening": frozenset({"deciding", *_CHANGED, *_STOPPED}),
    "deciding": frozenset(
        {"reviewing", "awaiting_documents", "provisioning", "rejected", *_CHANGED, *_STOPPED}
    ),
    "reviewing": frozenset(
        {"awaiting_documents", "provisioning", "rejected", "expired", *_CHANGED, *_STOPPED}
    ),
    "awaiting_documents": frozenset({"provisioning", "expired", *_CHANGED, *_STOPPED}),
    # A hit that is confirmed only now is decided about: what was made is taken back before.
    "provisioning": frozenset({"welcoming", *_CHANGED, *_STOPPED}),
    # From here on the customer has an account: leaving is offboarding, not withdrawal.
    "welcoming": frozenset({"active", "aborted"}),
    "active": frozenset(),
    "rejected": frozenset(),
    "withdrawn": frozenset(),
    "expired": frozenset(),
    "aborted": frozenset(),
}
"""Which stage may follow which. What nothing follows is an end."""

CHANGEABLE = frozenset(
    {"validating"}
    | {stage for stage, following in TRANSITIONS.items() if "validating" in following}
) - {"received", "provisioning"}
"""The stages in which an application may be changed; later, systems have been given it."""
ENDS = frozenset(stage for stage, following in TRANSITIONS.items() if not following)
UNDONE = frozenset({"withdrawn", "expired", "aborted"})
"""The ends after which nothing is left outside."""
CAME_TO_NOTHING = ENDS - {"active"}
"""The ends of those who did not become customers: they may apply again."""


def onboarding_id(tenant: str, key: str) -> str:
    """26 characters that one signup always has: callers put personal data into their keys."""
    digest = hashlib.sha256(f"{tenant}\n{key}".encode()).digest()
    return b32encode(digest).decode().lower()[:26]


def appeal_id(tenant: str, onboarding: str) -> str:
    """The id of the one appeal against an onboarding: no key of a caller has a line break."""
    return onboarding_id(tenant, f"appeal\n{onboarding}")


def workflow_id(tenant: str, onboarding: str) -> str:
    """The id of the process that carries an onboarding."""
    return f"onboarding/{tenant}/{onboarding}"


def tenant_of(process: str) -> str | None:
    """The tenant of a process, from its id; None where it is no onboarding's or customer's."""
    parts = process.split("/")
    return parts[1] if len(parts) == 3 and parts[0] in ("onboarding", "customer") else None


class Start(Message):
    """The input of an onboarding: which application it is about."""

    application_id: str
    tenant: str


class ForApplicant(Decision):
    """What may be decided by somebody else for the applicant: then it says so."""

    on_behalf_of: Literal["applicant"] | None = None


class Change(ForApplicant):
    """The application was changed: what it says of `fields` is another in this `version`."""

    version: int
    fields: tuple[str, ...]


class ConfirmationResend(ForApplicant):
    """Somebody has the mail with the link sent once more."""


DocumentId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
RefusalCode = Literal["unreadable", "incomplete", "out_of_date", "not_what_was_asked", "other_name"]
"""What is wrong with a document. The applicant is told."""


class DocumentJudgement(Decision):
    """What a reviewer found a document to be; `code` says what is wrong with a refused one.

    `valid_until` is the day that they read in an accepted one, where they did.
    """

    document_id: DocumentId
    verdict: Literal["accepted", "refused"]
    code: RefusalCode | None = None
    valid_until: date | None = None


class Started(Message):
    """The answer to update-with-start."""

    application_id: str
    stage: str


class Withdrawal(ForApplicant):
    """The applicant, or a service on their behalf, takes the application back."""


class IdentityChanged(Message):
    """A hint that an identity session changed. What it is now is asked, not told."""

    event_id: str
    session_id: str


class ForApplication(Request):
    """A step about one version of an application."""

    application_id: str


class Received(Message):
    """An application taken up: what holds for it, and what provisioning has to make.

    `rules` are the versions of the decision tables; without them, identity alone decides.
    """

    policy: Policy
    has_tax_id: bool
    is_company: bool
    rules: RuleVersions | None = None


class Validate(ForApplication):
    """Check an application against the policy that its process keeps."""

    countries: tuple[str, ...]
    currencies: tuple[str, ...]
    policy_version: str
    duplicates: DuplicatesPolicy | None = None


class Validated(Message):
    """What is wrong with an application, as codes; nothing where it can go on.

    `possible_duplicate`: the applicant may be known already, and nobody has looked into it.
    """

    problems: tuple[AdverseAction, ...] = ()
    possible_duplicate: bool = False


class RecordStage(ForApplication):
    """The stage that an onboarding is in now; once it is rejected, what the applicant is told."""

    stage: str
    adverse_actions: tuple[AdverseAction, ...] = ()
    appeal_until: datetime | None = None


class OpenSession(ForApplication):
    """Ask for an identity session; `process` is told of it where it is not the onboarding."""

    process: str | None = None


class Session(Message):
    """An identity session."""

    session_id: str


class ReadSession(Request):
    """Ask how an identity session stands; where it waits, the applicant's link is made anew."""

    session_id: str
    application_id: str | None = None


class IdentityStatus(Message):
    """How an identity session stands.

    `report_id` names the last attempt; two reads of one attempt have the same.
    """

    status: Literal["requires_input", "processing", "verified", "canceled"]
    report_id: str | None = None
    error: str | None = None


class CreateCustomer(ForApplication):
    """Make the customer in billing."""


class Customer(Message):
    """A customer in billing."""

    customer_id: str


class CreateTaxId(ForApplication):
    """Give a customer in billing its tax id."""

    customer_id: str


class TaxId(Message):
    """A tax id in billing and the customer that has it; none where there was none to give."""

    tax_id: str | None
    customer_id: str


class CreateUser(ForApplication):
    """Make the customer's user in the directory."""


class User(Message):
    """A user in the directory."""

    user_id: str


class JoinGroup(ForApplication):
    """Put a user into the group of the tenant's customers."""

    user_id: str


class Membership(Message):
    """That a user is in a group of the directory."""

    group_id: str
    user_id: str


class CreateContact(ForApplication):
    """Make the customer's contact in the CRM."""


class Contact(Message):
    """A contact in the CRM."""

    contact_id: str


class CreateCompany(ForApplication):
    """Make the customer's company in the CRM."""


class Company(Message):
    """A company in the CRM."""

    company_id: str


class Welcome(ForApplication):
    """Tell the customer that they are welcome."""


class Reject(ForApplication):
    """Tell the applicant that the answer is no, why, and until when they may appeal."""

    codes: tuple[AdverseAction, ...]
    appeal_until: datetime


class Letter(Message):
    """A mail that was handed over; no id where somebody decided to go on without it."""

    message_id: str | None
