"""An item: one movement of one book, as every source hands it over."""

from dataclasses import dataclass
from datetime import date, datetime

from workflows.reconciliation.books import Book


@dataclass(slots=True)
class NewItem:
    """A movement, in minor units of `currency`; positive where it increases our asset.

    Nobody changes one; but a million are made at once, and to freeze them takes twice the time.

    book         the book that it moves
    source_id    the source's own id: `txn_…` of a balance transaction, the entry's id of a
                 statement, entry and line of the journal
    component    of what is split: `gross`, or `fee:` and the type of a fee; empty for all others
    kind         of the processor: the reporting category (`charge`, `refund`, `dispute`, `payout`,
                 …); of the journal: the same words for the purpose of a line; of a bank entry: the
                 bank's code. A fee component and a fee line are of kind `fee`.
    reference    what both sides of a leg know it by; None where there is nothing such. L1: the
                 object's id at the processor (`ch_…`, `re_…`, `dp_…`, `po_…`) or our own payment
                 reference, whichever the account's rules name. Bank entries: the trace id, or the
                 bank's reference; lines of cash: that of the entry, or the entry's source id.
    payout       the payout (`po_…`) that the balance transaction is a member of, or is
    occurred_at  when it happened by its source: what the cut compares
    effective_on the value date, in the account's time zone
    arrival_on   of payouts: the day the bank should have it
    trace_id     of payouts: what the bank knows the transfer by, as soon as the processor tells it.
                 A bank entry has it as its reference.
    descriptor   of payouts and bank entries: what the statement says
    presentment  amount and currency as the customer saw them, where they differ
    derived      of journal lines: made by us from the other book's data
    """

    book: Book
    source_id: str
    component: str
    kind: str
    currency: str
    amount_minor: int
    occurred_at: datetime
    effective_on: date
    reference: str | None = None
    payout: str | None = None
    arrival_on: date | None = None
    trace_id: str | None = None
    descriptor: str | None = None
    presentment_minor: int | None = None
    presentment_currency: str | None = None
    derived: bool = False
