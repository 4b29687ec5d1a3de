"""Plants discrepancies in a world, and says of each what must be found.

Every one is made of rows of its own, so that any number of any kinds can be in one world and
nothing else in it changes. Amounts are those of the definitions, or any others on request.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from simulators.bank.days import ONE_DAY, business_day_after, is_business_day
from simulators.bank.money import exponent
from simulators.bank.statement import Entry
from simulators.world.additions import Plan
from simulators.world.bed import Bed
from simulators.world.generate import World
from simulators.world.ledger import (
    fee_line,
    gross_line,
    other_posting,
)
from simulators.world.manifest import Break, Leg, Planted, Subject, X
from simulators.world.payouts import failure_transaction
from simulators.world.rows import Book, Line, Transaction
from simulators.world.shape import Shape


def _effect(bed: Bed, x1: int = 0, x2: int = 0, x3: int = 0) -> X:
    return {bed.currency: (x1, x2, x3)}


def _gross(transaction: Transaction) -> Subject:
    return Subject("processor", transaction.id, "gross")


def _fee(transaction: Transaction) -> Subject:
    return Subject("processor", transaction.id, "fee")


def _line(line: Line) -> Subject:
    return Subject(line.account, f"{line.entry}/{line.line}")


def _bank(entry: Entry) -> Subject:
    return Subject("bank", entry.reference)


def _found(
    bed: Bed, class_: str, at_risk: int, side: Book | str, *subjects: Subject, leg: Leg = "L1"
) -> Break:
    return Break(class_, (leg,), bed.currency, at_risk, side, subjects)  # type: ignore[arg-type]


def _je(transaction: Transaction) -> str:
    return f"je_{transaction.id[4:]}"


def missing_ours(bed: Bed) -> Planted:
    """A charge that our journal has not; its fee it has."""
    charge = bed.charge(bed.past())
    bed.at_stripe(charge)
    bed.ours(fee_line(charge, _je(charge), 2, charge.fee))
    found = _found(bed, "missing_ours", charge.gross, "processor", _gross(charge))
    return Planted(1, "missing_ours", "missing_ours", _effect(bed, -charge.gross), (found,))


def missing_processor(bed: Bed) -> Planted:
    """A charge of which Stripe knows nothing, long ago."""
    charge = bed.charge(bed.past())
    line = gross_line(charge, _je(charge))
    bed.ours(line)
    found = _found(bed, "missing_processor", charge.gross, "clearing", _line(line))
    return Planted(
        2, "missing_processor", "missing_processor", _effect(bed, charge.gross), (found,)
    )


def not_yet_at_processor(bed: Bed) -> Planted:
    """The same of today."""
    charge = bed.charge(bed.shape.last_day)
    line = gross_line(charge, _je(charge))
    bed.ours(line)
    effect = _effect(bed, charge.gross)
    return Planted(3, "not_yet_at_processor", "timing", effect, timing=(_line(line),))


def _differing(bed: Bed, more: int) -> Break:
    charge = bed.charge(bed.past())
    ours = gross_line(charge, _je(charge), charge.gross + more)
    bed.at_stripe(charge)
    bed.ours(ours, fee_line(charge, _je(charge), 2, charge.fee))
    return _found(bed, "amount", abs(more), "both", _line(ours), _gross(charge))


def amount(bed: Bed) -> Planted:
    """We booked more than there was."""
    more = bed.amount(100)
    return Planted(4, "amount", "amount", _effect(bed, more), (_differing(bed, more),))


def currency(bed: Bed) -> Planted:
    """We booked the amount in another currency."""
    other = next(each for each in (*bed.shape.currencies, "USD", "EUR") if each != bed.currency)
    charge = bed.charge(bed.past())
    ours = gross_line(charge, _je(charge), currency=other)
    bed.at_stripe(charge)
    bed.ours(ours, fee_line(charge, _je(charge), 2, charge.fee))
    subjects = (_line(ours), _gross(charge))
    theirs = _found(bed, "currency", charge.gross, "both", *subjects)
    breaks = (theirs, Break("currency", ("L1",), other, charge.gross, "both", subjects))
    effect = {other: (charge.gross, 0, 0), bed.currency: (-charge.gross, 0, 0)}
    return Planted(5, "currency", "currency", effect, breaks)


def fee(bed: Bed) -> Planted:
    """We booked a smaller fee than was taken."""
    unit = 10 if exponent(bed.currency) == 3 else 1
    charge = bed.charge(bed.past(), 25_000)
    short = bed.amount(50)
    taken = charge.fee if not bed.exact else 350 * unit
    taken = max(taken, short + unit)
    charge = charge._replace(fees=(("stripe_fee", taken),))
    ours = fee_line(charge, _je(charge), 2, taken - short)
    bed.at_stripe(charge)
    bed.ours(gross_line(charge, _je(charge)), ours)
    found = _found(bed, "fee", short, "both", _line(ours), _fee(charge))
    return Planted(6, "fee", "fee", _effect(bed, short), (found,))


def duplicate_ours(bed: Bed) -> Planted:
    """We booked one charge twice."""
    charge = bed.charge(bed.past())
    bed.at_both(charge)
    again = gross_line(charge, f"{_je(charge)}_again")
    bed.ours(again)
    first = gross_line(charge, _je(charge))
    found = _found(bed, "duplicate_ours", charge.gross, "clearing", _line(first), _line(again))
    return Planted(7, "duplicate_ours", "duplicate_ours", _effect(bed, charge.gross), (found,))


def duplicate_processor(bed: Bed) -> Planted:
    """Stripe charged twice what we booked once; the fees of both we booked."""
    charge = bed.charge(bed.past())
    bed.at_both(charge)
    again = charge._replace(id=f"{charge.id}_again", created=charge.created + timedelta(minutes=1))
    bed.at_stripe(again)
    bed.ours(fee_line(again, _je(again), 1, again.fee))
    subjects = (_gross(charge), _gross(again))
    found = _found(bed, "duplicate_processor", charge.gross, "processor", *subjects)
    return Planted(
        8, "duplicate_processor", "duplicate_processor", _effect(bed, -charge.gross), (found,)
    )


def told_twice(bed: Bed) -> Planted:
    """One transaction that comes by listing and by report."""
    charge = bed.charge(bed.past())
    charge = charge._replace(fees=(*charge.fees, ("tax", charge.fee // 10 * 10 or 10)))
    bed.at_both(charge)
    bed.again.add(charge.id)
    return Planted(9, "told_twice", "none", _effect(bed))


def refund_unbooked(bed: Bed) -> Planted:
    """A refund that we have not booked."""
    charge = bed.charge(bed.past())
    bed.at_both(charge)
    taken = -min(bed.amount(4_000), charge.gross)
    id_ = bed.next_id()
    refund = charge._replace(
        id=f"txn_{id_}",
        created=charge.created + timedelta(hours=1),
        gross=taken,
        fees=(),
        type="refund",
        category="refund",
        source=f"re_{id_}",
        description="REFUND",
    )
    bed.at_stripe(refund)
    found = _found(bed, "refund_unbooked", -taken, "processor", _gross(refund))
    return Planted(10, "refund_unbooked", "refund_unbooked", _effect(bed, -taken), (found,))


def dispute_unbooked(bed: Bed) -> Planted:
    """A dispute and its fee that we have not booked."""
    charge = bed.charge(bed.past())
    bed.at_both(charge)
    id_ = bed.next_id()
    dispute = charge._replace(
        id=f"txn_{id_}",
        created=charge.created + timedelta(hours=2),
        gross=-charge.gross,
        fees=(("stripe_fee", bed.amount(1_500)),),
        type="adjustment",
        category="dispute",
        source=f"dp_{id_}",
        description="Chargeback withdrawal",
    )
    bed.at_stripe(dispute)
    subjects = (_gross(dispute), _fee(dispute))
    found = _found(bed, "dispute_unbooked", -dispute.net, "processor", *subjects)
    return Planted(11, "dispute_unbooked", "dispute_unbooked", _effect(bed, -dispute.net), (found,))


def opposite_amounts(bed: Bed) -> Planted:
    """Two wrong amounts that together are right."""
    more = bed.amount(100)
    breaks = (_differing(bed, more), _differing(bed, -more))
    return Planted(12, "opposite_amounts", "amount", _effect(bed), breaks)


def payout_missing_bank(bed: Bed) -> Planted:
    """A payout that the bank should have had long ago."""
    payout = bed.payout(bed.past(business_day_after))._replace(booked_on=None)
    transaction = bed.pay_out(payout)
    found = _found(
        bed, "payout_missing_bank", payout.amount, "processor", _gross(transaction), leg="L2"
    )
    effect = _effect(bed, x2=payout.amount)
    return Planted(13, "payout_missing_bank", "payout_missing_bank", effect, (found,))


def payout_in_transit(bed: Bed) -> Planted:
    """A payout of today."""
    payout = bed.payout(bed.shape.last_day)
    transaction = bed.pay_out(payout)
    effect = _effect(bed, x2=payout.amount)
    return Planted(14, "payout_in_transit", "timing", effect, timing=(_gross(transaction),))


def _failed_on(day: date) -> date:
    """The day after the one on which the bank has a payout of a day."""
    return business_day_after(day) + ONE_DAY


def payout_return_missing(bed: Bed) -> Planted:
    """A payout that failed when the bank had it; the bank keeps it."""
    payout = bed.payout(bed.past(lambda day: business_day_after(_failed_on(day))))
    failed_on = _failed_on(payout.created.date())
    payout = payout._replace(failed_on=failed_on, returned_on=business_day_after(failed_on))
    bed.pay_out(payout)
    failure = failure_transaction(payout)
    bed.at_both(failure)
    bed.settle([payout], payout.amount, payout.arrival_on)
    found = _found(
        bed, "payout_return_missing", payout.amount, "processor", _gross(failure), leg="L2"
    )
    effect = _effect(bed, x2=-payout.amount)
    return Planted(15, "payout_return_missing", "payout_return_missing", effect, (found,))


def batch_and_negative(bed: Bed) -> Planted:
    """Two payouts in one deposit, and one that takes from the bank."""
    day = bed.past()
    first = bed.payout(day)
    second = bed.payout(day, 41_000)._replace(trace=first.trace)
    for payout in (first, second):
        bed.pay_out(payout)
    bed.settle([first, second], first.amount + second.amount, first.arrival_on)
    negative = bed.payout(bed.past(), 12_000)
    negative = negative._replace(amount=-negative.amount)
    bed.pay_out(negative)
    bed.settle([negative], negative.amount, negative.arrival_on)
    return Planted(16, "batch_and_negative", "none", _effect(bed))


def bank_fee(bed: Bed) -> Planted:
    """A deposit that is short by what a bank on its way kept; we booked what came."""
    payout = bed.payout(bed.past())
    kept = bed.amount(1_500)
    bed.taken.add((bed.currency, payout.amount - kept))
    transaction = bed.pay_out(payout)
    entry = bed.settle([payout], payout.amount - kept, payout.arrival_on)
    found = _found(bed, "bank_fee", kept, "both", _gross(transaction), _bank(entry), leg="L2")
    return Planted(17, "bank_fee", "bank_fee", _effect(bed, x2=kept), (found,))


def unidentified_deposit(bed: Bed) -> Planted:
    """A deposit that looks like Stripe's and is of no payout."""
    entry = bed.entry([], bed.amount(5_000), bed.bank_day())
    found = Break(
        "unidentified_deposit", ("L2", "L3"), bed.currency, entry.amount, "bank", (_bank(entry),)
    )
    effect = _effect(bed, x2=-entry.amount, x3=-entry.amount)
    return Planted(18, "unidentified_deposit", "unidentified_deposit", effect, (found,))


def _unrelated(bed: Bed) -> Entry:
    """An entry of the bank that we booked, too; there are statements before and after its day."""
    entry = bed.entry([], bed.amount(30_000), business_day_after(bed.past()))
    entry = bed.additions.entries[-1] = entry._replace(description="Invoice 733, Example Ltd")
    bed.ours(other_posting(entry))
    return entry


def statement_missing(bed: Bed) -> Planted:
    """The statement of a day does not come. What it adds to X depends on that day's entries."""
    entry = _unrelated(bed)
    bed.withheld.add((bed.currency, entry.booked_on))
    return Planted(19, "statement_missing", "statement_gap", _effect(bed))


def statement_unproven(bed: Bed) -> Planted:
    """A statement leaves out an entry that its closing balance has."""
    entry = _unrelated(bed)
    bed.left_out.add(entry.reference)
    return Planted(19, "statement_unproven", "statement_gap", _effect(bed))


def report_cut_short(bed: Bed) -> Planted:
    """Stripe's report ends before the last day does; the balance does not."""
    bed.at_both(bed.charge(bed.shape.last_day))
    bed.plan.report_ends = datetime.combine(bed.shape.last_day, time(), UTC)
    return Planted(19, "report_cut_short", "control", _effect(bed))


def unknown_type(bed: Bed) -> Planted:
    """A transaction of a category that nobody knows, not booked."""
    day, id_ = bed.past(), bed.next_id()
    transaction = bed.charge(day, 700)._replace(
        id=f"txn_{id_}",
        fees=(),
        type="lunar_adjustment",
        category="lunar_adjustment",
        source=None,
        charge=None,
        intent=None,
        order=None,
        description="Lunar adjustment",
    )
    bed.at_stripe(transaction)
    found = _found(bed, "unknown_type", transaction.gross, "processor", _gross(transaction))
    effect = _effect(bed, -transaction.gross)
    return Planted(20, "unknown_type", "unknown_type", effect, (found,))


DISCREPANCIES: dict[str, tuple[int, Callable[[Bed], Planted]]] = {
    plant.__name__: (number, plant)
    for number, plant in (
        (1, missing_ours),
        (2, missing_processor),
        (3, not_yet_at_processor),
        (4, amount),
        (5, currency),
        (6, fee),
        (7, duplicate_ours),
        (8, duplicate_processor),
        (9, told_twice),
        (10, refund_unbooked),
        (11, dispute_unbooked),
        (12, opposite_amounts),
        (13, payout_missing_bank),
        (14, payout_in_transit),
        (15, payout_return_missing),
        (16, batch_and_negative),
        (17, bank_fee),
        (18, unidentified_deposit),
        (19, statement_missing),
        (19, statement_unproven),
        (19, report_cut_short),
        (20, unknown_type),
    )
}
"""The discrepancies by name, with the number that the definitions give them."""

INCOMPLETE = frozenset({"statement_missing", "statement_unproven", "report_cut_short"})
"""Those with which nothing can be proven."""

ALL = tuple(name for name in DISCREPANCIES if name not in INCOMPLETE)
"""Everything that can be found while the controls hold."""


def plant(shape: Shape, discrepancies: Iterable[str] = (), *, exact: bool = True) -> World:
    """A world with discrepancies, by name or number, each as often as it is named.

    `exact` has the amounts of the definitions. Raises TooShort, and KeyError for a name that there
    is not. What number 19 adds to X is no more than what the manifest says of the whole world.
    """
    random = Random(f"{shape.seed}/planting")  # noqa: S311 - a world, not a secret
    bed = Bed(shape, random, exact, Plan())
    planted = []
    for name in discrepancies:
        bed.currency = random.choice(shape.currencies)
        planted.append(DISCREPANCIES[named(name)][1](bed))
    bed.plan.apart, bed.plan.taken = bed.apart, bed.taken
    bed.plan.withheld, bed.plan.left_out, bed.plan.again = bed.withheld, bed.left_out, bed.again
    assert all(is_business_day(entry.booked_on) for entry in bed.additions.entries)
    return World(shape, bed.plan, tuple(planted))


def named(name: str) -> str:
    """The name of a discrepancy by its name or number; of number 19, the first."""
    if name.isdigit():
        return next((each for each, (n, _) in DISCREPANCIES.items() if n == int(name)), name)
    return name
