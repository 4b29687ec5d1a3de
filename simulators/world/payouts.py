"""Payouts: automatic ones, manual ones, those that fail, and how the bank books them."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from random import Random
from typing import Literal, NamedTuple

from simulators.bank.days import business_day_after
from simulators.bank.statement import Entry
from simulators.world.rows import Payout, Transaction
from simulators.world.sales import payout_of
from simulators.world.shape import Shape

DESCRIPTOR = "STRIPE PAYOUT"
_MADE, _FAILED = time(23, 30, tzinfo=UTC), time(11, tzinfo=UTC)


class _Arrival(NamedTuple):
    """How the bank books what arrives on a day: each by itself, or all of it in one deposit."""

    booking: Literal["single", "traced_batch", "batch"]
    day: date
    trace: str


def payout_transaction(payout: Payout) -> Transaction:
    """What a payout takes out of Stripe's balance."""
    return Transaction(
        id=f"txn_{payout.id[3:]}",
        created=payout.created,
        available_on=payout.arrival_on,
        currency=payout.currency,
        gross=-payout.amount,
        fees=(),
        type="payout",
        category="payout",
        source=payout.id,
        description=DESCRIPTOR,
        payout=payout.id if payout.automatic else None,
        trace=payout.trace,
    )


def failure_transaction(payout: Payout) -> Transaction:
    """What a payout that failed brings back to Stripe's balance."""
    assert payout.failed_on is not None
    return payout_transaction(payout)._replace(
        id=f"txn_{payout.id[3:]}_failed",
        created=datetime.combine(payout.failed_on, _FAILED),
        available_on=payout.returned_on or payout.failed_on,
        gross=payout.amount,
        type="payout_failure",
        category="payout_reversal",
        description="STRIPE PAYOUT FAILURE",
        payout=None,
    )


class Payouts:
    """Makes payouts day by day and knows what the bank books of them when.

    `apart` are currencies and arrival days on which everything is booked by itself. What is not
    traced is told by its amount, so that no payout has that of another, or one of `taken`.
    """

    def __init__(
        self, shape: Shape, apart: Collection[tuple[str, date]], taken: Collection[tuple[str, int]]
    ) -> None:
        self._shape = shape
        self._apart, self._taken = apart, set(taken)
        self._number = count(1)
        self._arrivals: dict[tuple[str, date], _Arrival] = {}
        self._coming: dict[tuple[str, date], list[Payout]] = defaultdict(list)
        self._returns: dict[date, list[Payout]] = defaultdict(list)

    def can_be(self, currency: str, amount: int) -> bool:
        """Whether a payout may have this amount; one that may has it from now on."""
        key = (currency, abs(amount))
        if not amount or key in self._taken:
            return False
        self._taken.add(key)
        return True

    def automatic(self, day: date, currency: str, amount: int) -> Payout:
        """The automatic payout of a day."""
        id_ = payout_of(currency, day - timedelta(days=2))
        return self._made(id_, day, currency, amount, automatic=True)

    def manual(self, day: date, currency: str, paid: int) -> Iterator[Payout]:
        """Now and then, somebody pays out a part of what there is besides."""
        if paid > 0 and self._drawn(currency, day, "manual").random() < self._shape.manual:
            amount = max(paid // 10, 10) // 10 * 10
            while not self.can_be(currency, amount):
                amount += 10
            yield self._made(f"po_{currency}{day:%Y%m%d}m", day, currency, amount, automatic=False)

    def booked(self, day: date) -> Iterator[tuple[Entry, list[Payout]]]:
        """The bank's entries of one of its business days, each with the payouts that it is of."""
        for payout in self._returns.pop(day, ()):
            yield self._entry(day, [payout], -payout.amount), [payout]
        for key in [key for key in self._coming if self._arrivals[key].day == day]:
            payouts = self._coming.pop(key)
            if self._arrivals[key].booking == "single":
                for payout in payouts:
                    yield self._entry(day, [payout], payout.amount), [payout]
            elif total := sum(payout.amount for payout in payouts):
                yield self._entry(day, payouts, total), payouts

    def _made(self, id_: str, day: date, currency: str, amount: int, *, automatic: bool) -> Payout:
        arrival_on = business_day_after(day)
        arrival = self._arrival(currency, arrival_on)
        drawn = self._drawn(id_)
        untraced, fails = drawn.random() < self._shape.untraced, drawn.random()
        payout = Payout(
            id_,
            datetime.combine(day, _MADE),
            amount,
            currency,
            arrival_on,
            automatic,
            self._trace(arrival, untraced=untraced),
            arrival.day,
        )
        if arrival.booking == "single" and fails < self._shape.failing:
            payout = self._failing(payout, drawn)
        if payout.booked_on is not None:
            self._coming[currency, arrival_on].append(payout)
        return payout

    def _failing(self, payout: Payout, drawn: Random) -> Payout:
        """Half of them before the bank had it; the bank gives back what it had."""
        trace = payout.trace or self._new_trace()
        if drawn.random() < 0.5:
            failed = payout.created.date() + timedelta(days=1)
            return payout._replace(trace=trace, booked_on=None, failed_on=failed)
        assert payout.booked_on is not None
        failed = payout.booked_on + timedelta(days=drawn.randint(1, 3))
        returned = business_day_after(failed)
        payout = payout._replace(trace=trace, failed_on=failed, returned_on=returned)
        self._returns[returned].append(payout)
        return payout

    def _arrival(self, currency: str, day: date) -> _Arrival:
        found = self._arrivals.get((currency, day))
        if found is None:
            drawn = self._drawn(currency, day)
            batched, traced = drawn.random() < self._shape.batched, drawn.random() < 0.5
            late = int(drawn.random() < 0.15)
            booking: Literal["single", "traced_batch", "batch"] = "single"
            if batched and (currency, day) not in self._apart:
                booking = "traced_batch" if traced else "batch"
            found = _Arrival(booking, business_day_after(day, late), self._new_trace())
            self._arrivals[currency, day] = found
        return found

    def _trace(self, arrival: _Arrival, *, untraced: bool) -> str | None:
        if arrival.booking == "traced_batch":
            return arrival.trace
        return None if untraced or arrival.booking == "batch" else self._new_trace()

    def _drawn(self, *of: object) -> Random:
        """Luck of its own for each payout and day, whatever else happens."""
        return Random("/".join(map(str, (self._shape.seed, *of))))  # noqa: S311 - no secret

    def _new_trace(self) -> str:
        return f"TRC{self._shape.seed % 10_000:04d}{next(self._number):08d}"

    def _entry(self, day: date, payouts: list[Payout], amount: int) -> Entry:
        only = payouts[0]
        return Entry(
            reference=f"BK{day:%y%m%d}P{next(self._number):06d}",
            booked_on=day,
            value_on=day,
            amount=amount,
            currency=only.currency,
            description=DESCRIPTOR,
            trace=only.trace,
        )


def members_are_due(day: date) -> date:
    """The day whose transactions the automatic payout of a day consists of."""
    return day - timedelta(days=2)
