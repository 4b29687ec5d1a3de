"""What the gateway answers about reconciliations: the words of the HTTP API.

Amounts are minor units of the currency beside them; see `books` for signs.
"""

from datetime import date, datetime
from typing import Literal

from workflows.onboarding.application import Answer
from workflows.progress import Progress
from workflows.reconciliation.books import Book, BreakClass, Disposition, Leg, Rhythm, Rule, Status
from workflows.reconciliation.messages import Shadowed, Stage


class BankAccount(Answer):
    """A bank account that an account is paid out to; its bank works by `calendar`.

    `statements` is how often the bank sends them.
    """

    identification: str
    currency: str
    calendar: str
    statements: Rhythm


class Account(Answer):
    """An account whose books are compared, the latest day that was, and how that came out."""

    name: str
    tenant: str
    time_zone: str
    opened_on: date
    processor: str
    journal: str
    posts: tuple[str, ...]
    bank_accounts: tuple[BankAccount, ...]
    reconciled_on: date | None
    status: Status | None
    open_breaks: int


class AccountPage(Answer):
    """Accounts by their names; `next` is the cursor of the page after, empty at the end."""

    items: list[Account]
    next: str | None


class Reconciliation(Answer):
    """A run: of which account for which day, how far it is, and what came of it."""

    id: str
    account: str
    tenant: str
    business_date: date
    ordinal: int
    stage: Stage
    stage_since: datetime
    status: Status | None
    certificate_id: str | None
    begun_at: datetime
    ended_at: datetime | None


class ReconciliationInFull(Reconciliation):
    """A run with what is being done, while it is under way."""

    progress: Progress | None


class ReconciliationPage(Answer):
    """Runs, the newest first; `next` is the cursor of the page after, empty at the end."""

    items: list[Reconciliation]
    next: str | None


class StartedRange(Answer):
    """A range that was begun: `workflow_id` is the process that goes through its days."""

    workflow_id: str
    account: str
    first: date
    last: date


class Shadow(Answer):
    """How a day would come out: `found` once it is known; `over` where nothing more will come."""

    id: str
    account: str
    business_date: date
    name: str
    stage: Stage
    over: bool
    found: Shadowed | None
    progress: Progress | None


class Item(Answer):
    """A movement of a book, by the source's own id."""

    book: Book
    source_id: str
    component: str
    kind: str
    currency: str
    amount_minor: int
    effective_on: date
    reference: str | None


class Break(Answer):
    """A break. `at_risk_minor` is absolute; where the same items are a break on another leg, too,
    the risk counts there. `material` is whether it is worth somebody by itself, as the rules are.
    """

    id: int
    account: str
    break_class: BreakClass
    leg: Leg
    currency: str
    at_risk_minor: int
    material: bool
    subject: tuple[str, ...]
    opened_on: date
    closed_on: date | None
    days: int
    provisional: bool
    revision: int


class BreakEvent(Answer):
    """What happened to a break, in which run."""

    what: Literal["opened", "changed", "closed", "reopened", "confirmed"]
    break_class: BreakClass
    at_risk_minor: int
    run: str
    at: datetime


class BreakInFull(Break):
    """A break with the items that it is about, and all that happened to it."""

    items: list[Item]
    events: list[BreakEvent]


class BreakPage(Answer):
    """Breaks, those with the most at risk first; `next` is empty at the end."""

    items: list[Break]
    next: str | None


class Match(Answer):
    """Items that belong together in a leg, and by which rule."""

    id: str
    account: str
    leg: Leg
    rule: Rule
    disposition: Disposition
    difference_minor: int
    run: str
    items: list[Item]


class MatchPage(Answer):
    """Matches, the latest first; `next` is empty at the end."""

    items: list[Match]
    next: str | None


class Unmatched(Answer):
    """That a match is none any more; its items are open from the next run on.

    `before` is whether the same person had said so already, for the same reason.
    """

    id: str
    account: str
    before: bool


class OpenItem(Item):
    """An item that is open in a leg, or matched there to another amount; of which break it is."""

    leg: Leg
    disposition: Disposition
    break_id: int | None
    break_class: BreakClass | None


class OpenTotal(Answer):
    """What is open in a leg and currency of one class; without one it is on its way or tolerated.

    amount_minor   of the items, on its sign in the leg's equation
    at_risk_minor  of the breaks, absolute; of items that are a break on another leg, too, it counts
                   there
    """

    leg: Leg
    currency: str
    break_class: BreakClass | None
    items: int
    amount_minor: int
    breaks: int
    at_risk_minor: int


class OpenPage(Answer):
    """What was open after a run, and which run that is; `next` is empty at the end.

    `known_since` is when its certificate was issued. `totals` are of all that was asked for, on
    the first page; those that follow have none.
    """

    account: str
    run: str
    business_date: date
    ordinal: int
    status: Status
    certificate_id: str
    known_since: datetime
    totals: list[OpenTotal]
    items: list[OpenItem]
    next: str | None


class JournalBalance(Answer):
    """What a journal account held in a currency; a debit is positive."""

    code: str
    currency: str
    amount_minor: int


class JournalBalances(Answer):
    """Balances of a journal up to the end of a day, or altogether, under one of its seals.

    sealed_at  when the journal was closed to new rows for it
    later      how many entries of these days were booked after it
    """

    account: str
    on: date | None
    seal: int
    sealed_at: datetime
    later: int
    items: list[JournalBalance]


class Verification(Answer):
    """What recomputing a certificate from its stored cut found; nothing differs where it holds."""

    id: str
    holds: bool
    differences: tuple[str, ...]


class Period(Answer):
    """A month of an account's journal, like 2026-01, and who made it so when.

    soft_closed  nothing is booked into it, until somebody reopens it
    locked       nothing is booked into it any more
    """

    account: str
    month: str
    state: Literal["open", "soft_closed", "locked"]
    changed_by: str | None
    changed_at: datetime | None


class PeriodList(Answer):
    """Every month since an account was opened, the latest first."""

    items: list[Period]
