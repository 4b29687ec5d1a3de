"""Payouts, as a processor tells them and as they are kept."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Payout:
    """A payout as it is now; what is negative is taken from the bank account.

    members_known         it can be told what it paid out: not of those made by hand
    trace_id              what the bank's entry carries; told days later, if at all
    transaction           the balance transaction that it is
    failure_transaction   the one by which the money came back
    original, reversed_by the payout that it reverses, or is reversed by
    """

    id: str
    currency: str
    amount_minor: int
    made_at: datetime
    arrival_on: date
    automatic: bool
    status: str
    members_known: bool
    trace_id: str | None
    transaction: str | None
    failure_transaction: str | None
    original: str | None
    reversed_by: str | None
