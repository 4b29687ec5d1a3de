"""Our tables, as they should be.

Migrations make them, and queries name their columns in SQL: these classes serve Alembic alone,
which compares them with what is there to write a migration, and to tell whether one is missing.

What applicants told lives in `applications`, in `review_comments` and, where we invoice ourselves,
in `billing_accounts` and `billing_tax_ids`; `known_applicants` has hashes of it. What payers wrote
is in `descriptor`, and perhaps `reference`, of `items`, `journal_lines` and `openings`.
`screening_hits` has what public lists say of those that they list. What documents and statement
files hold is in the spools and in the archive. Who erases what: `docs/architecture.md`.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Text,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from database.columns import json as _json
from database.columns import serial as _serial
from database.columns import time as _time


class RequestRow(SQLModel, table=True):
    """The request ledger: one row for each intended effect. Written by `activities.once`,
    and where an operator reopens a request.

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
    """What an applicant told us, in versions: personal data.

    made_for  the parked steps that a correction is for, each with when it parked
    """

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
    made_for: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))


class ConfirmationRow(SQLModel, table=True):
    """That the address which a version of an application names is the applicant's."""

    __tablename__ = "confirmations"

    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(primary_key=True)
    confirmed_at: datetime = Field(sa_column=_time(now=True))


class ConsentRow(SQLModel, table=True):
    """Evidence that an applicant agreed: to what, in which version, when, and which key told us.

    `retention` is the class of evidence, by which it is decided how long it is kept.
    """

    __tablename__ = "consents"

    id: str = Field(sa_column=Column(Text, primary_key=True))
    subject: str = Field(sa_column=Column(Text, primary_key=True))
    version: str = Field(sa_column=Column(Text, primary_key=True))
    given_at: datetime = Field(sa_column=_time())
    told_by: str = Field(sa_column=Column(Text, nullable=False))
    retention: str = Field(sa_column=Column(Text, nullable=False))
    told_at: datetime = Field(sa_column=_time(now=True))


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


class CustomerRow(SQLModel, table=True):
    """Customers, as lists show them; `id` is that of the onboarding that they came by.

    proved_at      since when their proof of identity is good; in `reverify_at` it is asked for anew
    compared_at    when the systems outside were last compared with what should be there
    list_version   of the list that they were screened with last; `screening` is what came of that,
                   where it was after the onboarding, and `list_told` the version they are told of
    list_tried_at  when it was last tried to tell their process of a version of the list
    identity_link  where they prove who they are, while that is to be done
    keep_until     until when what is kept of somebody who left must be kept
    """

    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("stage IN ('active', 'reverifying', 'offboarded')", "known_stage"),
        Index("customers_by_tenant", "tenant", "since", "id"),
        Index("customers_by_stage", "stage", "since", "id"),
        Index("customers_by_age", "since", "id"),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    tenant: str = Field(sa_column=Column(Text, nullable=False))
    workflow_id: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    stage: str = Field(sa_column=Column(Text, nullable=False))
    stage_since: datetime = Field(sa_column=_time(now=True))
    since: datetime = Field(sa_column=_time())
    risk: str = Field(sa_column=Column(Text, nullable=False))
    proved_at: datetime = Field(sa_column=_time())
    reverify_at: datetime = Field(sa_column=_time())
    list_version: str | None = Field(default=None, sa_column=Column(Text))
    list_told: str | None = Field(default=None, sa_column=Column(Text))
    list_tried_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    screening: str | None = Field(default=None, sa_column=Column(Text))
    compared_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    identity_link: str | None = Field(default=None, sa_column=Column(Text))
    left_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    keep_until: datetime | None = Field(default=None, sa_column=_time(nullable=True))


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

    number     the customer number; none is given out twice
    key        the outside key of the request that opened the account
    closed_at  since when it is kept only, and nothing more is invoiced
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
    closed_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))


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
