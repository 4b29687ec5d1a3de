"""An account that begins in the middle of a statement has of it what is of its own days."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.integration.reconciliation.conftest import new_account
from tests.integration.reconciliation.nights import Nights, march, mt940, residuals
from tests.integration.reconciliation.test_statement_withdrawal import told_minor
from tests.integration.reconciliation.test_statements import Bank, bank, camt
from tests.postgres import rows

__all__ = ["bank"]

EARLIER = b":60F:C260220"
"""The balance of a day long before the account begins, on 2 March."""


@pytest.fixture
async def weekly(engine: AsyncEngine, tmp_path: Path) -> Nights:
    """Begins on Monday with nothing, and has a payout that the bank has on Tuesday."""
    nights = await Nights.begun(engine, tmp_path, "weekly")
    await nights.sell_and_pay_out(march(2), "T2")
    return nights


@pytest.mark.parametrize("since", [b":60F:C260301", EARLIER])
async def test_what_was_before_the_account_is_in_what_it_began_with(
    weekly: Nights, since: bytes
) -> None:
    entries = {"OLD": (1, -500), "T2": (3, 10_000)}
    told = mt940(1, 1, 6, entries, opening=500).replace(b":60F:C260301", since)
    await weekly.send(told)

    made = await weekly.night(march(6))
    assert (made.status, made.missing, residuals(made)) == ("BALANCED", (), {0})
    [bank_] = [one for one in made.controls if one.book == "bank"]
    assert (bank_.opening_minor, bank_.closing_minor) == (0, 10_000)
    assert await told_minor(weekly) == 10_000


async def test_what_moved_to_and_fro_before_is_left_out_too(weekly: Nights) -> None:
    entries = {"OLD": (1, 500), "BACK": (1, -500), "T2": (3, 10_000)}
    await weekly.send(mt940(1, 1, 6, entries, opening=0).replace(b":60F:C260301", EARLIER))

    assert (await weekly.night(march(6))).status == "BALANCED"


async def test_what_people_agreed_on_must_be_what_the_statement_comes_to(weekly: Nights) -> None:
    entries = {"OLD": (1, -500), "T2": (3, 10_000)}
    await weekly.send(mt940(1, 1, 6, entries, opening=600))

    made = await weekly.night(march(6))
    [lack] = made.missing
    assert (made.status, lack.lack, lack.amount_minor) == ("INCOMPLETE", "unequal", 100)


async def test_a_statement_that_closed_before_the_account_began_brings_nothing(
    weekly: Nights,
) -> None:
    before = mt940(1, 1, 1, {"OLD": (1, -500)}, opening=500).replace(b":60F:C260301", EARLIER)
    await weekly.send(before + mt940(2, 1, 6, {"T2": (3, 10_000)}, opening=0))

    assert (await weekly.night(march(6))).status == "BALANCED"


@pytest.mark.parametrize("evening", [b":60F:C260227", b":60F:C260301"])
async def test_an_entry_of_an_earlier_day_that_the_bank_booked_since_counts(
    weekly: Nights, evening: bytes
) -> None:
    entries = {"LATE": (1, -500), "T2": (3, 10_000)}
    await weekly.send(mt940(1, 1, 6, entries, opening=0).replace(b":60F:C260301", evening))

    made = await weekly.night(march(6))
    assert (made.status, made.missing, residuals(made)) == ("BREAKS", (), {0})
    assert await told_minor(weekly) == 9_500


async def test_where_nobody_agreed_on_the_banks_balance_its_first_statement_begins_it(
    engine: AsyncEngine, bank: Bank
) -> None:
    opened = datetime(2026, 3, 3, tzinfo=UTC)
    await new_account(engine, "globex", opened=opened, processor="files", bank_account="DE77")
    assert (await bank.send(camt(2, account="DE77"))).new == 2
    [kept] = await rows(engine, "SELECT state FROM statements")
    assert kept["state"] == "counts"
