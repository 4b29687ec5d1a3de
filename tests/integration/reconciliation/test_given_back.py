"""What cancels out at the bank needs nobody where it is sure that it is one thing, and back."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from database.reconciliation.item import NewItem
from tests.integration.reconciliation.books import FIRST, Books, deposit
from tests.integration.reconciliation.nights import IBAN, Nights, march
from tests.integration.reconciliation.test_statements import camt

DAY = timedelta(days=1)


def numbered(day: int, amount: int, *, opening: int, reference: str = "NOTPROVIDED") -> bytes:
    """The statement of a day whose bank knows its entries by their number in it alone."""
    content = camt(day, [(amount, "-", reference)], opening=opening, account=IBAN)
    content = re.sub(rb"<AcctSvcrRef>[^<]*</AcctSvcrRef>", b"<NtryRef>1</NtryRef>", content)
    eve = b"2026-03-%02d</Dt></Dt></Bal><Bal>"
    return content.replace(eve % day, eve % (day - 1))


@pytest.fixture
async def nights(engine: AsyncEngine, tmp_path: Path) -> Nights:
    return await Nights.begun(engine, tmp_path, "daily")


@pytest.mark.parametrize("reference", ["NOTPROVIDED", "0", "17"])
async def test_what_has_no_name_in_common_does_not_cancel_out(
    nights: Nights, reference: str
) -> None:
    await nights.send(numbered(2, 5_000, opening=0, reference=reference))
    assert (await nights.night(march(2))).status == "BREAKS"
    assert await nights.breaks() == ["missing_cash"]
    await nights.send(numbered(3, -5_000, opening=5_000, reference=reference))
    made = await nights.night(march(3))
    assert (made.status, made.missing) == ("BREAKS", ())
    assert await nights.breaks() == ["missing_cash"] * 2


async def test_what_the_bank_took_back_by_its_name_needs_nobody(nights: Nights) -> None:
    await nights.send(numbered(2, 5_000, opening=0, reference="RF18-5390"))
    await nights.night(march(2))
    await nights.send(numbered(3, -5_000, opening=5_000, reference="RF18-5390"))
    assert (await nights.night(march(3))).status == "BALANCED"


def entry(id: str, amount: int, day: int) -> list[NewItem]:
    at = FIRST + day * DAY
    return deposit(id, amount, day=at, reference="RENT", descriptor="Rent", booked=False)


@pytest.mark.parametrize(
    "entries",
    {
        "long after": [("a", 5_000, 0), ("b", -5_000, 8)],
        "of more than one": [("a", 5_000, 0), ("b", -5_000, 1), ("c", 7_000, 1)],
    }.values(),
    ids=["long after", "of more than one"],
)
async def test_what_may_be_two_things_is_looked_at(
    books: Books, entries: list[tuple[str, int, int]]
) -> None:
    told = await books.reconcile(item for one in entries for item in entry(*one))
    assert told.breaks == {"missing_cash": len(entries)}


async def test_a_name_that_another_entry_had_before_is_of_several(books: Books) -> None:
    month = deposit("a", 5_000, day=FIRST, reference="RENT", descriptor="Rent")
    await books.reconcile(month, day=FIRST)
    told = await books.reconcile([*entry("b", 5_000, 7), *entry("c", -5_000, 8)])
    assert told.breaks == {"missing_cash": 2}
