"""What the second act did and saw itself: material for its checks, never their verdict."""

from __future__ import annotations

from dataclasses import dataclass, field

from workers.demo.books.money import PayoutAtStripe
from workers.demo.books.plan import Key, Week


@dataclass(frozen=True)
class Planted:
    """Something that was made to go wrong.

    `about` names what it is about: an object of Stripe, the reference of a payment that never was,
    or a part of the id of the bank's entry. `at_risk` is in minor units.
    """

    about: str
    at_risk: int


@dataclass
class Memory:
    """What happened, by the one who did it.

    `since` is when the customers began to pay, `paid` how often and how much on each day, `told`
    how many payments were to be booked, `payouts` those that were seen, `refused` what the one who
    proposed was answered who wanted to approve, too. `killed` is the run in which a worker was, and
    `workers` that worker's process id and the next one's.
    """

    account: str
    iban: str
    week: Week
    since: int = 0
    paid: list[tuple[int, int]] = field(default_factory=list)
    told: int = 0
    planted: dict[Key, Planted] = field(default_factory=dict)
    payouts: tuple[PayoutAtStripe, ...] = ()
    refused: int | None = None
    killed: str | None = None
    workers: tuple[int, int] | None = None
