"""Our tables about books that are compared: what moved, what was matched, what is open and why.

Rows of items and of what becomes of them come by the million: words are small numbers there (see
`database.reconciliation.codes`), and no foreign key is looked up for each of them. Text that
decides an order is collated by its bytes, so that the order is the same everywhere.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from database.columns import account as _account
from database.columns import bytes_text as _bytes_text
from database.columns import code as _code
from database.columns import serial as _serial
from database.columns import time as _time
from database.columns import whole as _whole


class ReconciliationAccountRow(SQLModel, table=True):
    """One account at the processor, with its bank accounts and our journal's lines about it.

    opened_on  the first business date: what was before comes by the go-live load
    processor  how its balance transactions come: listing | reports | files
    journal    whose lines are compared: ours | files
    posts      what we book from evidence, after a proof: of fees, payouts, settlements
    """

    __tablename__ = "reconciliation_accounts"
    __table_args__ = (
        CheckConstraint("processor IN ('listing', 'reports', 'files')", "known_processor"),
        CheckConstraint("journal IN ('ours', 'files')", "known_journal"),
        CheckConstraint("posts <@ ARRAY['fees', 'payouts', 'settlements']", "known_posts"),
    )

    id: int = Field(default=None, sa_column=Column(Integer, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    tenant: str = Field(sa_column=Column(Text, nullable=False, index=True))
    time_zone: str = Field(sa_column=Column(Text, nullable=False))
    opened_on: date = Field(sa_column=Column(Date, nullable=False))
    processor: str = Field(sa_column=Column(Text, nullable=False))
    journal: str = Field(sa_column=Column(Text, nullable=False))
    posts: list[str] = Field(
        sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'::text[]"))
    )
    made_at: datetime = Field(sa_column=_time(now=True))


class ReconciliationBankAccountRow(SQLModel, table=True):
    """A bank account that an account's payouts go to.

    identification  as statements name it: an IBAN, or the bank's number of the account
    calendar        by which the bank works, as the terms name it
    statements      how often the bank sends them: daily | weekly | monthly
    """

    __tablename__ = "reconciliation_bank_accounts"
    __table_args__ = (
        CheckConstraint("statements IN ('daily', 'weekly', 'monthly')", "known_rhythm"),
    )

    account: int = Field(sa_column=_account(key=True))
    identification: str = Field(sa_column=Column(Text, primary_key=True))
    currency: str = Field(sa_column=Column(Text, primary_key=True))
    calendar: str = Field(sa_column=Column(Text, nullable=False))
    statements: str = Field(sa_column=Column(Text, nullable=False, server_default="daily"))


class IntakeRow(SQLModel, table=True):
    """What came in by one source at once. One intake of an account at a time: so the items of an
    account were there in the order of their ids, and a cut is all up to one of them.

    source      which file, listing, report run or part of the journal
    first_item  its new items are those of the account from here to `last_item`; of an intake that
                brought none, the latter is what was the last before
    """

    __tablename__ = "intakes"
    __table_args__ = (Index("intakes_of_account", "account", "id"),)

    id: int = Field(default=None, sa_column=_serial())
    account: int = Field(sa_column=_account())
    source: str = Field(sa_column=Column(Text, nullable=False))
    first_item: int | None = Field(default=None, sa_column=Column(BigInteger))
    last_item: int = Field(sa_column=Column(BigInteger, nullable=False))
    new: int = Field(nullable=False)
    unchanged: int = Field(nullable=False)
    changed: int = Field(nullable=False)
    at: datetime = Field(sa_column=_time(now=True))


class ItemRow(SQLModel, table=True):
    """A movement of a book, as `database.reconciliation.item` tells; it never changes.

    version  what the source says now is the highest; those before are what it said
    """

    __tablename__ = "items"
    __table_args__ = (
        UniqueConstraint(
            *("account", "book", "source_id", "component", "version"), name="items_by_source"
        ),
        # Few sources change their mind.
        Index("items_told_anew", "account", "id", postgresql_where=text("version > 1")),
        Index(
            "items_by_reference",
            "reference",
            postgresql_using="hash",
            postgresql_where=text("kind <> 'fee'"),
        ),
        # Payouts are few: whether a deposit has the amount of one is asked of all of them.
        Index(
            "payouts_by_amount",
            *("account", "currency", "amount_minor"),
            postgresql_where=text("book = 1 AND kind = 'payout'"),
        ),
        # Items lie about as they happened: blocks of them are found by time at next to no cost.
        Index("items_by_time", "occurred_at", postgresql_using="brin"),
    )

    id: int = Field(default=None, sa_column=_serial())
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    occurred_at: datetime = Field(sa_column=_time())
    presentment_minor: int | None = Field(default=None, sa_column=Column(BigInteger))
    account: int = Field(sa_column=_whole())
    effective_on: date = Field(sa_column=Column(Date, nullable=False))
    arrival_on: date | None = Field(default=None, sa_column=Column(Date))
    book: int = Field(sa_column=_code())
    version: int = Field(sa_column=_code())
    derived: bool = Field(nullable=False)
    currency: str = Field(sa_column=_bytes_text())
    kind: str = Field(sa_column=_bytes_text())
    source_id: str = Field(sa_column=_bytes_text())
    component: str = Field(sa_column=_bytes_text())
    reference: str | None = Field(default=None, sa_column=_bytes_text(nullable=True))
    payout: str | None = Field(default=None, sa_column=_bytes_text(nullable=True))
    descriptor: str | None = Field(default=None, sa_column=Column(Text))
    presentment_currency: str | None = Field(default=None, sa_column=_bytes_text(nullable=True))


class PayoutTraceRow(SQLModel, table=True):
    """What the bank knows a payout by: the processor may tell days after the payout.

    payout      the payout, as its items' reference names it
    known_from  the intake that told: cuts up to an earlier one do not know it
    """

    __tablename__ = "payout_traces"

    account: int = Field(sa_column=_account(key=True))
    payout: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    trace_id: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    known_from: int = Field(sa_column=Column(BigInteger, nullable=False))


class OpenItemRow(SQLModel, table=True):
    """An item that is in no match of a leg, after the latest run of its account.

    disposition  timing | break, as code
    opened_in    the run that first left it open
    """

    __tablename__ = "open_items"
    __table_args__ = (Index("open_items_of_account", "account", "leg", "currency"),)

    leg: int = Field(sa_column=_code(key=True))
    item: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    break_id: int | None = Field(default=None, sa_column=Column(BigInteger))
    account: int = Field(sa_column=_whole())
    opened_in: int = Field(sa_column=_whole())
    effective_on: date = Field(sa_column=Column(Date, nullable=False))
    book: int = Field(sa_column=_code())
    disposition: int = Field(sa_column=_code())
    currency: str = Field(sa_column=_bytes_text())


class ClosedItemRow(SQLModel, table=True):
    """That an item was open in a leg: from the run `opened_in` until before the run `closed_in`."""

    __tablename__ = "closed_items"
    __table_args__ = (Index("closed_items_of_account", "account", "leg", "closed_in"),)

    leg: int = Field(sa_column=_code(key=True))
    item: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    opened_in: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    closed_in: int = Field(sa_column=_whole())
    account: int = Field(sa_column=_whole())
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    effective_on: date = Field(sa_column=Column(Date, nullable=False))
    book: int = Field(sa_column=_code())
    currency: str = Field(sa_column=_bytes_text())


class MatchRow(SQLModel, table=True):
    """Items that belong together in a leg.

    number            its own, in the order of coming; it says nothing
    id                hash of account, leg, rule and the items' sources: the same everywhere
    difference_minor  what the items leave of the leg, on the sign of its equation and in the
                      currency of the match; the items themselves tell where there are two
    """

    __tablename__ = "matches"
    __table_args__ = (
        Index("matches_by_id", "id", postgresql_using="hash"),
        # Matches lie in the order of their runs.
        Index("matches_of_run", "run", postgresql_using="brin"),
        # Differences and pairs of two currencies, which the equations need.
        Index(
            "matches_that_differ", "account", "leg", postgresql_where=text("disposition IN (2, 4)")
        ),
    )

    number: int = Field(default=None, sa_column=_serial())
    difference_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    account: int = Field(sa_column=_whole())
    run: int = Field(sa_column=_whole())
    leg: int = Field(sa_column=_code())
    rule: int = Field(sa_column=_code())
    disposition: int = Field(sa_column=_code())


class MatchItemRow(SQLModel, table=True):
    """An item of a match, which `match` names by its number: at most one match for each leg."""

    __tablename__ = "match_items"
    __table_args__ = (Index("match_items_of_match", "match"),)

    item: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    match: int = Field(sa_column=Column(BigInteger, nullable=False))
    leg: int = Field(sa_column=_code(key=True))


class MatchHistoryRow(SQLModel, table=True):
    """A match that is none any more: who said so and why.

    run        that made it
    until_run  the latest run when it was taken apart: after that one it stood no more
    kept       that a person said so: no later run makes it again
    """

    __tablename__ = "match_history"
    __table_args__ = (Index("match_history_of_account", "account", "leg"),)

    id: int = Field(default=None, sa_column=_serial())
    match: UUID = Field(sa_column=Column(Uuid, nullable=False, index=True))
    account: int = Field(sa_column=_account())
    leg: int = Field(sa_column=_code())
    rule: int = Field(sa_column=_code())
    disposition: int = Field(sa_column=_code())
    difference_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    items: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    run: int = Field(sa_column=_whole())
    until_run: int = Field(sa_column=_whole())
    unmatched_by: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    kept: bool = Field(nullable=False)
    unmatched_at: datetime = Field(sa_column=_time(now=True))


class BreakRow(SQLModel, table=True):
    """Something that must be explained. Account, leg and subject say which it is; not the class.

    subject      the sources of the items that it is about
    items        these items
    match        the id of what they are matched as, though not to the same amount
    opened_on    the business date of the run that found it; its age counts from there
    closed_on    of the run in which it was explained; it is opened again by a later one
    risk_on_leg  the leg on which the same items are a break, too, and their risk is counted;
                 then `at_risk_minor` is 0
    provisional  found by incomplete runs only
    revision     raised by every change of class, amount or state
    """

    __tablename__ = "breaks"
    __table_args__ = (
        UniqueConstraint("account", "leg", "subject", name="breaks_by_subject"),
        Index("open_breaks", "account", "class", postgresql_where=text("closed_on IS NULL")),
    )

    id: int = Field(default=None, sa_column=_serial())
    account: int = Field(sa_column=_whole())
    leg: int = Field(sa_column=_code())
    subject: str = Field(sa_column=_bytes_text())
    class_: str = Field(sa_column=Column("class", Text, nullable=False))
    items: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    match: UUID | None = Field(default=None, sa_column=Column(Uuid, nullable=True))
    currency: str = Field(sa_column=_bytes_text())
    at_risk_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    risk_on_leg: int | None = Field(default=None, sa_column=Column(SmallInteger, nullable=True))
    opened_on: date = Field(sa_column=Column(Date, nullable=False))
    closed_on: date | None = Field(default=None, sa_column=Column(Date))
    provisional: bool = Field(nullable=False)
    opened_in: int = Field(sa_column=_whole())
    closed_in: int | None = Field(default=None, sa_column=_whole(nullable=True))
    revision: int = Field(default=1, sa_column_kwargs={"server_default": "1"}, nullable=False)


class BreakEventRow(SQLModel, table=True):
    """What happened to a break, in order. Append-only: a trigger refuses every change of a row.

    what         opened | changed | closed | reopened | confirmed
    items        those of the break from then on; empty in events of before they were kept here
    risk_on_leg  as of the break from then on
    """

    __tablename__ = "break_events"
    __table_args__ = (
        Index("break_events_of_break", "break_id", "id"),
        Index("break_events_of_run", "run"),
    )

    id: int = Field(default=None, sa_column=_serial())
    break_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    run: int = Field(sa_column=_whole())
    what: str = Field(sa_column=Column(Text, nullable=False))
    class_: str = Field(sa_column=Column("class", Text, nullable=False))
    at_risk_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    items: list[int] | None = Field(default=None, sa_column=Column(ARRAY(BigInteger)))
    risk_on_leg: int | None = Field(default=None, sa_column=Column(SmallInteger, nullable=True))
    at: datetime = Field(sa_column=_time(now=True))
