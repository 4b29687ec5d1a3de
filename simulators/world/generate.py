"""Days of a world, one after the other: the same shape and plan make the same world."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from random import Random

from simulators.bank.days import is_business_day
from simulators.bank.statement import Entry, Statement
from simulators.world import accounts
from simulators.world.additions import Additions, Plan
from simulators.world.ledger import FAMILY, other_posting, posting, settlement_posting
from simulators.world.manifest import Manifest, Planted, Tally, manifest_of
from simulators.world.payouts import (
    Payouts,
    failure_transaction,
    members_are_due,
    payout_transaction,
)
from simulators.world.rows import Day, Line, Payout, Transaction
from simulators.world.sales import Sales
from simulators.world.shape import Shape

_OTHERS = (
    ("Office rent", -180_000),
    ("Cloud hosting", -42_317),
    ("Payroll", -2_350_000),
    ("Invoice 20413, Example Ltd", 99_900),
    ("Account fee", -1_250),
    ("Transfer from savings", 5_000_000),
)

_KEYS = {
    "charge_id": "charge",
    "payment_intent_id": "intent",
    "payment_metadata[order_id]": "order",
}
"""What a transaction has for each name that our journal may know it by."""


class World:
    """Some days of payments, with what was planted in them. Going by twice, they are the same."""

    def __init__(
        self, shape: Shape, plan: Plan | None = None, planted: tuple[Planted, ...] = ()
    ) -> None:
        self.shape, self.plan, self.planted = shape, plan or Plan(), planted

    def days(self) -> Iterator[Day]:
        """Every day; nothing of the past is kept but what is still to come of it."""
        return _Course(self.shape, self.plan).days()

    def counted(self, tally: Tally) -> Iterator[Day]:
        """Every day; `tally` has counted it when it comes."""
        for day in self.days():
            tally.take(day)
            yield day

    def tally(self) -> Tally:
        """What is to count the days of this world."""
        own = frozenset(payout.id for payout in self.plan.additions.payouts)
        return Tally(self.shape, planted=own)

    def manifest(self, tally: Tally | None = None) -> Manifest:
        """What should be found; from a tally of all days, or by having them all go by."""
        if tally is None:
            tally = self.tally()
            for _ in self.counted(tally):
                pass
        return manifest_of(tally, self.shape, self.planted)


class _Course:
    """One run through the days."""

    def __init__(self, shape: Shape, plan: Plan) -> None:
        self._shape, self._plan = shape, plan
        self._sales = Sales(shape)
        self._payouts = Payouts(shape, plan.apart, plan.taken)
        self._random = Random(f"{shape.seed}/bank")  # noqa: S311 - a world, not a secret
        self._additions: dict[date, Additions] = plan.additions.by_day()
        self._nets: dict[tuple[date, str], int] = defaultdict(int)
        self._balance = {each: accounts.opening(each, "bank") for each in shape.currencies}
        self._statements = self._entries = 0

    def days(self) -> Iterator[Day]:
        for day in self._shape.all_days:
            yield self._day(day)

    def _day(self, day: date) -> Day:
        added = self._additions.get(day, Additions())
        made = [*self._made(day)]
        transactions, lines = self._sales.on(day)
        transactions += [self._as_member(each, day) for each in added.transactions]
        lines += added.lines
        for extra in [*self._paid_out_later(day, transactions)]:
            transactions.append(extra)
            lines += posting(extra)
        for transaction in map(payout_transaction, made):
            transactions.append(transaction)
            lines += posting(transaction)
        transactions.sort(key=lambda each: each.created)
        if self._shape.known_by != "source_id":
            lines = [*self._renamed(lines, transactions)]
        booked, settled = self._booked(day, added)
        lines += settled
        lines.sort(key=lambda each: each.booked_at)
        hidden = [each for each in transactions if not self._plan.reported(each)]
        if hidden:
            transactions = [each for each in transactions if self._plan.reported(each)]
        statements, withheld = self._stated(day, booked)
        return Day(day, transactions, made + added.payouts, lines, statements, hidden, withheld)

    def _renamed(self, lines: list[Line], transactions: list[Transaction]) -> Iterator[Line]:
        """The lines as a journal has them that does not know what Stripe calls things."""
        key = _KEYS[self._shape.known_by]
        names = {
            each.source or each.id: each.source or each.id
            if each.category in FAMILY
            else getattr(each, key) or each.id
            for each in transactions
        }
        for line in lines:
            reference = line.reference
            yield line._replace(reference=names.get(reference, reference) if reference else None)

    def _made(self, day: date) -> Iterator[Payout]:
        """The payouts of a day, of what happened two days before."""
        for currency in self._shape.currencies:
            amount = self._nets.pop((members_are_due(day), currency), 0)
            if not amount:
                continue
            payouts = [self._payouts.automatic(day, currency, amount)]
            payouts += self._payouts.manual(day, currency, amount)
            for payout in payouts:
                if payout.failed_on is not None:
                    self._sales.due(failure_transaction(payout))
                yield payout

    def _as_member(self, transaction: Transaction, day: date) -> Transaction:
        if transaction.category == "payout":
            return transaction
        return transaction._replace(payout=self._sales.payout_of(transaction.currency, day))

    def _paid_out_later(self, day: date, transactions: list[Transaction]) -> Iterator[Transaction]:
        """Note what the payout of the day after next will be; yields fees that make it possible."""
        nets: dict[str, int] = {}
        for each in transactions:
            if each.category != "payout":
                net = each.gross - sum(fee for _, fee in each.fees)
                nets[each.currency] = nets.get(each.currency, 0) + net
        for currency, net in nets.items():
            while not self._payouts.can_be(currency, net):
                fee = self._sales.smallest_fee(day, currency)
                net += fee.gross  # noqa: PLW2901
                yield fee
            self._nets[day, currency] = net

    def _booked(self, day: date, added: Additions) -> tuple[list[Entry], list[Line]]:
        entries: list[Entry] = []
        lines: list[Line] = []
        if is_business_day(day):
            for entry, payouts in self._payouts.booked(day):
                entries.append(entry)
                lines += settlement_posting(entry, payouts)
            for entry in self._others(day):
                entries.append(entry)
                lines.append(other_posting(entry))
        return entries + added.entries, lines

    def _others(self, day: date) -> Iterator[Entry]:
        for currency in self._shape.currencies:
            for _ in range(self._shape.others):
                self._entries += 1
                description, amount = self._random.choice(_OTHERS)
                spread = self._random.randint(-999, 999)
                yield Entry(
                    f"BK{day:%y%m%d}N{self._entries:06d}",
                    day,
                    day,
                    amount + spread,
                    currency,
                    description,
                )

    def _stated(self, day: date, booked: list[Entry]) -> tuple[list[Statement], list[Entry]]:
        """The statements of a business day, and the entries that no statement shows."""
        statements: list[Statement] = []
        withheld: list[Entry] = []
        if not is_business_day(day):
            return statements, withheld
        self._statements += 1
        for currency in self._shape.currencies:
            entries = [entry for entry in booked if entry.currency == currency]
            opening = self._balance[currency]
            closing = self._balance[currency] = opening + sum(each.amount for each in entries)
            shown = tuple(each for each in entries if each.reference not in self._plan.left_out)
            if (currency, day) in self._plan.withheld:
                shown = ()
            else:
                statements.append(
                    Statement(
                        accounts.iban(currency),
                        currency,
                        self._statements,
                        day,
                        opening,
                        closing,
                        shown,
                    )
                )
            withheld += [each for each in entries if each not in shown]
        return statements, withheld
