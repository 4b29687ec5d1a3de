"""A bank account in a currency that nobody opened: what is missing is named, and nothing proven."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import transaction
from database.reconciliation import accounts
from tests.integration.reconciliation.nights import IBAN, Nights, march, mt940
from workflows.reconciliation.certificate import Certificate

OTHER = "DE88EXAMPLE"


@pytest.fixture
async def nights(engine: AsyncEngine, tmp_path: Path) -> Nights:
    return await Nights.begun(engine, tmp_path, "daily")


async def add_dollars(nights: Nights) -> None:
    async with transaction(nights.engine) as connection:
        await accounts.add_bank_account(
            connection, nights.account.id, OTHER, "USD", "target", "daily"
        )


async def night(nights: Nights, day: int, *, dollars: int | None) -> Certificate:
    """A day on which the bank account in dollars holds what it held; perhaps without statement."""
    await nights.send(mt940(day, day, day, {}, opening=0))
    if dollars is not None:
        statement = mt940(day, day, day, {}, opening=dollars)
        await nights.send(statement.replace(IBAN.encode(), OTHER.encode()).replace(b"EUR", b"USD"))
    return await nights.night(march(day))


def lacks(made: Certificate) -> list[tuple[str, str | None, str | None, int | None]]:
    return [(one.lack, one.book, one.currency, one.amount_minor) for one in made.missing]


@pytest.mark.parametrize("added", ["from the start", "a day late", "later"])
async def test_what_it_held_is_missing_and_no_defect_of_ours(nights: Nights, added: str) -> None:
    if added != "later":
        await add_dollars(nights)
    first = await night(nights, 2, dollars=5_000 if added == "from the start" else None)
    assert first.status == ("BALANCED" if added == "later" else "INCOMPLETE")
    if added == "later":
        await add_dollars(nights)
    for day in (3, 4):
        made = await night(nights, day, dollars=5_000)
        assert made.status == "INCOMPLETE"
        assert lacks(made) == [("no_opening", "bank", "USD", 5_000)]


async def test_one_that_held_nothing_needs_no_opening(nights: Nights) -> None:
    assert (await night(nights, 2, dollars=None)).status == "BALANCED"
    await add_dollars(nights)
    for day in (3, 4):
        assert (await night(nights, day, dollars=0)).status == "BALANCED"
