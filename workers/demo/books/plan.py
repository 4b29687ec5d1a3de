"""What is planned for the books: a week of days, an account, what is to go wrong and be found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from workflows.reconciliation.books import BreakClass, Status
from workflows.reconciliation.terms import Calendar

CURRENCY = "EUR"
AT_THE_BANK = 1_250_000
"""What the bank account has to begin with, in minor units, as all amounts here."""
WIRE_FEE = 1_500
"""What the bank withholds of a deposit where it is told to withhold a fee."""
DISPUTE_FEE = 1_500
"""What Stripe takes for a dispute."""
ALL_TOLD = 5
"""Days of a week of banks. Customers pay on the first three; then payouts arrive."""
PAYING = 3

Key = Literal[
    "phantom",
    "forgotten",
    "too_much",
    "twice",
    "fee",
    "deposit",
    "refund",
    "dispute",
    "unknown",
    "wire_fee",
]


@dataclass(frozen=True)
class Planting:
    """What goes wrong on a day of the week, and the class of the break that has to come of it.

    It is a break from the night of `from_` on: what only we know may still be on its way. It is
    none any more from that of `healed`.
    """

    key: Key
    title: str
    break_class: BreakClass
    day: int
    from_: int
    healed: int | None = None


PLANTINGS: tuple[Planting, ...] = (
    Planting("phantom", "booked by us, never paid", "missing_processor", 0, 3),
    Planting("forgotten", "paid, booked a day late", "missing_ours", 1, 1, healed=2),
    Planting("too_much", "booked with 1.00 too much", "amount", 1, 1),
    Planting("twice", "booked twice", "duplicate_ours", 1, 1),
    Planting("fee", "a fee booked 0.50 too low", "fee", 1, 1),
    Planting("deposit", "a deposit like Stripe's", "unidentified_deposit", 1, 1),
    Planting("refund", "a refund that nobody booked", "refund_unbooked", 2, 2),
    Planting("dispute", "a dispute that nobody booked", "dispute_unbooked", 2, 2),
    Planting("unknown", "something new at Stripe", "unknown_type", 2, 2),
    Planting("wire_fee", "a payout short by a wire fee", "bank_fee", 3, 3),
)

OUTCOMES: tuple[tuple[int, Status], ...] = (
    (0, "BALANCED"),
    (1, "INCOMPLETE"),  # its statement is withheld at first
    (1, "BREAKS"),
    (2, "BREAKS"),
    (3, "BREAKS"),
    (4, "BREAKS"),
)
"""How each run is to come out, with the day of the week that it is of."""


@dataclass(frozen=True)
class Week:
    """Five days from a Monday, by the simulators' clock (UTC), on all of which banks work."""

    monday: date

    def day(self, number: int) -> date:
        """A day, counted from 0."""
        return self.monday + timedelta(days=number)

    def at(self, number: int, hour: int, minute: int = 0) -> int:
        """A time of a day, in seconds; -1 is the eve of the first."""
        moment = datetime.combine(self.day(number), time(hour, minute), UTC)
        return int(moment.timestamp())


def week_after(now: int, calendar: Calendar) -> Week:
    """The first whole week of banks that begins after a moment and its eve."""
    today = datetime.fromtimestamp(now, UTC).date()
    monday = today + timedelta(days=7 - today.weekday())
    while True:
        week = Week(monday)
        # The Monday after is when the last payout arrives.
        days = [*(week.day(number) for number in range(ALL_TOLD)), week.day(7)]
        if week.at(-1, 23) > now and not set(days) & set(calendar.holidays):
            return week
        monday += timedelta(days=7)


def account_name(run: str) -> str:
    """The reconciliation account of a performance."""
    return f"demo-{run}"


def iban_of(run: str) -> str:
    """The bank account of a performance: an invented one, with a right check."""
    digits = int.from_bytes(hashlib.sha256(f"{run} bank".encode()).digest()[:6]) % 10**10
    basic = f"50010517{digits:010d}"
    return f"DE{98 - int(f'{basic}131400') % 97:02d}{basic}"


def amount_of(run: str, customer: str, day: int, nth: int) -> int:
    """What a customer pays for the so-manieth time on a day: 20.00 to 420.00."""
    told = f"{run} {customer} {day} {nth}".encode()
    return 2_000 + int.from_bytes(hashlib.sha256(told).digest()[:4]) % 40_000
