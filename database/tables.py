"""Our tables.

Personal data lives in `applications`, in `review_comments` and, where we invoice ourselves, in
`billing_accounts` and `billing_tax_ids`; nowhere else. `screening_hits` has what public lists say
of those that they list. What documents hold is in the spool and in the archive.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Interval,
    Text,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel


def _time(*, nullable: bool = False, now: bool = False) -> Column[datetime]:
    default = text("clock_timestamp()") if now else None
    return Column(DateTime(timezone=True), nullable=nullable, server_default=default)


def _json(*, nullable: bool = False) -> Column[Any]:
    return Column(JSONB(none_as_null=True), nullable=nullable)


def _serial() -> Column[int]:
    return Column(BigInteger, Identity(always=True), primary_key=True)


class RequestRow(SQLModel, table=True):
    """The request ledger: one row for each intended effect. Written by `activities.once` only.

    state        pending | succeeded | refused | undone
    earlier      results from before the request was reopened: undoing takes them back too
    fingerprint  of what it was asked with; empty while a reopened request may be asked anew
    token        who carries it out now; nobody where it is empty
    lease_until  until when that may take, and until when an answer may still be on its way
    """

    __tablename__ = "requests"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'succeeded', 'refused', 'undone')", "known_state"),
    )

    key: str = Field(sa_column=Column(Text, primary_key=True))
    workflow_id: str = Field(sa_column=Column(Text, nullable=False, index=True))
    step: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    generation: int = Field(default=1, nullable=False)
    fingerprint: str | None = Field(default=None, sa_column=Column(Text))
    input: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    result: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    earlier: list[dict[str, Any]] = Field(
        sa_column=Column(JSONB, nullable=False, server_default=text("'[]'::jsonb"))
    )
    refusal: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    token: UUID | None = Field(default=None)
    lease_until: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    first_sent_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    created_at: datetime = Field(sa_column=_time(now=True))
    settled_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))


class ApiRequestRow(SQLModel, table=True):
    """What callers asked for under an Idempotency-Key, and what we answered.

    The key is kept as a hash, since callers put personal data in it. The row outlives the history
    of the process that it started.
    """

    __tablename__ = "api_requests"

    operation: str = Field(sa_column=Column(Text, primary_key=True))
    tenant: str = Field(sa_column=Column(Text, primary_key=True))
    key_hash: str = Field(sa_column=Column(Text, primary_key=True))
    fingerprint: str = Field(sa_column=Column(Text, nullable=False))
    lease_until: datetime = Field(sa_column=_time())
    status: int | None = Field(default=None)
    answer: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    created_at: datetime = Field(sa_column=_time(now=True))


class ApplicationRow(SQLModel, table=True):
    """What an applicant told us, in versions: personal data."""

    __tablename__ = "applications"
    __table_args__ = (
        Index(
            "applications_by_name",
            literal_column("lower(form ->> 'name')").label("name"),
            postgresql_using="gin",
            postgresql_ops={"name": "gin_trgm_ops"},
        ),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(primary_key=True)
    tenant: str = Field(sa_column=Column(Text, nullable=False))
    form: dict[str, Any] = Field(sa_column=_json())
    created_by: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = Field(sa_column=_time(now=True))


class ConfirmationRow(SQLModel, table=True):
    """That the address which a version of an application names is the applicant's."""

    __tablename__ = "confirmations"

    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(primary_key=True)
    confirmed_at: datetime = Field(sa_column=_time(now=True))


class OnboardingRow(SQLModel, table=True):
    """Where each onboarding is: what lists are made from.

    identity_link   where the applicant proves who they are, while that is to be done
    handed_over_at  when Temporal took it; empty where that has yet to happen
    appeal_of       the rejected onboarding that this one appeals against
    earlier_case    an onboarding of the same applicant that ended without an account
    merged_into     the onboarding of the same applicant that goes on in place of this one
    adverse_actions what a rejected applicant is told, as codes
    appeal_until    until when a rejected applicant may appeal
    """

    __tablename__ = "onboardings"
    __table_args__ = (
        Index("onboardings_by_tenant", "tenant", "created_at", "id"),
        Index("onboardings_by_stage", "stage", "created_at", "id"),
        Index("onboardings_by_age", "created_at", "id"),
        Index(
            "onboardings_to_hand_over",
            "created_at",
            postgresql_where=text("handed_over_at IS NULL"),
        ),
        Index(
            "onboardings_by_appeal",
            "appeal_of",
            unique=True,
            postgresql_where=text("appeal_of IS NOT NULL"),
        ),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    tenant: str = Field(sa_column=Column(Text, nullable=False))
    workflow_id: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    stage: str = Field(sa_column=Column(Text, nullable=False))
    stage_since: datetime = Field(sa_column=_time(now=True))
    created_at: datetime = Field(sa_column=_time(now=True))
    identity_link: str | None = Field(default=None, sa_column=Column(Text))
    handed_over_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    appeal_of: str | None = Field(default=None, sa_column=Column(Text))
    earlier_case: str | None = Field(default=None, sa_column=Column(Text))
    merged_into: str | None = Field(default=None, sa_column=Column(Text))
    adverse_actions: list[str] | None = Field(default=None, sa_column=_json(nullable=True))
    appeal_until: datetime | None = Field(default=None, sa_column=_time(nullable=True))


class KnownApplicantRow(SQLModel, table=True):
    """Which onboarding has which applicant, by what tells applicants of a tenant apart.

    trait  e_mail | name_and_birth | tax_id
    hash   a keyed hash of the normalised value: nobody can read from it who it is
    """

    __tablename__ = "known_applicants"
    __table_args__ = (Index("known_applicants_by_onboarding", "onboarding"),)

    tenant: str = Field(sa_column=Column(Text, primary_key=True))
    trait: str = Field(sa_column=Column(Text, primary_key=True))
    hash: str = Field(sa_column=Column(Text, primary_key=True))
    onboarding: str = Field(sa_column=Column(Text, nullable=False))
    since: datetime = Field(sa_column=_time(now=True))


class DuplicateRow(SQLModel, table=True):
    """Two onboardings that may be of one applicant, and what a reviewer made of it.

    alike     e_mail | name_and_birth | tax_id | name
    relation  merge: `other` goes on in place of this one | link: both go on; empty: not judged
    """

    __tablename__ = "duplicates"
    __table_args__ = (CheckConstraint("relation IN ('merge', 'link')", "known_relation"),)

    onboarding: str = Field(sa_column=Column(Text, primary_key=True))
    other: str = Field(sa_column=Column(Text, primary_key=True))
    alike: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    found_at: datetime = Field(sa_column=_time(now=True))
    relation: str | None = Field(default=None, sa_column=Column(Text))


class InboxRow(SQLModel, table=True):
    """Events that came in from outside, each once.

    state  waiting (to be handed over) | done | ignored (nobody waits for it; `note` says why)
    """

    __tablename__ = "inbox"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'done', 'ignored')", "known_state"),
        Index("inbox_by_event", "source", "event_id", unique=True),
        Index("inbox_waiting", "next_try_at", postgresql_where=text("state = 'waiting'")),
    )

    id: int = Field(default=None, sa_column=_serial())
    source: str = Field(sa_column=Column(Text, nullable=False))
    event_id: str = Field(sa_column=Column(Text, nullable=False))
    type: str = Field(sa_column=Column(Text, nullable=False))
    object_id: str = Field(sa_column=Column(Text, nullable=False))
    workflow_id: str | None = Field(default=None, sa_column=Column(Text))
    happened_at: datetime = Field(sa_column=_time())
    received_at: datetime = Field(sa_column=_time(now=True))
    state: str = Field(sa_column=Column(Text, nullable=False, server_default="waiting"))
    note: str | None = Field(default=None, sa_column=Column(Text))
    tries: int = Field(default=0, sa_column_kwargs={"server_default": "0"}, nullable=False)
    next_try_at: datetime = Field(sa_column=_time(now=True))
    done_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))


class DecisionRow(SQLModel, table=True):
    """Who decided what, when and why: a person by a signed update, or a rule in a version."""

    __tablename__ = "decisions"
    __table_args__ = (Index("decisions_by_update", "workflow_id", "update_id", unique=True),)

    id: int = Field(default=None, sa_column=_serial())
    workflow_id: str = Field(sa_column=Column(Text, nullable=False, index=True))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    content: dict[str, Any] = Field(sa_column=_json())
    reason: str = Field(sa_column=Column(Text, nullable=False))
    actor: str = Field(sa_column=Column(Text, nullable=False))
    actor_kind: str = Field(sa_column=Column(Text, nullable=False))
    roles: list[str] = Field(sa_column=_json())
    update_id: str | None = Field(default=None, sa_column=Column(Text))
    signing_key: str | None = Field(default=None, sa_column=Column(Text))
    signature: str | None = Field(default=None, sa_column=Column(Text))
    rule_version: str | None = Field(default=None, sa_column=Column(Text))
    decided_at: datetime = Field(sa_column=_time(now=True))


class RuleVersionRow(SQLModel, table=True):
    """A version of a decision table that was used, as its file was. Processes keep theirs.

    `version` is the hash of the content without comments and layout.
    """

    __tablename__ = "rule_versions"

    table_name: str = Field(sa_column=Column(Text, primary_key=True))
    version: str = Field(sa_column=Column(Text, primary_key=True))
    content: str = Field(sa_column=Column(Text, nullable=False))
    first_used_at: datetime = Field(sa_column=_time(now=True))


class AuditRow(SQLModel, table=True):
    """What happened, in order. Append-only: a trigger refuses every change of a row."""

    __tablename__ = "audit"

    id: int = Field(default=None, sa_column=_serial())
    at: datetime = Field(sa_column=_time(now=True))
    event: str = Field(sa_column=Column(Text, nullable=False))
    actor: str = Field(sa_column=Column(Text, nullable=False))
    workflow_id: str | None = Field(default=None, sa_column=Column(Text, index=True))
    details: dict[str, Any] = Field(sa_column=_json())


class LostRunRow(SQLModel, table=True):
    """A run that was ended from outside, its process half done, until somebody resolves it."""

    __tablename__ = "lost_runs"

    workflow_id: str = Field(sa_column=Column(Text, primary_key=True))
    run_id: str = Field(sa_column=Column(Text, primary_key=True))
    workflow_type: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    ended_at: datetime = Field(sa_column=_time())
    found_at: datetime = Field(sa_column=_time(now=True))
    resolved_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))


class WatermarkRow(SQLModel, table=True):
    """How far a sweep has come."""

    __tablename__ = "watermarks"

    name: str = Field(sa_column=Column(Text, primary_key=True))
    at: datetime = Field(sa_column=_time())


class BillingAccountRow(SQLModel, table=True):
    """Whom we invoice, where no other system does: personal data.

    number  the customer number; none is given out twice
    key     the outside key of the request that opened the account
    """

    __tablename__ = "billing_accounts"

    number: int = Field(default=None, sa_column=_serial())
    key: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    workflow_id: str = Field(sa_column=Column(Text, nullable=False, index=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    email: str = Field(sa_column=Column(Text, nullable=False))
    country: str = Field(sa_column=Column(Text, nullable=False))
    currency: str = Field(sa_column=Column(Text, nullable=False))
    opened_at: datetime = Field(sa_column=_time(now=True))


class BillingTaxIdRow(SQLModel, table=True):
    """The tax ids of those whom we invoice: personal data. They go with their account."""

    __tablename__ = "billing_tax_ids"
    __table_args__ = (Index("billing_tax_ids_of_account", "account", "type", "value", unique=True),)

    id: int = Field(default=None, sa_column=_serial())
    key: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    account: int = Field(
        sa_column=Column(
            BigInteger, ForeignKey("billing_accounts.number", ondelete="CASCADE"), nullable=False
        )
    )
    type: str = Field(sa_column=Column(Text, nullable=False))
    value: str = Field(sa_column=Column(Text, nullable=False))
    added_at: datetime = Field(sa_column=_time(now=True))


class DocumentRequestRow(SQLModel, table=True):
    """Which kinds of document an onboarding asks for, in its latest round.

    files  how many of one kind are taken in
    """

    __tablename__ = "document_requests"

    onboarding_id: str = Field(sa_column=Column(Text, primary_key=True))
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    round: int = Field(nullable=False)
    files: int = Field(nullable=False)
    asked_at: datetime = Field(sa_column=_time(now=True))


class DocumentRow(SQLModel, table=True):
    """Documents that came in. Their content is in the spool, and then in the archive.

    state  received | stored | accepted | refused | gone
    code   what is wrong with a refused one
    """

    __tablename__ = "documents"
    __table_args__ = (
        CheckConstraint(
            "state IN ('received', 'stored', 'accepted', 'refused', 'gone')", "known_state"
        ),
        Index(
            "documents_by_content",
            "onboarding_id",
            "kind",
            "round",
            "sha256",
            unique=True,
            postgresql_where=text("state <> 'gone'"),
        ),
        Index("documents_in_spool", "onboarding_id", postgresql_where=text("state = 'received'")),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    onboarding_id: str = Field(sa_column=Column(Text, nullable=False, index=True))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    round: int = Field(nullable=False)
    sha256: str = Field(sa_column=Column(Text, nullable=False))
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    media_type: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    code: str | None = Field(default=None, sa_column=Column(Text))
    uploaded_by: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = Field(sa_column=_time(now=True))
    stored_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    judged_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    gone_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))


class ScreeningHitRow(SQLModel, table=True):
    """An entry of a list that somebody in an application may be, until and after a person judged.

    request_key   the screening that found it
    party         who in the application: applicant | owner-N | signatory
    party_hash    the same for the same person or company in every application; nobody is named
    listed        what the list says of the entry: name, birth dates, countries, topics
    holds_for     how long a person's "it is somebody else" may hold
    verdict       false_positive | confirmed; nobody judged it where it is empty
    remembered    that the verdict is an earlier one, of another hit
    revision      raised by each judgement
    superseded    that the application was screened again since
    """

    __tablename__ = "screening_hits"
    __table_args__ = (
        CheckConstraint("verdict IN ('false_positive', 'confirmed')", "known_verdict"),
        Index(
            "screening_hits_once",
            *("request_key", "party", "list", "entry"),
            unique=True,
            postgresql_where=text("NOT superseded"),
        ),
        Index("screening_hits_of_application", "application_id", "id"),
        Index("screening_hits_of_party", "party_hash", "list", "entry"),
    )

    id: int = Field(default=None, sa_column=_serial())
    request_key: str = Field(sa_column=Column(Text, nullable=False))
    application_id: str = Field(sa_column=Column(Text, nullable=False))
    version: int = Field(nullable=False)
    party: str = Field(sa_column=Column(Text, nullable=False))
    party_hash: str = Field(sa_column=Column(Text, nullable=False))
    list: str = Field(sa_column=Column(Text, nullable=False))
    list_version: str = Field(sa_column=Column(Text, nullable=False))
    entry: str = Field(sa_column=Column(Text, nullable=False))
    entry_version: str = Field(sa_column=Column(Text, nullable=False))
    listed: dict[str, Any] = Field(sa_column=_json())
    score: int = Field(nullable=False)
    holds_for: timedelta = Field(sa_column=Column(Interval, nullable=False))
    found_at: datetime = Field(sa_column=_time(now=True))
    verdict: str | None = Field(default=None, sa_column=Column(Text))
    remembered: bool = Field(
        default=False, sa_column_kwargs={"server_default": text("false")}, nullable=False
    )
    judged_by: str | None = Field(default=None, sa_column=Column(Text))
    judged_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    reason: str | None = Field(default=None, sa_column=Column(Text))
    until: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    revision: int = Field(default=1, sa_column_kwargs={"server_default": "1"}, nullable=False)
    superseded: bool = Field(
        default=False, sa_column_kwargs={"server_default": text("false")}, nullable=False
    )


class ScreeningAcceptanceRow(SQLModel, table=True):
    """That somebody found a party to be another than an entry of a list: who, when, why.

    It holds until its date, and for as long as the entry says what it said.
    """

    __tablename__ = "screening_acceptances"
    __table_args__ = (Index("screening_acceptances_of_party", "party_hash", "list", "entry"),)

    id: int = Field(default=None, sa_column=_serial())
    hit: int = Field(
        sa_column=Column(
            BigInteger, ForeignKey("screening_hits.id", ondelete="CASCADE"), nullable=False
        )
    )
    party_hash: str = Field(sa_column=Column(Text, nullable=False))
    list: str = Field(sa_column=Column(Text, nullable=False))
    entry: str = Field(sa_column=Column(Text, nullable=False))
    entry_version: str = Field(sa_column=Column(Text, nullable=False))
    accepted_by: str = Field(sa_column=Column(Text, nullable=False))
    accepted_at: datetime = Field(sa_column=_time(now=True))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    until: datetime = Field(sa_column=_time())


class ReviewRow(SQLModel, table=True):
    """Applications that people look at: the queue, and how each review ended.

    state       open | approved | rejected | expired | void (the onboarding went on without it)
    owner       whose queue it is in: reviewer | senior_reviewer
    approvers   how many people have to agree; who did is in `decisions`
    excluded    names of API keys that may not decide
    codes       what a rejected applicant is told
    """

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint(
            "state IN ('open', 'approved', 'rejected', 'expired', 'void')", "known_state"
        ),
        CheckConstraint("owner IN ('reviewer', 'senior_reviewer')", "known_owner"),
        Index("reviews_of_onboarding", "onboarding", "number", unique=True),
        Index("reviews_due", "due_at", "id", postgresql_where=text("state = 'open'")),
        Index("reviews_by_due", "due_at", "id"),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    onboarding: str = Field(sa_column=Column(Text, nullable=False))
    number: int = Field(nullable=False)
    tenant: str = Field(sa_column=Column(Text, nullable=False))
    workflow_id: str = Field(sa_column=Column(Text, nullable=False))
    version: int = Field(nullable=False)
    state: str = Field(sa_column=Column(Text, nullable=False, server_default="open"))
    owner: str = Field(sa_column=Column(Text, nullable=False))
    approvers: int = Field(nullable=False)
    by_default: str = Field(sa_column=Column(Text, nullable=False))
    reasons: list[str] = Field(sa_column=_json())
    excluded: list[str] = Field(sa_column=_json())
    opened_at: datetime = Field(sa_column=_time())
    remind_at: datetime = Field(sa_column=_time())
    escalate_at: datetime = Field(sa_column=_time())
    due_at: datetime = Field(sa_column=_time())
    escalated_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    claimed_by: str | None = Field(default=None, sa_column=Column(Text))
    claimed_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    closed_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    codes: list[str] = Field(
        sa_column=Column(JSONB, nullable=False, server_default=text("'[]'::jsonb"))
    )


class ReviewCommentRow(SQLModel, table=True):
    """What reviewers wrote to each other about an applicant: personal data."""

    __tablename__ = "review_comments"
    __table_args__ = (
        Index("review_comments_of_review", "review", "author", "text_hash", unique=True),
    )

    id: int = Field(default=None, sa_column=_serial())
    review: str = Field(
        sa_column=Column(Text, ForeignKey("reviews.id", ondelete="CASCADE"), nullable=False)
    )
    author: str = Field(sa_column=Column(Text, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    text_hash: str = Field(sa_column=Column(Text, nullable=False))
    written_at: datetime = Field(sa_column=_time(now=True))
