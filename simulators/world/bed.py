"""Where discrepancies are planted, and what they are made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from simulators.bank.days import business_day_after
from simulators.bank.money import exponent
from simulators.bank.statement import Entry
from simulators.world.additions import Additions, Plan
from simulators.world.ledger import posting, settlement_posting
from simulators.world.payouts import DESCRIPTOR, payout_transaction
from simulators.world.rows import Line, Payout, Transaction
from simulators.world.sales import fee_of
from simulators.world.shape import Shape

DAYS_TO_BE_PAST_GRACE = 9
"""Days between what should have led to something and the last day, if it is to be a break."""


MOST_GRACE = 2
"""Business days of the bank that a reconciliation waits at most."""


class TooShort(ValueError):
    """The world is too short for something to be past its grace in it."""


@dataclass
class Bed:
    """Where things are planted: a world's shape, and what was put into it so far."""

    shape: Shape
    random: Random
    exact: bool
    plan: Plan
    taken: set[tuple[str, int]] = field(default_factory=set)
    apart: set[tuple[str, date]] = field(default_factory=set)
    withheld: set[tuple[str, date]] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)
    number: int = 0
    currency: str = ""

    @property
    def additions(self) -> Additions:
        """What the plan adds to the world so far."""
        return self.plan.additions

    def next_id(self) -> str:
        """An id for something planted; nothing else in a world is called so."""
        self.number += 1
        return f"planted{self.number:04d}"

    def amount(self, table: int) -> int:
        """The amount of the definitions; or one up to it that was not there yet."""
        unit = 10 if exponent(self.currency) == 3 else 1
        amount = table * unit
        if not self.exact:
            amount = unit * self.random.randint(table // 4 + 1, table)
            while (self.currency, amount) in self.taken:
                amount += unit
        self.taken.add((self.currency, amount))
        return amount

    def past(self, due: Callable[[date], date] = lambda day: day) -> date:
        """A day of which everything is past its grace on the last one. Raises TooShort.

        `due` is when the bank should have done what follows from something on a day.
        """
        shape = self.shape
        last = shape.last_day - timedelta(days=DAYS_TO_BE_PAST_GRACE)
        days = [
            day
            for day in shape.all_days
            if day <= last and business_day_after(due(day), MOST_GRACE + 1) <= shape.last_day
        ]
        if not days:
            raise TooShort(f"nothing is late within {len(shape.all_days)} days")
        return self.random.choice(days)

    def bank_day(self) -> date:
        """A day of that kind on which the bank books."""
        return business_day_after(self.past(), 0)

    def at(self, day: date) -> datetime:
        """Some time of a day."""
        return datetime.combine(day, time(9, tzinfo=UTC)) + timedelta(
            seconds=self.random.randrange(36_000)
        )

    def charge(self, day: date, table: int = 10_000, **fields: object) -> Transaction:
        """A charge at Stripe, with the usual fee."""
        id_, gross = self.next_id(), self.amount(table)
        return Transaction(
            id=f"txn_{id_}",
            created=self.at(day),
            available_on=day + timedelta(days=2),
            currency=self.currency,
            gross=gross,
            fees=(("stripe_fee", fee_of(gross, self.currency)),),
            type="charge",
            category="charge",
            source=f"ch_{id_}",
            description=f"Order {id_}",
            charge=f"ch_{id_}",
            intent=f"pi_{id_}",
            order=f"order-{id_}",
        )._replace(**fields)  # type: ignore[arg-type]  # the fields of a transaction

    def payout(self, day: date, table: int = 97_000) -> Payout:
        """A manual payout that the bank's entry names; the bank books it when it should."""
        id_, arrival_on = self.next_id(), business_day_after(day)
        self.apart.add((self.currency, arrival_on))
        return Payout(
            id=f"po_{id_}",
            created=self.at(day),
            amount=self.amount(table),
            currency=self.currency,
            arrival_on=arrival_on,
            automatic=False,
            trace=f"TRC{id_}",
            booked_on=arrival_on,
        )

    def pay_out(self, payout: Payout) -> Transaction:
        """A payout as it is at Stripe and in our journal."""
        transaction = payout_transaction(payout)
        self.additions.payouts.append(payout)
        self.at_both(transaction)
        return transaction

    def at_stripe(self, transaction: Transaction) -> None:
        """Something that Stripe has."""
        self.additions.transactions.append(transaction)

    def at_both(self, transaction: Transaction) -> None:
        """Something that Stripe has and that we booked right."""
        self.at_stripe(transaction)
        self.ours(*posting(transaction))

    def ours(self, *lines: Line) -> None:
        """Lines of our journal."""
        self.additions.lines += lines

    def entry(self, payouts: Sequence[Payout], amount: int, on: date) -> Entry:
        """A deposit of payouts, or of none, that we do not know of yet."""
        entry = Entry(
            reference=f"BK{self.next_id()}",
            booked_on=on,
            value_on=on,
            amount=amount,
            currency=self.currency,
            description=DESCRIPTOR,
            trace=payouts[0].trace if payouts else None,
        )
        self.additions.entries.append(entry)
        return entry

    def settle(self, payouts: Sequence[Payout], amount: int, on: date) -> Entry:
        """A deposit at the bank and in our journal."""
        entry = self.entry(payouts, amount, on)
        self.ours(*settlement_posting(entry, payouts))
        return entry
