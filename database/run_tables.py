"""Our tables about runs: of which date, over what, what was proved."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from database.columns import account as _account
from database.columns import code as _code
from database.columns import json as _json
from database.columns import time as _time


class RunRow(SQLModel, table=True):
    """A reconciliation of an account for a business date; the ordinal counts those of one date.

    previous  the run before: its open items are carried forward into this one
    stage     how far its process is; the ends of it are stages, too
    status    BALANCED | BREAKS | PROOF_FAILED | INCOMPLETE; empty until it is known
    """

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("account", "business_date", "ordinal", name="runs_by_date"),
        CheckConstraint(
            "status IN ('BALANCED', 'BREAKS', 'PROOF_FAILED', 'INCOMPLETE')", "known_status"
        ),
        Index("runs_under_way", "account", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("runs_by_begin", "begun_at", "id"),
    )

    id: int = Field(default=None, sa_column=Column(Integer, primary_key=True))
    account: int = Field(sa_column=_account())
    business_date: date = Field(sa_column=Column(Date, nullable=False))
    ordinal: int = Field(nullable=False)
    previous: int | None = Field(
        default=None, sa_column=Column(Integer, ForeignKey("runs.id"), nullable=True)
    )
    workflow_id: str | None = Field(default=None, sa_column=Column(Text, unique=True))
    stage: str = Field(sa_column=Column(Text, nullable=False, server_default="received"))
    stage_since: datetime = Field(sa_column=_time(now=True))
    status: str | None = Field(default=None, sa_column=Column(Text))
    begun_at: datetime = Field(sa_column=_time(now=True))
    matched_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))


class CutRow(SQLModel, table=True):
    """The fixed inputs of a run: the account's items up to `last_item` that happened before.

    last_intake, last_item  the latest intake, and the latest item then
    hash      of contents, terms, calendars, matches by people and what was open before; no times
    previous  the cut that this one goes on from: what is new is what that one had not
    inputs    until when, which statements, what is missing: `workflows.reconciliation.inputs`
    record    what it holds, with hashes, as the certificate tells it
    proof     what was proven of it, until that is certified
    """

    __tablename__ = "cuts"
    __table_args__ = (UniqueConstraint("account", "business_date", "hash", name="cuts_by_hash"),)

    run: int = Field(sa_column=Column(Integer, ForeignKey("runs.id"), primary_key=True))
    account: int = Field(sa_column=_account())
    business_date: date = Field(sa_column=Column(Date, nullable=False))
    previous: int | None = Field(
        default=None, sa_column=Column(Integer, ForeignKey("cuts.run"), nullable=True)
    )
    last_intake: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_item: int = Field(sa_column=Column(BigInteger, nullable=False))
    processor_before: datetime = Field(sa_column=_time())
    bank_before: datetime = Field(sa_column=_time())
    journal_before: datetime = Field(sa_column=_time())
    terms_version: str = Field(sa_column=Column(Text, nullable=False))
    inputs: dict[str, Any] = Field(sa_column=_json())
    hash: str | None = Field(default=None, sa_column=Column(Text))
    record: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    proof: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    made_at: datetime = Field(sa_column=_time(now=True))


class ControlTotalRow(SQLModel, table=True):
    """A balance or total of a cut that an independent source told.

    kind    opening | closing | activity | entries: what it is a total of
    source  who told: the report, the statement, the sealed account
    """

    __tablename__ = "control_totals"

    cut: int = Field(sa_column=Column(Integer, ForeignKey("cuts.run"), primary_key=True))
    book: int = Field(sa_column=_code(key=True))
    currency: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    source: str = Field(sa_column=Column(Text, nullable=False))


class CertificateRow(SQLModel, table=True):
    """What a run proved. A later one of the same date supersedes it; it stays as it is."""

    __tablename__ = "certificates"
    __table_args__ = (UniqueConstraint("account", "business_date", "ordinal", name="one_a_run"),)

    id: str = Field(sa_column=Column(Text, primary_key=True))
    run: int = Field(sa_column=Column(Integer, ForeignKey("runs.id"), nullable=False, unique=True))
    account: int = Field(sa_column=_account())
    business_date: date = Field(sa_column=Column(Date, nullable=False))
    ordinal: int = Field(nullable=False)
    status: str = Field(sa_column=Column(Text, nullable=False))
    previous: str | None = Field(
        default=None, sa_column=Column(Text, ForeignKey("certificates.id"), nullable=True)
    )
    supersedes: str | None = Field(
        default=None, sa_column=Column(Text, ForeignKey("certificates.id"), nullable=True)
    )
    result_hash: str = Field(sa_column=Column(Text, nullable=False))
    content: dict[str, Any] = Field(sa_column=_json())
    issued_at: datetime = Field(sa_column=_time(now=True))


class CertificateDocumentRow(SQLModel, table=True):
    """What a certificate reads like: json | csv (its list of breaks) | html (a page to print).

    Kept as it was written: what was printed once reads the same for good.
    """

    __tablename__ = "certificate_documents"
    __table_args__ = (CheckConstraint("format IN ('json', 'csv', 'html')", "known_format"),)

    certificate: str = Field(
        sa_column=Column(Text, ForeignKey("certificates.id"), primary_key=True)
    )
    format: str = Field(sa_column=Column(Text, primary_key=True))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
