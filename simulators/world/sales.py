"""What happens at Stripe on a day: charges, what is given back or disputed, fees, reserves."""

from collections import defaultdict, deque
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from random import Random

from simulators.bank.money import exponent
from simulators.world.ledger import captures_posting, posting
from simulators.world.rows import Line, Transaction
from simulators.world.shape import Shape

DAYS_UNTIL_PAID_OUT = 2
_PRICES = (499, 999, 1900, 2500, 4900, 10000, 12900, 49900)
_PRESENTED_IN = (("USD", 109), ("GBP", 86), ("CHF", 94))
"""Currencies and what a hundred of ours are in them; another one where it is the same."""
_RECENT = 500


def payout_of(currency: str, day: date) -> str:
    """The id of the automatic payout that takes along what happened on a day."""
    return f"po_{currency}{day + timedelta(days=DAYS_UNTIL_PAID_OUT):%Y%m%d}"


def rounded(amount: int, currency: str) -> int:
    """Three-decimal currencies end in a zero at Stripe."""
    return amount // 10 * 10 if exponent(currency) == 3 else amount


def fee_of(gross: int, currency: str, *, fixed: bool = True) -> int:
    """Stripe's fee: 1.4 % and 25."""
    unit = 10 if exponent(currency) == 3 else 1
    return rounded((gross * 14 + 500) // 1000, currency) + (25 * unit if fixed else 0)


class Sales:
    """The transactions of all days, and our journal's lines of them, in order of time."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._random = Random(f"{shape.seed}/sales")  # noqa: S311 - a world, not a secret
        self._number = count(1)
        self._recent: dict[str, deque[Transaction]] = defaultdict(lambda: deque(maxlen=_RECENT))
        self._due: dict[date, list[Transaction]] = defaultdict(list)
        self._counts = self._spread()

    def payout_of(self, currency: str, day: date) -> str | None:
        """The automatic payout that takes along what happens on a day, if it is of this world."""
        is_there = day + timedelta(days=DAYS_UNTIL_PAID_OUT) <= self._shape.last_day
        return payout_of(currency, day) if is_there else None

    def due(self, transaction: Transaction) -> None:
        """Have a transaction happen on its own day."""
        day = transaction.created.date()
        member = transaction._replace(payout=self.payout_of(transaction.currency, day))
        self._due[day].append(member)

    def on(self, day: date) -> tuple[list[Transaction], list[Line]]:
        """What happened on a day, with our lines."""
        happened: list[Transaction] = []
        lines: list[Line] = []
        for currency in self._shape.currencies:
            charges, given_back = self._counts.get((day, currency), (0, 0))
            for parts in self._charges(day, currency, charges):
                happened += parts
                booked_whole = len(parts) > 1 and self._random.random() < 0.5
                if booked_whole:
                    lines += captures_posting(parts)
                else:
                    for part in parts:
                        lines += posting(part)
            rest = [*self._given_back(day, currency, given_back)]
            if charges:
                rest += self._fees_and_reserves(day, currency)
            for transaction in rest:
                happened.append(transaction)
                lines += posting(transaction)
        for transaction in self._due.pop(day, ()):
            happened.append(transaction)
            lines += posting(transaction)
        return happened, lines

    def smallest_fee(self, day: date, currency: str) -> Transaction:
        """A fee of the smallest unit there is."""
        unit = 10 if exponent(currency) == 3 else 1
        return self._other(
            day, currency, gross=-unit, type="stripe_fee", category="fee", description="Radar"
        )

    def _spread(self) -> dict[tuple[date, str], tuple[int, int]]:
        """How many charges, and how many given back besides, for each day and currency."""
        shape, random = self._shape, self._random
        weights: dict[tuple[date, str], float] = {}
        lean: dict[tuple[date, str], tuple[int, int]] = {}
        for number, day in enumerate(shape.all_days[: shape.days]):
            kind = random.random() if number else 1.0
            if kind < shape.empty:
                continue
            for currency in shape.currencies:
                if kind < shape.empty + shape.lean:
                    lean[day, currency] = (0, random.randint(2, 6))
                else:
                    weights[day, currency] = 0.5 + random.random()
        total, so_far, given_out = sum(weights.values()), 0.0, 0
        spread = lean
        for key, weight in weights.items():
            so_far += weight
            until = round(shape.payments * so_far / total)
            charges, given_out = until - given_out, until
            spread[key] = (charges, round(charges * (shape.refunded + shape.disputed)))
        return spread

    def _id(self, prefix: str, number: int) -> str:
        return f"{prefix}_{self._shape.seed:x}w{number:08d}"

    def _charges(self, day: date, currency: str, number: int) -> Iterator[list[Transaction]]:
        random, shape = self._random.random, self._shape
        midnight = datetime.combine(day, time(), UTC)
        available, payout = day + timedelta(days=DAYS_UNTIL_PAID_OUT), self.payout_of(currency, day)
        unit = 10 if exponent(currency) == 3 else 1
        recent, whole_day = self._recent[currency], 79_200
        presented_in = [one for one in _PRESENTED_IN if one[0] != currency]
        for each in range(number):
            n = next(self._number)
            drawn = random()
            gross = unit * (
                _PRICES[int(drawn * 16)] if drawn < 0.5 else 100 + int(drawn**4 * 40000)
            )
            special = random()
            presentment = None
            if special < shape.presented:
                seen, rate = presented_in[n % len(presented_in)]
                presentment = (gross * rate // (100 * unit), seen)
            special = random()
            fee = fee_of(gross, currency)
            fees: tuple[tuple[str, int], ...] = (("stripe_fee", fee),)
            if special > 1 - shape.split_fees:
                fees = (*fees, ("tax", rounded(fee * 19 // 100, currency) or unit))
            charge = Transaction(
                self._id("txn", n),
                midnight + timedelta(seconds=whole_day * each // number),
                available,
                currency,
                gross,
                fees,
                "charge",
                "charge",
                self._id("ch", n),
                f"Order {n}",
                self._id("ch", n),
                self._id("pi", n),
                f"order-{n}",
                payout,
                None,
                presentment,
            )
            if special < shape.in_parts and gross >= 500 * unit:
                yield self._parts(charge)
                continue
            recent.append(charge)
            yield [charge]

    def _parts(self, charge: Transaction) -> list[Transaction]:
        """A charge that was captured in two or three parts; the fixed fee is of the first."""
        number = self._random.randint(2, 3)
        part = rounded(charge.gross // number, charge.currency)
        amounts = [part] * (number - 1)
        amounts.append(charge.gross - sum(amounts))
        return [
            charge._replace(
                id=f"{charge.id}p{each}",
                gross=amount,
                fees=(("stripe_fee", fee_of(amount, charge.currency, fixed=not each)),),
                presentment=None,
            )
            for each, amount in enumerate(amounts)
        ]

    def _given_back(self, day: date, currency: str, number: int) -> Iterator[Transaction]:
        recent = self._recent[currency]
        for _ in range(min(number, len(recent))):
            charge = recent[self._random.randrange(len(recent))]
            recent.remove(charge)
            dispute = self._shape.disputed / ((self._shape.refunded + self._shape.disputed) or 1)
            if self._random.random() < dispute:
                yield self._dispute(charge, day)
            else:
                yield self._refund(charge, day)

    def _other(self, day: date, currency: str, **fields: object) -> Transaction:
        """A transaction that is no charge, in the late evening."""
        n = next(self._number)
        return Transaction(
            id=self._id("txn", n),
            created=datetime.combine(day, time(22), UTC) + timedelta(seconds=n % 3600),
            available_on=day + timedelta(days=DAYS_UNTIL_PAID_OUT),
            currency=currency,
            gross=0,
            fees=(),
            type="",
            category="",
            source=None,
            description="",
            payout=self.payout_of(currency, day),
        )._replace(**fields)  # type: ignore[arg-type]  # the fields of a transaction

    def _refund(self, charge: Transaction, day: date) -> Transaction:
        whole = self._random.random() < 0.5
        amount = charge.gross if whole else rounded(charge.gross // 2, charge.currency)
        refund = self._other(
            day,
            charge.currency,
            gross=-amount,
            type="refund",
            category="refund",
            description="REFUND",
            charge=charge.charge,
            intent=charge.intent,
            order=charge.order,
        )
        return refund._replace(source=f"re_{refund.id[4:]}")

    def _dispute(self, charge: Transaction, day: date) -> Transaction:
        """A dispute takes the amount and a fee; one that is won gives both back."""
        fee = 15000 if exponent(charge.currency) == 3 else 1500
        lost = self._other(
            day,
            charge.currency,
            gross=-charge.gross,
            fees=(("stripe_fee", fee),),
            type="adjustment",
            category="dispute",
            description="Chargeback withdrawal",
            charge=charge.charge,
            intent=charge.intent,
            order=charge.order,
        )
        lost = lost._replace(source=f"dp_{lost.id[4:]}")
        if self._random.random() < 0.34:
            won = self._random.randint(2, 6)
            back = self._other(day + timedelta(days=won), charge.currency)
            self.due(
                lost._replace(
                    id=back.id,
                    created=back.created,
                    available_on=back.available_on,
                    gross=charge.gross,
                    fees=(("stripe_fee", -fee),),
                    category="dispute_reversal",
                    description="Chargeback reversal",
                )
            )
        return lost

    def _fees_and_reserves(self, day: date, currency: str) -> Iterator[Transaction]:
        unit = 10 if exponent(currency) == 3 else 1
        if self._random.random() < 0.3:
            amount = -unit * self._random.randint(20, 900)
            yield self._other(
                day, currency, gross=amount, type="stripe_fee", category="fee",
                description="Radar",
            )  # fmt: skip
        if self._random.random() < 0.1:
            held = self._other(
                day,
                currency,
                gross=-unit * self._random.randint(1000, 9000),
                type="reserved_funds",
                category="risk_reserved_funds",
                description="Reserved funds",
            )
            yield held
            later = day + timedelta(days=self._random.randint(1, 5))
            self.due(self._other(later, currency)._replace(
                gross=-held.gross, type=held.type, category=held.category,
                description="Reserved funds released",
            ))  # fmt: skip
