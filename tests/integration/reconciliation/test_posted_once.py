"""What an account posts is on its way until it is booked, once; after that nothing is."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.reconciliation.ledger_import import import_ledger
from database.connection import transaction
from database.reconciliation.item import NewItem
from database.reconciliation.taking_apart import unmatch
from tests.integration.reconciliation.books import (
    TODAY,
    Books,
    cash,
    deposit,
    ours,
    payout,
    theirs,
)
from tests.integration.reconciliation.nights import Nights, march, mt940
from tests.postgres import rows
from workflows.reconciliation.books import BreakClass

DAY = timedelta(days=1)
TO_POST: dict[BreakClass, tuple[list[NewItem], str, list[NewItem]]] = {
    "fee": (
        theirs("a", 10_000, 350) + ours("a", 10_000),
        "txn_a/fee:stripe_fee",
        ours("fee", 0, 350, reference="ref_a"),
    ),
    "payout_unbooked": (
        payout("p", 9_650, trace="T1", booked=False) + deposit("p", 9_650, reference="T1"),
        "txn_p/payout",
        ours("p", -9_650, kind="payout", reference="po_p"),
    ),
    "missing_cash": (
        payout("p", 9_650, trace="T1") + deposit("p", 9_650, reference="T1", booked=False),
        "bank_p/settlement",
        cash("p", 9_650, day=TODAY, reference="T1"),
    ),
}


def posted(books: Books, key: str, line: list[NewItem]) -> list[NewItem]:
    """The line of a posting, as our journal tells it."""
    [one] = line
    return [replace(one, source_id=f"posting/{books.account}/{key}/1", derived=True)]


@pytest.mark.parametrize("found", list(TO_POST))
async def test_what_was_posted_and_taken_apart_since_is_a_break(
    engine: AsyncEngine, found: BreakClass
) -> None:
    books = await Books(engine, posts=("fees", "payouts", "settlements")).open()
    told, key, line = TO_POST[found]
    first = await books.reconcile(told)
    assert (first.breaks, first.timing) == ({}, 1)
    second = await books.reconcile(posted(books, key, line), day=TODAY + DAY)
    assert (second.breaks, second.timing) == ({}, 0)
    [made] = await rows(
        engine,
        """SELECT m.id FROM matches m JOIN match_items mi ON mi.match = m.number
           JOIN items i ON i.id = mi.item WHERE i.derived""",
    )
    await books.unmatch(UUID(str(made["id"])))
    for later in (2, 3):
        third = await books.reconcile(day=TODAY + later * DAY)
        assert third.breaks.get(found) == 1


async def test_a_source_that_tells_otherwise_after_it_was_posted_is_no_timing(
    engine: AsyncEngine,
) -> None:
    books = await Books(engine, posts=("fees",)).open()
    told, key, line = TO_POST["fee"]
    await books.reconcile(told)
    await books.reconcile(posted(books, key, line), day=TODAY + DAY)
    reversal = ours("fee reversed", 0, -350, reference="ref_a")
    third = await books.reconcile(theirs("a", 10_000, 400) + reversal, day=TODAY + 2 * DAY)
    assert third.breaks == {"fee": 1}
    assert await books.breaks() == [("fee", "EUR", 400)]


async def test_a_reversed_payout_is_not_balanced_for_ever(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    nights = await Nights.begun(engine, tmp_path, "daily")
    await nights.sell_and_pay_out(march(2), "T2")
    await nights.send(mt940(1, 2, 2, {}, opening=0))
    assert (await nights.night(march(2))).status == "BALANCED"
    await nights.send(mt940(2, 3, 3, {"T2": (3, 10_000)}, opening=0))
    assert (await nights.night(march(3))).status == "BALANCED"
    await nights.send(mt940(3, 4, 4, {}, opening=10_000))
    assert (await nights.night(march(4))).status == "BALANCED"
    [made] = await rows(
        engine,
        """SELECT m.id FROM matches m JOIN match_items mi ON mi.match = m.number
           JOIN items i ON i.id = mi.item WHERE m.leg = 1 AND i.kind = 'payout' AND i.book = 1""",
    )
    async with transaction(engine) as connection:
        match = UUID(str(made["id"]))
        await unmatch(connection, nights.account.id, match, by="anna", reason="wrong")
    ledger = (
        b"entry_id,booked_at,account,kind,currency,amount,reference\n"
        b"reversal,2026-03-05,clearing,payout,EUR,100.00,po_T2\n"
    )
    await import_ledger(engine, "acme", io.BytesIO(ledger), "ledger.csv", by="anna")
    for number, day in ((4, 5), (5, 6)):
        await nights.send(mt940(number, day, day, {}, opening=10_000))
        assert (await nights.night(march(day))).status == "BREAKS"
        assert await nights.breaks() == ["payout_unbooked"]
