"""A payout that Stripe delays is late by its new day; a journal's line that was changed shows."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.reconciliation.ledger_import import import_ledger
from database.connection import transaction
from database.reconciliation import certificates
from tests.integration.reconciliation.nights import Nights, march, mt940, residuals
from tests.postgres import rows
from workflows.reconciliation.certificate import certificate_id

HEADER = b"entry_id,booked_at,kind,currency,amount,reference\n"
CHANGE = "UPDATE journal_lines SET amount_minor = amount_minor + sign(amount_minor) * 7777"


@pytest.fixture
async def nights(engine: AsyncEngine, tmp_path: Path) -> Nights:
    return await Nights.begun(engine, tmp_path, "daily")


async def change_lines(nights: Nights) -> None:
    """Behind the triggers' back."""
    await rows(nights.engine, "ALTER TABLE journal_lines DISABLE TRIGGER USER")
    await rows(nights.engine, CHANGE)


@pytest.mark.parametrize("delayed", [False, True])
async def test_a_payout_is_late_by_the_day_that_stripe_tells_last(
    nights: Nights, *, delayed: bool
) -> None:
    await nights.sell_and_pay_out(march(2), "T2")
    await nights.send(mt940(1, 2, 2, {}, opening=0))
    assert (await nights.night(march(2))).status == "BALANCED"
    if delayed:
        balance = nights.balance
        arrival = march(13)
        await nights.move(march(2), "payout", "po_T2", -10_000, trace="T2", arrival=arrival)
        nights.balance = balance
    await nights.send(mt940(2, 3, 9, {}, opening=0))
    made = await nights.night(march(9))
    assert residuals(made) == {0}
    assert await nights.breaks() == ([] if delayed else ["payout_missing_bank"])


async def test_a_line_that_was_changed_before_its_night_makes_the_day_incomplete(
    nights: Nights,
) -> None:
    await nights.charge(march(2), "ch_1", 10_000)
    await change_lines(nights)
    await nights.send(mt940(1, 2, 2, {}, opening=0))
    made = await nights.night(march(2), holds=False)
    assert [(one.lack, one.book, one.amount_minor) for one in made.missing] == [
        ("unequal", "clearing", -7_777)
    ]


async def test_a_line_that_was_changed_later_shows_when_a_certificate_is_verified(
    nights: Nights,
) -> None:
    await nights.charge(march(2), "ch_1", 10_000)
    await nights.send(mt940(1, 2, 2, {}, opening=0))
    made = certificate_id(await nights.night(march(2)))
    await change_lines(nights)
    async with transaction(nights.engine) as connection:
        verified = await certificates.verify(connection, made)
    assert verified.differences == (
        "journal: clearing, EUR, 2026-03-02: lines of 17777, its balance says 10000",
        "journal: receivables, EUR, 2026-03-02: lines of -17777, its balance says -10000",
    )


async def test_an_entry_is_taken_back_by_its_opposite_in_a_ledger(nights: Nights) -> None:
    """As docs/journal.md says: what was never captured and what takes it back cancel out."""
    first = b"s-1,2026-03-02,charge,EUR,100.00,ch_1\n"
    opposite = b"s-1-back,2026-03-09,charge,EUR,-100.00,ch_1\n"
    await import_ledger(nights.engine, "acme", BytesIO(HEADER + first), "ledger.csv", by="finance")
    await nights.send(mt940(1, 2, 6, {}, opening=0))
    await nights.night(march(6))
    assert await nights.breaks() == ["missing_processor"]
    ledger = BytesIO(HEADER + opposite)
    await import_ledger(nights.engine, "acme", ledger, "ledger.csv", by="finance")
    await nights.send(mt940(2, 7, 9, {}, opening=0))
    assert (await nights.night(march(9))).status == "BALANCED"
    assert await nights.breaks() == []
