"""The twenty discrepancies of the definitions, each alone and all together."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

import pytest

from database.reconciliation.item import NewItem
from tests.integration.reconciliation.books import (
    FIRST,
    TODAY,
    Books,
    deposit,
    ours,
    payout,
    theirs,
)

Found = tuple[str, str, int]
"""Class, currency, minor units at risk."""


@dataclass(frozen=True)
class Planted:
    items: list[NewItem]
    breaks: tuple[Found, ...] = ()
    x: tuple[int, int, int] = (0, 0, 0)
    timing: int = 0
    x_usd: int = 0


BEFORE = FIRST + timedelta(days=1)

DISCREPANCIES = {
    "01 not booked": Planted(
        theirs("a", 10_000, 350) + ours("a", 0, 350),
        (("missing_ours", "EUR", 10_000),),
        (-10_000, 0, 0),
    ),
    "02 not at the processor": Planted(
        ours("b", 10_000), (("missing_processor", "EUR", 10_000),), (10_000, 0, 0)
    ),
    "03 not yet": Planted(ours("c", 10_000, day=TODAY), (), (10_000, 0, 0), timing=1),
    "04 another amount": Planted(
        theirs("d", 10_000) + ours("d", 10_100), (("amount", "EUR", 100),), (100, 0, 0)
    ),
    "05 another currency": Planted(
        theirs("e", 10_000) + ours("e", 10_000, currency="USD"),
        (("currency", "EUR", 10_000), ("currency", "USD", 10_000)),
        (-10_000, 0, 0),
        x_usd=10_000,
    ),
    "06 another fee": Planted(
        theirs("f", 10_000, 350) + ours("f", 10_000, 300), (("fee", "EUR", 50),), (50, 0, 0)
    ),
    "07 booked twice": Planted(
        theirs("g", 10_000) + ours("g", 10_000) + ours("g2", 10_000, reference="ref_g"),
        (("duplicate_ours", "EUR", 10_000),),
        (10_000, 0, 0),
    ),
    "08 charged twice": Planted(
        theirs("h", 10_000) + theirs("h2", 10_000, reference="ref_h") + ours("h", 10_000),
        (("duplicate_processor", "EUR", 10_000),),
        (-10_000, 0, 0),
    ),
    "09 told twice": Planted(
        theirs("i", 10_000, 350) + theirs("i", 10_000, 350) + ours("i", 10_000, 350)
    ),
    "10 refund not booked": Planted(
        theirs("j", -4_000, kind="refund"), (("refund_unbooked", "EUR", 4_000),), (4_000, 0, 0)
    ),
    "11 dispute not booked": Planted(
        theirs("k", -10_000, 1_500, kind="dispute"),
        (("dispute_unbooked", "EUR", 11_500),),
        (11_500, 0, 0),
    ),
    "12 two amounts that together are right": Planted(
        theirs("l", 10_000) + ours("l", 10_100) + theirs("m", 10_000) + ours("m", 9_900),
        (("amount", "EUR", 100), ("amount", "EUR", 100)),
    ),
    "13 payout not at the bank": Planted(
        payout("n", 97_000, trace="T13"), (("payout_missing_bank", "EUR", 97_000),), (0, 97_000, 0)
    ),
    "14 payout in transit": Planted(
        payout("o", 98_000, day=TODAY, trace="T14"), (), (0, 98_000, 0), timing=1
    ),
    "15 failed after the credit": Planted(
        payout("p", 96_000, trace="T15")
        + deposit("p", 96_000, reference="T15")
        + payout("p2", -96_000, kind="payout_reversal", payout="po_p", day=BEFORE),
        (("payout_return_missing", "EUR", 96_000),),
        (0, -96_000, 0),
    ),
    "16 two in one deposit": Planted(
        payout("q", 50_000)
        + payout("r", 45_000)
        + deposit("q", 95_000)
        + payout("s", -12_000, day=FIRST + timedelta(days=7))
        + deposit("s", -12_000, day=FIRST + timedelta(days=8)),
    ),
    "17 short by a fee of the bank": Planted(
        payout("t", 93_000, trace="T17") + deposit("t", 91_500, reference="T17"),
        (("bank_fee", "EUR", 1_500),),
        (0, 1_500, 0),
    ),
    "18 a deposit of nothing": Planted(
        deposit("u", 5_000, booked=False),
        (("unidentified_deposit", "EUR", 5_000),),
        (0, -5_000, -5_000),
    ),
    "20 an unknown type": Planted(
        theirs("v", 730, 30, kind="lunar_adjustment"), (("unknown_type", "EUR", 700),), (-700, 0, 0)
    ),
}


def x_of(*planted: Planted) -> dict[str, tuple[int, int, int]]:
    total = tuple(sum(one.x[leg] for one in planted) for leg in range(3))
    usd = sum(one.x_usd for one in planted)
    found = {"EUR": total, "USD": (usd, 0, 0)}
    return {currency: x for currency, x in found.items() if any(x)}  # type: ignore[misc]


@pytest.mark.parametrize("name", DISCREPANCIES)
async def test_each_alone(books: Books, name: str) -> None:
    planted = DISCREPANCIES[name]
    told = await books.reconcile(planted.items)
    assert await books.breaks() == sorted(planted.breaks)
    assert await books.x() == x_of(planted)
    assert told.timing == planted.timing


async def test_all_together_in_any_order(books: Books) -> None:
    planted = list(DISCREPANCIES.values())
    items = [item for one in planted for item in one.items]
    random.Random(7).shuffle(items)
    told = await books.reconcile(items)
    assert await books.breaks() == sorted(found for one in planted for found in one.breaks)
    assert await books.x() == x_of(*planted)
    assert told.timing == sum(one.timing for one in planted)


@pytest.mark.parametrize("trace", ["T17", None])
async def test_a_deposit_short_by_a_fee_is_found_without_a_trace(
    books: Books, trace: str | None
) -> None:
    await books.reconcile(payout("t", 93_000, trace=trace) + deposit("t", 91_500, reference=trace))
    assert await books.breaks() == [("bank_fee", "EUR", 1_500)]


async def test_a_deposit_that_came_twice_is_not_another_payout_short_by_a_fee(
    books: Books,
) -> None:
    once = payout("b", 95_500, trace="T2") + deposit("b", 95_500, reference="T2")
    missing = payout("a", 97_000, trace="T1")
    twice = deposit("again", 95_500, reference="BKagain", booked=False)
    await books.reconcile([*once, *missing, *twice])
    assert await books.breaks() == [
        ("payout_missing_bank", "EUR", 97_000),
        ("unidentified_deposit", "EUR", 95_500),
    ]


async def test_a_deposit_that_came_again_later_is_not_another_payout_short_by_a_fee(
    books: Books,
) -> None:
    once = payout("b", 95_500, trace="T2") + deposit("b", 95_500, reference="T2")
    await books.reconcile(once, day=FIRST + timedelta(days=1))
    later = FIRST + timedelta(days=2)
    missing = payout("a", 97_000, day=later, trace="T1")
    again = deposit("again", 95_500, day=later, reference="BKagain", booked=False)
    await books.reconcile([*missing, *again])
    assert await books.breaks() == [
        ("payout_missing_bank", "EUR", 97_000),
        ("unidentified_deposit", "EUR", 95_500),
    ]
