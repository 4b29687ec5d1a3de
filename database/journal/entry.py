"""Entries and their lines, as they are handed over to be booked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Code = Literal[
    "clearing",
    "in_transit",
    "cash",
    "receivables",
    "fees",
    "reserve",
    "fx",
    "unsettled",
    "suspense",
    "write_offs",
    "opening",
]
"""The accounts of the journal; each is there for every reconciliation account and currency.

clearing     what the processor holds for us
in_transit   payouts on their way
cash         what is at the bank
receivables  what customers owe
fees         what the processor and the bank take
reserve      what the processor holds back
fx           what crosses from one currency into another
unsettled    sales in a currency that the processor has yet to exchange
suspense     what nobody has explained yet
write_offs   what was given up
opening      the other side of what an account begins with
"""

Kind = Literal["payment", "import", "opening", "posting", "reversal", "correction"]
"""Why an entry was booked."""


@dataclass(frozen=True, slots=True)
class NewLine:
    """One side of an entry, in minor units; positive is a debit. The rest is as in `NewItem`.

    object_id  the processor's object that it is about: `ch_…`, `re_…`, `dp_…`, `po_…`
    """

    code: Code
    currency: str
    amount_minor: int
    kind: str
    reference: str | None = None
    object_id: str | None = None
    payout: str | None = None
    arrival_on: date | None = None
    descriptor: str | None = None
    presentment_minor: int | None = None
    presentment_currency: str | None = None


@dataclass(frozen=True, slots=True)
class NewEntry:
    """Lines that are booked together: they sum to zero in each currency.

    request_key  names the entry for good: it is booked once
    derived      made by us from another book's data
    """

    request_key: str
    kind: Kind
    occurred_at: datetime
    lines: Sequence[NewLine]
    derived: bool = False
    reversal_of: int | None = None
