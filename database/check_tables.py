"""Our tables about checks of applicants. What is personal is in `applications` and not here."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Interval, Text, text
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
