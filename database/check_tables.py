"""Our tables about checks and reviews of applicants. Only `review_comments` is personal."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Interval,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from database.columns import json as _json
from database.columns import serial as _serial
from database.columns import time as _time


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


class IdentitySessionRow(SQLModel, table=True):
    """Sessions in which a reviewer finds out who an applicant is, where no other system does.

    key        the outside key of the request that opened the session
    reference  the application: what is to be looked at is there
    state      open | verified | failed | closed (by ourselves: nobody is to decide any more)
    """

    __tablename__ = "identity_sessions"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'verified', 'failed', 'closed')", "known_state"),
        Index("identity_sessions_by_age", "opened_at", "id"),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    key: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    workflow_id: str = Field(sa_column=Column(Text, nullable=False))
    reference: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False, server_default="open"))
    opened_at: datetime = Field(sa_column=_time(now=True))
    decided_by: str | None = Field(default=None, sa_column=Column(Text))
    decided_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    reason: str | None = Field(default=None, sa_column=Column(Text))


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
        Index("reviews_due", "state", "due_at", "id"),
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


class DocumentRequestRow(SQLModel, table=True):
    """Which kinds of document an onboarding asks for, in its latest round.

    files        how many of one kind are taken in
    dated        that they say until when they are valid
    of_customer  that whoever watches over a customer asks, not the onboarding
    """

    __tablename__ = "document_requests"

    onboarding_id: str = Field(sa_column=Column(Text, primary_key=True))
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    round: int = Field(nullable=False)
    files: int = Field(nullable=False)
    dated: bool = Field(
        default=False, sa_column_kwargs={"server_default": text("false")}, nullable=False
    )
    of_customer: bool = Field(
        default=False, sa_column_kwargs={"server_default": text("false")}, nullable=False
    )
    asked_at: datetime = Field(sa_column=_time(now=True))


class DocumentRow(SQLModel, table=True):
    """Documents that came in. Their content is in the spool, and then in the archive.

    state        received | stored | accepted | refused | gone
    code         what is wrong with a refused one
    valid_until  the last day on which it is valid, where it has one
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
    valid_until: date | None = Field(default=None, sa_column=Column(Date))
    created_at: datetime = Field(sa_column=_time(now=True))
    stored_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    judged_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    gone_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
