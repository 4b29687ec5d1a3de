"""Our tables of the journal: our own book, in double entry.

Personal is what payers wrote: the `descriptor` of lines and openings, perhaps their `reference`.

Entries, lines and movements are append-only: what was booked wrongly is put right by an entry.
Triggers hold to that, and to what `database.journal` says of each; see `docs/journal.md`.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from database.columns import json as _json
from database.columns import serial as _serial
from database.columns import time as _time

_XID = text("(pg_current_xact_id()::text)::bigint")
"""The transaction that a row came by: what seals go by."""


class JournalAccountRow(SQLModel, table=True):
    """One account of the journal: for one purpose of one reconciliation account, in one currency.

    code  clearing | in_transit | cash | receivables | fees | reserve | fx | unsettled | suspense |
          write_offs | opening
    """

    __tablename__ = "journal_accounts"
    __table_args__ = (
        CheckConstraint(
            "code IN ('clearing', 'in_transit', 'cash', 'receivables', 'fees', 'reserve', 'fx',"
            " 'unsettled', 'suspense', 'write_offs', 'opening')",
            "known_code",
        ),
        UniqueConstraint("account", "code", "currency", name="journal_accounts_once"),
    )

    id: int = Field(
        default=None, sa_column=Column(Integer, Identity(always=True), primary_key=True)
    )
    account: int = Field(
        sa_column=Column(Integer, ForeignKey("reconciliation_accounts.id"), nullable=False)
    )
    code: str = Field(sa_column=Column(Text, nullable=False))
    currency: str = Field(sa_column=Column(Text, nullable=False))


class JournalEntryRow(SQLModel, table=True):
    """What was booked at once: its lines sum to zero in each currency.

    kind          payment | import | opening | posting | reversal | correction
    effective_on  the day it happened, in the account's time zone
    period        the first day of the month that it is booked in: that of `effective_on`, or the
                  first open one after it
    derived       made by us from another book's data
    lines         how many it has: all of them come with it
    xid           the transaction that it came by
    """

    __tablename__ = "journal_entries"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('payment', 'import', 'opening', 'posting', 'reversal', 'correction')",
            "known_kind",
        ),
        CheckConstraint("lines >= 2", "has_lines"),
        CheckConstraint(
            "EXTRACT(day FROM period) = 1 AND period + interval '1 month' > effective_on",
            "in_its_period_or_later",
        ),
        # Rows lie about as they came: blocks of them are found by transaction at next to no cost.
        Index("journal_entries_by_xid", "xid", postgresql_using="brin"),
        Index(
            "journal_entries_reversed_once",
            "reversal_of",
            unique=True,
            postgresql_where=text("reversal_of IS NOT NULL"),
        ),
    )

    id: int = Field(default=None, sa_column=_serial())
    account: int = Field(nullable=False)
    request_key: str = Field(sa_column=Column(Text(collation="C"), nullable=False, unique=True))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    occurred_at: datetime = Field(sa_column=_time())
    effective_on: date = Field(nullable=False)
    period: date = Field(nullable=False)
    derived: bool = Field(nullable=False)
    reversal_of: int | None = Field(default=None, sa_column=Column(BigInteger))
    lines: int = Field(nullable=False)
    xid: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=_XID))
    recorded_at: datetime = Field(sa_column=_time(now=True))


class JournalLineRow(SQLModel, table=True):
    """One side of an entry; positive is a debit.

    kind       what it is for, in the processor's words: charge, refund, fee, payout, …
    reference  what our systems know it by
    object_id  the processor's object (`ch_…`, `re_…`, `po_…`) that it is about
    payout     the payout that it is a member of, or is
    """

    __tablename__ = "journal_lines"
    __table_args__ = (CheckConstraint("amount_minor <> 0", "moves_something"),)

    entry: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    line: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    journal_account: int = Field(nullable=False)
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    reference: str | None = Field(default=None, sa_column=Column(Text))
    object_id: str | None = Field(default=None, sa_column=Column(Text))
    payout: str | None = Field(default=None, sa_column=Column(Text))
    arrival_on: date | None = Field(default=None)
    descriptor: str | None = Field(default=None, sa_column=Column(Text))
    presentment_minor: int | None = Field(default=None, sa_column=Column(BigInteger))
    presentment_currency: str | None = Field(default=None, sa_column=Column(Text))


class JournalMovementRow(SQLModel, table=True):
    """What one statement moved on one journal account and day: balances are made of these alone.

    A trigger adds them beside the lines, so that a line that is changed afterwards shows.
    """

    __tablename__ = "journal_movements"
    __table_args__ = (Index("journal_movements_by_xid", "xid", postgresql_using="brin"),)

    id: int = Field(default=None, sa_column=_serial())
    journal_account: int = Field(nullable=False)
    effective_on: date = Field(nullable=False)
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    lines: int = Field(nullable=False)
    xid: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=_XID))


class JournalSealRow(SQLModel, table=True):
    """Up to where the journal of an account is closed to new rows.

    horizon  every transaction before it has ended: what it booked is there, and no more will be
    """

    __tablename__ = "journal_seals"

    account: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    horizon: int = Field(sa_column=Column(BigInteger, nullable=False))
    sealed_at: datetime = Field(sa_column=_time(now=True))


class JournalSealedBalanceRow(SQLModel, table=True):
    """What a seal added to the balance of a journal account, by the day that it is effective on."""

    __tablename__ = "journal_sealed_balances"

    account: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    journal_account: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    effective_on: date = Field(primary_key=True)
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    lines: int = Field(sa_column=Column(BigInteger, nullable=False))


class JournalPeriodRow(SQLModel, table=True):
    """A month up to and with which an account's journal takes no more: `soft_closed` or `locked`.

    A month without a row, later than all that have one, is open; so is one that was opened again.
    """

    __tablename__ = "journal_periods"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'soft_closed', 'locked')", "known_state"),
        CheckConstraint("EXTRACT(day FROM month) = 1", "first_of_month"),
    )

    account: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    month: date = Field(primary_key=True)
    state: str = Field(sa_column=Column(Text, nullable=False))
    changed_by: str = Field(sa_column=Column(Text, nullable=False))
    changed_at: datetime = Field(sa_column=_time(now=True))


class PaymentRow(SQLModel, table=True):
    """A payment as our services told it, and the entry that it was booked by."""

    __tablename__ = "payments"
    __table_args__ = (
        Index("payments_by_age", "account", "booked_at", "id"),
        Index("payments_by_reference", "account", "reference"),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    account: int = Field(nullable=False)
    entry_key: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    reference: str = Field(sa_column=Column(Text, nullable=False))
    object_id: str | None = Field(default=None, sa_column=Column(Text))
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    currency: str = Field(sa_column=Column(Text, nullable=False))
    fee_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    settled_minor: int | None = Field(default=None, sa_column=Column(BigInteger))
    settled_currency: str | None = Field(default=None, sa_column=Column(Text))
    captured_at: datetime = Field(sa_column=_time())
    told_by: str = Field(sa_column=Column(Text, nullable=False))
    booked_at: datetime = Field(sa_column=_time(now=True))


class PaymentOutboxRow(SQLModel, table=True):
    """Where services that share our database put payments, in the transaction of their own work.

    key      names the payment for good; the same again is nothing new
    account  the reconciliation account, by its name
    payment  what `POST /v1/payments` takes as its body, without the account
    state    waiting | booked | refused
    note     why it was refused
    """

    __tablename__ = "payment_outbox"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'booked', 'refused')", "known_state"),
        UniqueConstraint("account", "key", name="payment_outbox_once"),
        Index("payment_outbox_waiting", "id", postgresql_where=text("state = 'waiting'")),
    )

    id: int = Field(default=None, sa_column=_serial())
    account: str = Field(sa_column=Column(Text, nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    payment: dict[str, Any] = Field(sa_column=_json())
    state: str = Field(
        sa_column=Column(Text, nullable=False, server_default=text("'waiting'::text"))
    )
    note: str | None = Field(default=None, sa_column=Column(Text))
    put_at: datetime = Field(sa_column=_time(now=True))
    done_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))


class OpeningRow(SQLModel, table=True):
    """A proposal of what an account begins with; kept as it was proposed.

    content  balances and open items, as `workflows.reconciliation.opening.Opening` has them
    """

    __tablename__ = "openings"
    __table_args__ = (Index("openings_of_account", "account", "id"),)

    id: int = Field(default=None, sa_column=_serial())
    account: int = Field(nullable=False)
    content: dict[str, Any] = Field(sa_column=_json())
    content_hash: str = Field(sa_column=Column(Text, nullable=False))
    proposed_by: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    proposed_at: datetime = Field(sa_column=_time(now=True))


class OpeningDecisionRow(SQLModel, table=True):
    """That somebody else approved of a proposal, or refused it: of this content and no other."""

    __tablename__ = "opening_decisions"
    __table_args__ = (CheckConstraint("verdict IN ('approved', 'refused')", "known_verdict"),)

    opening: int = Field(
        sa_column=Column(
            BigInteger, ForeignKey("openings.id"), primary_key=True, autoincrement=False
        )
    )
    content_hash: str = Field(sa_column=Column(Text, nullable=False))
    verdict: str = Field(sa_column=Column(Text, nullable=False))
    decided_by: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    decided_at: datetime = Field(sa_column=_time(now=True))
