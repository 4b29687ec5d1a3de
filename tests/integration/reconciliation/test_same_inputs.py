"""The hash of a cut covers all that its result goes by."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import transaction
from database.reconciliation import accounts, certificates
from tests.integration.reconciliation.books import FIRST, Books, payout
from tests.integration.reconciliation.nights import IBAN, Nights, march, mt940
from tests.integration.reconciliation.three_books import MONDAY, ThreeBooks, sale
from workflows.reconciliation.inputs import BankDays

DAY = timedelta(days=1)


@pytest.fixture
async def nights(engine: AsyncEngine, tmp_path: Path) -> Nights:
    return await Nights.begun(engine, tmp_path, "daily")


async def work_by(nights: Nights, calendar: str) -> None:
    async with transaction(nights.engine) as connection:
        of = nights.account.id
        await accounts.add_bank_account(connection, of, IBAN, "EUR", calendar, None)


async def test_another_calendar_of_a_bank_is_another_cut(nights: Nights) -> None:
    await nights.sell_and_pay_out(march(17), "T2")
    await nights.send(mt940(1, 2, 23, {}, opening=0))
    by_target = await nights.night(march(23))
    assert (by_target.status, await nights.breaks()) == ("BREAKS", ["payout_missing_bank"])
    await work_by(nights, "jp")
    by_another = await nights.night(march(23))
    assert (by_another.status, await nights.breaks()) == ("BALANCED", [])
    assert by_another.cut.hash != by_target.cut.hash


async def test_what_an_account_posts_is_in_the_cut(nights: Nights) -> None:
    await nights.send(mt940(1, 2, 2, {}, opening=0))
    before = await nights.night(march(2))
    async with transaction(nights.engine) as connection:
        await connection.execute(text("UPDATE reconciliation_accounts SET posts = '{}'"))
    nights.account = await _read(nights)
    assert (await nights.night(march(2))).cut.hash != before.cut.hash


async def _read(nights: Nights) -> accounts.Account:
    async with transaction(nights.engine) as connection:
        return await accounts.of_name(connection, nights.account.name)


async def test_certificates_of_before_it_was_fixed_verify(acme: ThreeBooks) -> None:
    """Their inputs do not name them, and their hash does not cover them."""
    await acme.take(sale("a", 10_000))
    assert (acme.inputs.bank_days, acme.inputs.posts) == (None, None)
    before, made = await acme.reconcile(MONDAY)
    assert await acme.verify(before) == ()
    named = BankDays(currency="EUR", calendars=("target",))
    acme.inputs = acme.inputs.model_copy(update={"bank_days": (named,), "posts": ()})
    after, same = await acme.reconcile(MONDAY)
    assert (same.supersedes, same.result_hash) == (before, made.result_hash)
    async with transaction(acme.engine) as connection:
        for one in (before, after):
            assert (await certificates.verify(connection, one)).differences == ()
    changed = """UPDATE cuts SET inputs = jsonb_set(inputs, '{bank_days,0,calendars,0}', '"jp"')
                 WHERE inputs ? 'bank_days'"""
    assert await acme.verify(before, after=changed) == ()
    assert await acme.verify(after, after=changed) != ()


async def test_of_several_banks_a_day_counts_on_which_all_of_them_work(books: Books) -> None:
    """A payout is late by none of them before it is by each: any may have its money."""
    async with transaction(books.engine) as connection:
        for bank, calendar in (("A", "jp"), ("B", "target")):
            await accounts.add_bank_account(connection, books.account, bank, "EUR", calendar)
    friday = FIRST + 15 * DAY  # the 17th; the 20th is a holiday in Japan
    late = friday + 6 * DAY
    await books.reconcile(payout("n", 97_000, day=friday, trace="T1"), day=late)
    assert await books.breaks() == []
    await books.reconcile(day=late + DAY)
    assert await books.breaks() == [("payout_missing_bank", "EUR", 97_000)]
