"""A world holds together by itself: whatever its shape, its books are those of a well-kept firm."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.bank.days import is_business_day
from simulators.world.bed import TooShort
from simulators.world.generate import World
from simulators.world.ledger import FAMILY
from simulators.world.manifest import Manifest
from simulators.world.planting import ALL, DISCREPANCIES, plant
from simulators.world.rows import Transaction
from simulators.world.shape import Shape
from tests.worlds import items

FIRST_DAYS = (
    date(2026, 3, 26),  # over the beginning of summer time, and the end of a month
    date(2026, 10, 22),  # over its end
    date(2026, 12, 22),  # over holidays of the bank, and the end of a year
    date(2028, 2, 26),  # over a leap day
)
CURRENCIES = (("EUR",), ("JPY",), ("KWD",), ("EUR", "JPY", "KWD"), ("USD", "EUR"))
SHAPES = st.builds(
    Shape,
    seed=st.integers(0, 2**32),
    first_day=st.sampled_from(FIRST_DAYS),
    days=st.integers(1, 12),
    payments=st.integers(0, 60),
    currencies=st.sampled_from(CURRENCIES),
    untraced=st.sampled_from((0.0, 0.5, 1.0)),
    batched=st.sampled_from((0.0, 0.5, 1.0)),
    failing=st.sampled_from((0.0, 0.3)),
    manual=st.sampled_from((0.0, 0.5)),
    lean=st.sampled_from((0.0, 0.4)),
    in_parts=st.sampled_from((0.0, 0.5)),
)
EXAMPLES = settings(max_examples=60, deadline=None)
RICH = Shape(seed=5, days=40, payments=2_000, failing=0.2, manual=0.3, disputed=0.02)


@EXAMPLES
@given(SHAPES)
def test_an_automatic_payout_is_the_sum_of_its_members(shape: Shape) -> None:
    members: Counter[str] = Counter()
    payouts: dict[str, int] = {}
    for day in World(shape).days():
        for transaction in day.transactions:
            if transaction.payout is not None and transaction.category != "payout":
                members[transaction.payout] += transaction.net
        payouts |= {each.id: each.amount for each in day.payouts if each.automatic}
    assert members == payouts


@EXAMPLES
@given(SHAPES)
def test_statements_lead_from_one_to_the_next_on_every_business_day(shape: Shape) -> None:
    balances: dict[str, int] = {}
    numbers: dict[str, int] = {}
    for day in World(shape).days():
        assert {each.currency for each in day.statements} == (
            set(shape.currencies) if is_business_day(day.day) else set()
        )
        for each in day.statements:
            assert each.opening == balances.get(each.currency, each.opening)
            assert each.number == numbers.get(each.currency, each.number - 1) + 1
            assert each.closing == each.opening + sum(entry.amount for entry in each.entries)
            balances[each.currency], numbers[each.currency] = each.closing, each.number


@EXAMPLES
@given(SHAPES)
def test_nothing_is_open_but_what_is_on_its_way(shape: Shape) -> None:
    manifest = World(shape).manifest()
    assert manifest.status == "BALANCED"
    assert not [*manifest.breaks]
    for currency, books in manifest.books.items():
        x1, x2, x3 = books.x
        assert (x1, x3) == (0, 0)
        assert books.x == manifest.x[currency]
        assert books.closing("clearing") == books.closing("processor")
        assert books.closing("cash") == books.closing("bank")
        assert books.closing("in_transit") == x2


@EXAMPLES
@given(SHAPES, st.lists(st.sampled_from([*DISCREPANCIES]), max_size=40), st.booleans())
def test_the_manifest_says_what_the_rows_come_to(
    shape: Shape, names: list[str], exact: bool
) -> None:
    manifest = plant(shape, names, exact=exact).manifest()
    assert [each.name for each in manifest.planted] == names
    for currency, books in manifest.books.items():
        assert books.x == manifest.x[currency]
        _bridge_is_zero(manifest, currency)


def _bridge_is_zero(manifest: Manifest, currency: str) -> None:
    """E1 to E3; with something hidden, the balances know more than the rows."""
    books = manifest.books[currency]
    x1, x2, x3 = manifest.x[currency]
    hidden = books.hidden["processor"], books.hidden["bank"]
    assert books.closing("clearing") - books.closing("processor") - x1 == -hidden[0]
    assert -books.paid_out - books.settled - x2 == 0
    assert books.closing("cash") - books.closing("bank") - x3 == -hidden[1]


@EXAMPLES
@given(SHAPES, st.lists(st.sampled_from(ALL), max_size=10))
def test_what_is_planted_changes_nothing_else(shape: Shape, names: list[str]) -> None:
    """Payouts take planted payments along, and keep clear of planted amounts; nothing else does."""

    def own(world: World) -> list[Transaction]:
        return [
            each
            for day in world.days()
            for each in day.transactions
            if "planted" not in each.id
            and each.category not in FAMILY
            and each.description != "Radar"
        ]

    without_numbers = [
        (each.created.date(), each.gross, each.currency) for each in own(World(shape))
    ]
    planted = [(e.created.date(), e.gross, e.currency) for e in own(plant(shape, names))]
    assert planted == without_numbers


TABLE = {
    "missing_ours": ((-10_000, 0, 0), [("missing_ours", 10_000)]),
    "missing_processor": ((10_000, 0, 0), [("missing_processor", 10_000)]),
    "not_yet_at_processor": ((10_000, 0, 0), []),
    "amount": ((100, 0, 0), [("amount", 100)]),
    "currency": ((-10_000, 0, 0), [("currency", 10_000), ("currency", 10_000)]),
    "fee": ((50, 0, 0), [("fee", 50)]),
    "duplicate_ours": ((10_000, 0, 0), [("duplicate_ours", 10_000)]),
    "duplicate_processor": ((-10_000, 0, 0), [("duplicate_processor", 10_000)]),
    "told_twice": ((0, 0, 0), []),
    "refund_unbooked": ((4_000, 0, 0), [("refund_unbooked", 4_000)]),
    "dispute_unbooked": ((11_500, 0, 0), [("dispute_unbooked", 11_500)]),
    "opposite_amounts": ((0, 0, 0), [("amount", 100), ("amount", 100)]),
    "payout_missing_bank": ((0, 97_000, 0), [("payout_missing_bank", 97_000)]),
    "payout_in_transit": ((0, 97_000, 0), []),
    "payout_return_missing": ((0, -97_000, 0), [("payout_return_missing", 97_000)]),
    "batch_and_negative": ((0, 0, 0), []),
    "bank_fee": ((0, 1_500, 0), [("bank_fee", 1_500)]),
    "unidentified_deposit": ((0, -5_000, -5_000), [("unidentified_deposit", 5_000)]),
    "unknown_type": ((-700, 0, 0), [("unknown_type", 700)]),
}


@pytest.mark.parametrize("name", ALL)
def test_each_discrepancy_is_that_of_the_definitions(name: str) -> None:
    manifest = plant(Shape(seed=3), [name]).manifest()
    effect, breaks = TABLE[name]
    natural = World(Shape(seed=3)).manifest().x["EUR"]
    assert tuple(a - b for a, b in zip(manifest.x["EUR"], natural, strict=True)) == effect
    assert [(each.class_, each.at_risk) for each in manifest.breaks] == breaks
    assert manifest.status == ("BREAKS" if breaks else "BALANCED")
    assert {currency: books.x for currency, books in manifest.books.items()} == manifest.x
    assert manifest.x.get("USD", (0, 0, 0)) == ((10_000 if name == "currency" else 0), 0, 0)


def test_all_together_are_the_sum_of_each() -> None:
    manifest = plant(Shape(seed=3), ALL).manifest()
    natural = World(Shape(seed=3)).manifest().x["EUR"]
    total = [sum(effect[leg] for effect, _ in TABLE.values()) for leg in range(3)]
    assert [a - b for a, b in zip(manifest.x["EUR"], natural, strict=True)] == total


@pytest.mark.parametrize("name", ["19", "statement_unproven", "report_cut_short"])
def test_what_keeps_the_proof_from_being_made_is_incomplete(name: str) -> None:
    assert plant(Shape(seed=3), [*ALL, name]).manifest().status == "INCOMPLETE"


def test_the_same_seed_makes_the_same_world_and_another_one_another() -> None:
    world = plant(RICH, ALL)
    assert [*world.days()] == [*world.days()] == [*plant(RICH, ALL).days()]
    assert [*World(RICH).days()] != [*World(replace(RICH, seed=6)).days()]


def test_everything_that_happens_at_a_processor_happens_in_a_rich_world() -> None:
    days = [*World(RICH).days()]
    categories = Counter(each.category for day in days for each in day.transactions)
    assert set(categories) == {
        "charge", "refund", "dispute", "dispute_reversal", "fee", "payout", "payout_reversal",
        "risk_reserved_funds",
    }  # fmt: skip
    payouts = [payout for day in days for payout in day.payouts]
    assert any(payout.amount < 0 for payout in payouts)
    assert any(not payout.automatic for payout in payouts)
    assert any(payout.failed_on and payout.booked_on for payout in payouts)
    assert any(payout.failed_on and not payout.booked_on for payout in payouts)
    assert {payout.trace is None for payout in payouts} == {True, False}
    entries = [entry for day in days for each in day.statements for entry in each.entries]
    assert any(entry.amount < 0 and entry.description == "STRIPE PAYOUT" for entry in entries)
    charges = [each for day in days for each in day.transactions if each.category == "charge"]
    assert any(each.presentment for each in charges)
    assert any(len(each.fees) == 2 for each in charges)
    assert any(count > 1 for count in Counter(each.source for each in charges).values())
    assert any(not day.transactions and not day.statements for day in days)


def test_no_payout_has_the_amount_of_another() -> None:
    for seed in range(20):
        shape = Shape(seed=seed, days=20, payments=20, refunded=0)
        payouts = [payout for day in World(shape).days() for payout in day.payouts]
        assert len({abs(payout.amount) for payout in payouts}) == len(payouts) > 5


def test_a_world_too_short_for_something_to_be_late_says_so() -> None:
    with pytest.raises(TooShort, match="within 3 days"):
        plant(Shape(days=3, quiet_days=0), ["payout_missing_bank"])
    with pytest.raises(KeyError):
        plant(Shape(), ["21"])
    with pytest.raises(ValueError, match="a world has a day"):
        Shape(days=0)


def test_items_of_a_world_come_to_what_its_books_do() -> None:
    world = plant(Shape(seed=9, days=8, payments=100, currencies=("EUR", "JPY")), ALL)
    manifest = world.manifest()
    once = {(item.book, item.source_id, item.component): item for item in items(world)}
    again = {each for each in once if each[2] == "fee"}  # as a report tells what a listing told
    sums: Counter[tuple[str, str]] = Counter()
    for key, item in once.items():
        if key not in again:
            sums[item.currency, item.book] += item.amount_minor
    assert again
    for currency, books in manifest.books.items():
        for book in books.shown:
            assert sums[currency, book] == books.shown[book]


def test_shuffled_items_are_still_one_by_one_told_apart() -> None:
    told = [*items(plant(RICH, ALL))]
    Random(1).shuffle(told)
    keys = Counter((each.book, each.source_id, each.component) for each in told)
    assert {key[2] for key, count in keys.items() if count > 1} == {"gross"}
