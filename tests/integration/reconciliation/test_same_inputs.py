"""The hash of a cut covers all that its result goes by."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import engine_for, transaction
from database.reconciliation import accounts, certificates, matching
from database.reconciliation.classify import classify
from database.reconciliation.item import NewItem
from database.reconciliation.taking_apart import unmatch
from tests.integration.reconciliation.books import (
    FIRST,
    TERMS,
    TODAY,
    Books,
    ours,
    payout,
    theirs,
)
from tests.integration.reconciliation.nights import IBAN, Nights, march, mt940
from tests.integration.reconciliation.three_books import MONDAY, ThreeBooks, sale
from tests.postgres import fresh_database
from workers.postgres import Postgres
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


async def stop(acme: ThreeBooks, stage: str = "withdrawn", *, unmatched: bool = False) -> None:
    """A run that matches and is taken back before it is certified."""
    fixed = await acme.fix(TODAY)
    async with acme.transaction() as connection:
        await matching.match(connection, fixed.run, TERMS)
    async with acme.transaction() as connection:
        await classify(connection, fixed.run, TERMS)
        stopped = "UPDATE runs SET ended_at = clock_timestamp(), stage = :stage WHERE id = :run"
        await acme.execute(connection, stopped, stage=stage, run=fixed.run)
    if unmatched:
        async with acme.transaction() as connection:
            match = await connection.scalar(text("SELECT id FROM matches"))
            await unmatch(connection, acme.account, match, by="anna", reason="wrong")


@pytest.mark.parametrize("stages", [["withdrawn"], ["aborted", "withdrawn"]])
async def test_a_run_that_was_taken_back_leaves_nothing_to_later_ones(
    postgres_server: Postgres, migrated_template: str, stages: list[str]
) -> None:
    """A match by chance between the two charges, and the day on which a break was found."""
    made = []
    for stopped in ([], stages):
        async with fresh_database(postgres_server, migrated_template) as dsn:
            other = engine_for(dsn)
            acme = await ThreeBooks.made(other)
            acme.terms = TERMS
            await acme.take(unnamed("a", 700), theirs("a", 700, day=TODAY), theirs("z", 900))
            for stage in stopped:
                await stop(acme, stage)
            await acme.take(theirs("b", 700, day=TODAY))
            id_, certificate = await acme.reconcile(TODAY + DAY)
            assert await acme.verify(id_) == ()
            made.append((certificate.cut.hash, certificate.result_hash, certificate.breaks))
            await other.dispose()
    assert made[0] == made[1]


async def test_what_a_person_took_apart_of_a_run_that_was_taken_back_is_there_once(
    acme: ThreeBooks,
) -> None:
    acme.terms = TERMS
    await acme.take(unnamed("a", 700), theirs("a", 700, day=TODAY))
    await stop(acme, unmatched=True)
    id_, certificate = await acme.reconcile(TODAY)
    assert [one.residual_minor for one in certificate.roll_forward if one.residual_minor] == []
    assert [(one.break_class, one.breaks) for one in certificate.breaks] == [("missing_ours", 1)]
    assert await acme.verify(id_) == ()


def unnamed(id: str, amount: int) -> list[NewItem]:
    return [replace(one, reference=None) for one in ours(id, amount, day=TODAY)]
