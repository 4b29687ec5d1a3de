"""The inputs of a run: what is in, what waits for the next, and the hash over them."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from database.connection import transaction
from database.journal import balances, book
from database.journal.entry import NewEntry, NewLine
from database.journal.items import take_in_lines
from database.reconciliation import cut, extent
from database.reconciliation.cut import DayIsOver
from database.reconciliation.items import take_in
from tests.integration.reconciliation.three_books import (
    MONDAY,
    TUESDAY,
    ThreeBooks,
    changed,
    deposit,
    item,
    payout,
    sale,
)
from workflows.reconciliation.certificate import Missing

DAY = [*sale("a", 10_000), *sale("b", 2_500), *payout("po", 9_700), *deposit("po", 9_700)]


async def test_the_order_in_which_rows_came_and_their_numbers_do_not_matter(
    acme: ThreeBooks,
) -> None:
    shuffled = list(DAY)
    random.Random(7).shuffle(shuffled)
    other = await ThreeBooks.made(acme.engine, "another")
    hashes = {await acme.hash_of(DAY)}
    await other.take(sale("noise", 1))
    hashes.add(await acme.hash_of(shuffled[5:], shuffled[:5], shuffled[2:4]))
    await acme.take(shuffled)
    fixed = await acme.fix(MONDAY)
    assert {fixed.hash} == hashes
    assert sum(fixed.items.values()) == len(DAY)


CHANGES: list[dict[str, object]] = [
    {"amount_minor": 10_001},
    {"currency": "USD"},
    {"kind": "refund"},
    {"reference": None},
    {"descriptor": "STRIPE"},
    {"derived": True},
    {"occurred_at": datetime(2026, 3, 2, 12, 0, 1, tzinfo=UTC)},
    {"effective_on": TUESDAY},
    {"arrival_on": TUESDAY},
    {"payout": "po"},
    {"presentment_minor": 1},
    {"presentment_currency": "USD"},
    {"payout": "po", "trace_id": "trace"},
]


async def test_whatever_a_source_says_otherwise_gives_another_hash(acme: ThreeBooks) -> None:
    hashes = {await acme.hash_of(DAY)}
    for change in CHANGES:
        other = replace(DAY[0], **change)  # type: ignore[arg-type]
        hashes.add(await acme.hash_of([other, *DAY[1:]]))
    hashes.add(await acme.hash_of(DAY[1:]))
    assert len(hashes) == len(CHANGES) + 2


async def test_terms_balances_and_what_is_missing_are_part_of_the_hash(
    acme: ThreeBooks,
) -> None:
    gap = Missing(lack="statement_gap", book="bank")
    hashes = {
        await acme.hash_of(DAY),
        await acme.hash_of(DAY, terms="r2"),
        await acme.hash_of(DAY, opening={"bank": 5}),
        await acme.hash_of(DAY, missing=[gap]),
    }
    assert len(hashes) == 4


async def test_a_fixed_cut_is_fixed_whatever_comes_later(acme: ThreeBooks) -> None:
    await acme.take(DAY)
    fixed = await acme.fix(MONDAY)
    await acme.take(sale("late", 77), [changed(DAY[0], 1)])
    async with transaction(acme.engine) as connection:
        again = await cut.record(connection, await extent.read(connection, fixed.run))
    assert again.hash == fixed.hash


async def test_what_comes_late_is_new_in_the_next_cut(acme: ThreeBooks) -> None:
    await acme.take(DAY)
    await acme.reconcile(MONDAY)
    await acme.take(sale("late", 77, on=MONDAY))
    _, tuesday = await acme.reconcile(TUESDAY)
    assert {one.book: one.items for one in tuesday.cut.contents} == {"processor": 1, "clearing": 1}


async def test_what_came_early_waits_for_its_day(acme: ThreeBooks) -> None:
    await acme.take(DAY, sale("early", 77, on=TUESDAY))
    _, monday = await acme.reconcile(MONDAY)
    _, tuesday = await acme.reconcile(TUESDAY)
    assert sum(one.items for one in monday.cut.contents) == len(DAY)
    assert {one.book: one.items for one in tuesday.cut.contents} == {"processor": 1, "clearing": 1}


async def test_the_same_inputs_are_not_reconciled_twice(acme: ThreeBooks) -> None:
    await acme.take(DAY, [item("processor", "p-x", 5)])
    first, _ = await acme.reconcile(MONDAY)
    fixed = await acme.fix(MONDAY)
    assert fixed.certificate == first


async def test_a_cut_that_led_to_no_certificate_stands_in_nobodys_way(
    acme: ThreeBooks,
) -> None:
    await acme.take(DAY)
    withdrawn = await acme.fix(MONDAY)
    async with transaction(acme.engine) as connection:
        await connection.execute(text("UPDATE runs SET ended_at = clock_timestamp()"))
    fixed = await acme.fix(MONDAY)
    assert fixed.certificate is None
    assert fixed.run != withdrawn.run
    assert fixed.hash == withdrawn.hash


async def test_a_day_before_one_that_is_certified_is_not_cut_anew(acme: ThreeBooks) -> None:
    await acme.take(DAY)
    await acme.reconcile(MONDAY)
    await acme.reconcile(TUESDAY)
    with pytest.raises(DayIsOver, match="2026-03-03"):
        await acme.fix(MONDAY)
    await acme.fix(TUESDAY)


async def test_asked_again_a_run_answers_the_cut_that_it_fixed(acme: ThreeBooks) -> None:
    await acme.take(DAY)
    fixed = await acme.fix(MONDAY)
    await acme.take(sale("late", 77))
    async with transaction(acme.engine) as connection:
        again = await cut.fix(connection, fixed.run, acme.inputs, [])
    assert again == fixed


async def test_an_intake_that_is_under_way_is_waited_for(acme: ThreeBooks) -> None:
    """Its rows have smaller numbers than what comes after the cut: they must be in, or none of
    what follows may be."""
    began, goes_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with transaction(acme.engine) as connection:
            await take_in(connection, acme.account, DAY, source="a slow one")
            began.set()
            await goes_on.wait()

    intake = asyncio.create_task(slow())
    await began.wait()
    fixing = asyncio.create_task(acme.fix(MONDAY))
    await asyncio.sleep(0.3)
    assert not fixing.done()
    goes_on.set()
    await intake
    assert sum((await fixing).items.values()) == len(DAY)


def entry(name: str, amount: int) -> NewEntry:
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    lines = [
        NewLine("clearing", "EUR", amount, kind="charge", reference=name),
        NewLine("receivables", "EUR", -amount, kind="charge", reference=name),
    ]
    return NewEntry(name, "payment", at, lines)


async def test_a_late_entry_of_an_earlier_transaction_is_not_let_into_a_sealed_cut(
    acme: ThreeBooks,
) -> None:
    """The first writer has the smaller number and commits last: after a cut that holds a greater
    one already."""
    wrote, goes_on = asyncio.Event(), asyncio.Event()
    async with transaction(acme.engine) as connection:
        await book.post(connection, acme.account, [entry("first", 3)])

    async def slow() -> None:
        async with transaction(acme.engine) as connection:
            await book.post(connection, acme.account, [entry("slow", 100)])
            wrote.set()
            await goes_on.wait()

    late = asyncio.create_task(slow())
    await wrote.wait()
    async with transaction(acme.engine) as connection:
        await book.post(connection, acme.account, [entry("quick", 20)])

    async def sealed_and_taken(after: balances.Seal | None) -> tuple[balances.Seal, int]:
        async with transaction(acme.engine) as connection:
            seal = await balances.seal(connection, acme.account)
        async with transaction(acme.engine) as connection:
            taken = await take_in_lines(connection, acme.account, seal, after=after)
        return seal, taken.new

    seal, new = await sealed_and_taken(None)
    assert new == 1, "the quick one waits for the slow one, whose transaction is older"
    monday = await acme.fix(MONDAY)
    goes_on.set()
    await late
    async with transaction(acme.engine) as connection:
        again = await cut.record(connection, await extent.read(connection, monday.run))
        held = await balances.balances(connection, acme.account, seal)
    assert again.hash == monday.hash
    assert sum(one.amount_minor for one in held if one.code == "clearing") == 3
    _, new = await sealed_and_taken(seal)
    assert new == 2, "both are in the next"


async def test_accounts_do_not_see_each_other(acme: ThreeBooks) -> None:
    other = await ThreeBooks.made(acme.engine, "another")
    await other.take(sale("theirs", 5, on=MONDAY - timedelta(days=1)))
    await acme.take(DAY)
    assert sum((await acme.fix(MONDAY)).items.values()) == len(DAY)
