"""Our tables about where items come from: files, statements, payouts, balances that were told."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from database.columns import account as _account
from database.columns import bytes_text as _bytes_text
from database.columns import serial as _serial
from database.columns import time as _time


class SourceFileRow(SQLModel, table=True):
    """A statement file that somebody sent: each content once for each tenant.

    id       of its content in the spool, until it is read
    tenant   whose accounts its statements can be of; empty where all of them
    bank_account  of statements that do not name theirs: what the sender said
    state    received | read | refused (nothing of it counts; `error` and `position` say why)
    """

    __tablename__ = "source_files"
    __table_args__ = (
        CheckConstraint("state IN ('received', 'read', 'refused')", "known_state"),
        Index(
            "source_files_by_content",
            "sha256",
            text("coalesce(tenant, '')"),
            text("coalesce(bank_account, '')"),
            unique=True,
        ),
        Index("source_files_to_read", "received_at", postgresql_where=text("state = 'received'")),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    tenant: str | None = Field(default=None, sa_column=Column(Text))
    bank_account: str | None = Field(default=None, sa_column=Column(Text))
    sha256: str = Field(sa_column=Column(Text, nullable=False))
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False, server_default="received"))
    error: str | None = Field(default=None, sa_column=Column(Text))
    detail: str | None = Field(default=None, sa_column=Column(Text))
    position: str | None = Field(default=None, sa_column=Column(Text))
    received_by: str = Field(sa_column=Column(Text, nullable=False))
    received_at: datetime = Field(sa_column=_time(now=True))
    read_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))


class BadRowRow(SQLModel, table=True):
    """A row of a report that cannot be read, and counts for nothing.

    before  until when what was gathered with it happened
    """

    __tablename__ = "bad_rows"

    account: int = Field(sa_column=_account(key=True))
    before: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    source: str = Field(sa_column=Column(Text, primary_key=True))
    line: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    field: str | None = Field(default=None, sa_column=Column(Text))
    reason: str = Field(sa_column=Column(Text, nullable=False))


class StatementRow(SQLModel, table=True):
    """A statement of a bank account, as the bank sent it first.

    account    the reconciliation account; empty where nobody said that the bank account is ours
    tenant     whose it is: its account's, else its sender's; empty where that is not known
    sequence   the bank's count, where it counts
    opening_on, closing_on  the days of the balances, else of the first and the last entry
    proof      proven | unproven | unprovable; `difference_minor` is what is missing
    state      counts | unknown_account (to be taken in once the account is known) | again (the same
               as `same_as`, in another format or under another name) | interim (an MT942, whatever
               is beside it: its entries come again on a statement) | contradicted (named as
               `same_as` is, with other content) |
               superseded (does not add up, as `same_as` of its name does) | withdrawn (a person
               said so, for `withdrawn_for`: it counts for nothing)
    """

    __tablename__ = "statements"
    __table_args__ = (
        CheckConstraint("proof IN ('proven', 'unproven', 'unprovable')", "known_proof"),
        CheckConstraint(
            "state IN ('counts', 'unknown_account', 'again', 'interim', 'contradicted',"
            " 'superseded', 'withdrawn')",
            "known_state",
        ),
        CheckConstraint("format <> 'mt942' OR state = 'interim'", "interim_counts_nowhere"),
        Index(
            "statements_by_name",
            "bank_account",
            "currency",
            "statement_id",
            text("coalesce(sequence, 0)"),
            text("coalesce(closing_on, '-infinity'::date)"),
            text("coalesce(tenant, '')"),
            "state",
            unique=True,
            postgresql_where=text("state IN ('counts', 'unknown_account')"),
        ),
        Index("statements_of_account", "account", "currency", "closing_on"),
        Index("statements_of_file", "file"),
        Index(
            "statements_withdrawn",
            "bank_account",
            "currency",
            postgresql_where=text("state = 'withdrawn'"),
        ),
    )

    id: int = Field(default=None, sa_column=_serial())
    file: str = Field(sa_column=Column(Text, ForeignKey("source_files.id"), nullable=False))
    account: int | None = Field(default=None, sa_column=_account(nullable=True))
    tenant: str | None = Field(default=None, sa_column=Column(Text))
    bank_account: str = Field(sa_column=_bytes_text())
    currency: str = Field(sa_column=_bytes_text())
    statement_id: str = Field(sa_column=_bytes_text())
    sequence: int | None = Field(default=None, sa_column=Column(BigInteger))
    format: str = Field(sa_column=Column(Text, nullable=False))
    opening_on: date | None = Field(default=None, sa_column=Column(Date))
    opening_minor: int | None = Field(default=None, sa_column=Column(BigInteger))
    closing_on: date | None = Field(default=None, sa_column=Column(Date))
    closing_minor: int | None = Field(default=None, sa_column=Column(BigInteger))
    entries: int = Field(sa_column=Column(BigInteger, nullable=False))
    total_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    content: str = Field(sa_column=Column(Text, nullable=False))
    proof: str = Field(sa_column=Column(Text, nullable=False))
    difference_minor: int | None = Field(default=None, sa_column=Column(BigInteger))
    state: str = Field(sa_column=Column(Text, nullable=False))
    same_as: int | None = Field(
        default=None, sa_column=Column(BigInteger, ForeignKey("statements.id"))
    )
    taken_in_at: datetime = Field(sa_column=_time(now=True))
    withdrawn_by: str | None = Field(default=None, sa_column=Column(Text))
    withdrawn_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    withdrawn_for: str | None = Field(default=None, sa_column=Column(Text))


class PayoutRow(SQLModel, table=True):
    """A payout, as the processor told last; negative where it was taken from the bank.

    members_known  it can be told what it paid out
    members, members_minor  how many transactions it paid out, and their nets; once they are listed
    """

    __tablename__ = "payouts"
    __table_args__ = (
        Index(
            "payouts_to_itemise",
            "account",
            "made_at",
            postgresql_where=text("members_known AND members IS NULL"),
        ),
    )

    account: int = Field(sa_column=_account(key=True))
    id: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    currency: str = Field(sa_column=_bytes_text())
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    made_at: datetime = Field(sa_column=_time())
    arrival_on: date = Field(sa_column=Column(Date, nullable=False))
    automatic: bool = Field(nullable=False)
    status: str = Field(sa_column=Column(Text, nullable=False))
    members_known: bool = Field(nullable=False)
    trace_id: str | None = Field(default=None, sa_column=Column(Text))
    transaction: str | None = Field(default=None, sa_column=Column(Text))
    failure_transaction: str | None = Field(default=None, sa_column=Column(Text))
    original: str | None = Field(default=None, sa_column=Column(Text))
    reversed_by: str | None = Field(default=None, sa_column=Column(Text))
    members: int | None = Field(default=None, sa_column=Column(BigInteger))
    members_minor: int | None = Field(default=None, sa_column=Column(BigInteger))
    told_at: datetime = Field(sa_column=_time(now=True))


class PayoutMemberRow(SQLModel, table=True):
    """Which payout paid a balance transaction out, told after the transaction itself."""

    __tablename__ = "payout_members"
    __table_args__ = (Index("payout_members_of_payout", "account", "payout"),)

    account: int = Field(sa_column=_account(key=True))
    source_id: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    payout: str = Field(sa_column=_bytes_text())


class ToldBalanceRow(SQLModel, table=True):
    """A balance of the processor's book at a time, from another source than its movements.

    at      movements before it are in the balance
    source  balance | summary | person: what it was read from
    """

    __tablename__ = "told_balances"
    __table_args__ = (
        UniqueConstraint("account", "currency", "at", "source", name="told_balances_by_source"),
    )

    id: int = Field(default=None, sa_column=_serial())
    account: int = Field(sa_column=_account())
    currency: str = Field(sa_column=_bytes_text())
    at: datetime = Field(sa_column=_time())
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    source: str = Field(sa_column=Column(Text, nullable=False))
    told_at: datetime = Field(sa_column=_time(now=True))


class PaceRow(SQLModel, table=True):
    """When the next request to a system may go out, whichever worker sends it."""

    __tablename__ = "paces"

    name: str = Field(sa_column=Column(Text, primary_key=True))
    free_at: datetime = Field(sa_column=_time(now=True))
