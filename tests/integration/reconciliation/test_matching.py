"""What holds of matching, whatever is compared."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from typing import Any, Never
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.failures import as_failure
from activities.reconciliation.compare import MatchActivities
from activities.reconciliation.refusals import TermsChanged
from database.reconciliation.item import NewItem
from database.reconciliation.scope import OutOfOrder
from database.reconciliation.taking_apart import NoMatch
from tests.integration.reconciliation.books import (
    FIRST,
    TERMS,
    TODAY,
    Books,
    cash,
    deposit,
    ours,
    payout,
    theirs,
)
from tests.integration.reconciliation.test_discrepancies import DISCREPANCIES
from tests.integration.reconciliation.three_books import MONDAY, ThreeBooks
from tests.postgres import rows
from workflows.reconciliation.messages import OfCut, Run

DAY = timedelta(days=1)
ALL = [item for planted in DISCREPANCIES.values() for item in planted.items]


async def test_the_order_of_input_changes_nothing(engine: AsyncEngine) -> None:
    results = []
    for seed in range(3):
        books = await Books(engine, name="acme" if not seed else f"acme{seed}").open()
        sources = [list(of) for _, of in groupby(ALL, key=lambda item: item.source_id)]
        random.Random(seed).shuffle(sources)
        step = 1 + 20 * seed
        for part in range(0, len(sources), step):
            await books.take(item for of in sources[part : part + step] for item in of)
        await books.reconcile()
        # A match's id is of its account.
        found = await books.dispositions()
        results.append([(*row[:7], row[7] if row[5] == "open" else "") for row in found])
    for other in results[1:]:
        assert set(results[0]) ^ set(other) == set()


async def test_the_same_again_changes_nothing(books: Books) -> None:
    await books.reconcile(ALL)
    before = await books.dispositions(), await books.x()
    events = await rows(books.engine, "SELECT * FROM break_events")
    await books.match()
    await books.classify()
    assert (await books.dispositions(), await books.x()) == before
    told = await books.reconcile(ALL)
    assert (await books.dispositions(), await books.x()) == before
    assert told.closed == 0
    assert await rows(books.engine, "SELECT * FROM break_events") == events
    assert await rows(books.engine, "SELECT * FROM match_history") == []


async def test_what_a_later_pass_leaves_unique_is_found_at_once(books: Books) -> None:
    """Of two deposits and two lines of one reference, equal ones are a pair: so are the others."""
    at: Any = {"day": FIRST, "currency": "EUR", "reference": "t1"}
    told = [
        *deposit("a", 500, **at, booked=True),
        *deposit("b", 300, **at, booked=False),
        *cash("c", 100, **at),
    ]
    await books.reconcile(told)
    first = await books.dispositions()
    rules = sorted(row[6] for row in first if row[0] == 3 and row[5] == "match")
    assert rules == [106, 106, 204, 204]  # by rank to one amount, and alone to another one
    await books.match()
    await books.classify()
    assert await books.dispositions() == first


async def test_late_data_closes_a_break_and_leaves_what_was_proven(books: Books) -> None:
    await books.reconcile(ours("b", 10_000))
    first = books.run
    assert await books.breaks() == [("missing_processor", "EUR", 10_000)]
    told = await books.reconcile(theirs("b", 10_000))
    assert (await books.breaks(), told.closed) == ([], 1)
    assert (await books.x(first), await books.x()) == ({"EUR": (10_000, 0, 0)}, {})


async def test_a_correction_explains_a_difference(books: Books) -> None:
    await books.reconcile(theirs("d", 10_000) + ours("d", 10_100))
    first = books.run
    assert await books.breaks() == [("amount", "EUR", 100)]
    correction = ours("d-correction", -100, reference="ref_d", day=TODAY)
    told = await books.reconcile(correction, day=TODAY + DAY)
    assert (await books.breaks(), told.closed) == ([], 1)
    assert (await books.x(first), await books.x()) == ({"EUR": (100, 0, 0)}, {})


async def test_a_break_keeps_its_identity_when_its_class_changes(books: Books) -> None:
    await books.reconcile(ours("g", 10_000) + ours("g2", 10_000, reference="ref_g"))
    assert len(await books.breaks()) == 2
    told = await books.reconcile(theirs("g", 10_000))
    assert (await books.breaks(), told.closed) == ([("duplicate_ours", "EUR", 10_000)], 1)
    events = await rows(books.engine, "SELECT what FROM break_events ORDER BY id")
    assert sorted(one["what"] for one in events) == ["changed", "closed", "opened", "opened"]


async def test_what_was_explained_and_is_not_is_opened_again(books: Books) -> None:
    await books.reconcile(ours("b", 10_000))
    await books.reconcile(theirs("b", 10_000))
    await books.unmatch(await only_match(books))
    told = await books.reconcile()
    assert told.breaks == {"missing_ours": 1, "missing_processor": 1}
    events = await rows(books.engine, "SELECT what FROM break_events ORDER BY id")
    assert [one["what"] for one in events].count("reopened") == 1


async def only_match(books: Books) -> UUID:
    found = await rows(books.engine, "SELECT id FROM matches")
    assert len(found) == 1
    return UUID(str(found[0]["id"]))


async def test_what_a_person_took_apart_stays_apart(books: Books) -> None:
    await books.reconcile(theirs("a", 10_000) + ours("a", 10_000))
    match = await only_match(books)
    with pytest.raises(ValueError, match="reason"):
        await books.unmatch(match, reason=" ")
    await books.unmatch(match)
    with pytest.raises(NoMatch):
        await books.unmatch(match)
    assert await books.x() == {}, "what the run proved stands"
    for _ in range(2):
        await books.reconcile(day=TODAY + DAY)
        assert [one[0] for one in await books.breaks()] == ["missing_ours", "missing_processor"]
    history = await rows(books.engine, "SELECT unmatched_by, reason FROM match_history")
    assert history == [{"unmatched_by": "person:anna", "reason": "of another customer"}]


async def test_a_payout_and_a_deposit_that_a_person_took_apart_are_each_by_itself(
    books: Books,
) -> None:
    await books.reconcile(payout("p", 97_000, trace="T1") + deposit("p", 97_000, reference="T1"))
    found = await rows(books.engine, "SELECT id FROM matches WHERE leg = 2")
    await books.unmatch(UUID(str(found[0]["id"])))
    for _ in range(2):
        await books.reconcile(day=TODAY + DAY)
        assert [one[0] for one in await books.breaks()] == [
            "payout_missing_bank",
            "unidentified_deposit",
        ]


async def test_what_a_person_took_apart_may_still_be_like_something_else(books: Books) -> None:
    await books.reconcile(payout("p", 97_000, trace="T1") + deposit("p", 97_000, reference="T1"))
    found = await rows(books.engine, "SELECT id FROM matches WHERE leg = 2")
    await books.unmatch(UUID(str(found[0]["id"])))
    await books.reconcile(deposit("q", 97_000) + deposit("r", 97_000), day=TODAY + DAY)
    classes = [one[0] for one in await books.breaks()]
    assert classes == ["ambiguous", "unidentified_deposit"]


async def test_a_break_is_of_the_items_of_before_when_a_run_is_taken_back(books: Books) -> None:
    lines = [*ours("a", 10_000), *ours("b", 10_000)]
    charges = theirs("a", 10_000) + theirs("b", 10_000)
    told = await books.reconcile([*charges, *(replace(one, reference=None) for one in lines)])
    assert told.breaks == {"ambiguous": 1}

    async def items() -> list[list[int]]:
        found = await rows(books.engine, "SELECT items FROM breaks WHERE closed_on IS NULL")
        return [one["items"] for one in found]

    before = await items()
    await books.reconcile(ours("c", 10_000, reference="ref_a"), day=TODAY + DAY)
    assert await items() != before
    await books.take_back()
    assert await items() == before


async def test_a_cut_is_matched_by_the_terms_that_it_names_alone(
    engine: AsyncEngine, acme: ThreeBooks
) -> None:
    async def nothing(*_: object) -> Never:
        raise AssertionError("the cut is fixed already")

    matching = MatchActivities(engine, TERMS, nothing)
    before = await acme.fix(MONDAY, terms="as they were before")
    run = Run(account=acme.name, day=MONDAY, ordinal=1)
    asked = OfCut(run=run, cut_id=before.run, request_key="a test/match")
    with pytest.raises(TermsChanged, match="withdraw this run") as refused:
        await ActivityEnvironment().run(matching.match, asked)
    assert as_failure(refused.value).non_retryable

    now = await (await ThreeBooks.made(engine, "globex")).fix(MONDAY, terms=TERMS.version)
    await ActivityEnvironment().run(matching.match, asked.model_copy(update={"cut_id": now.run}))


async def test_open_items_are_carried_over_months(books: Books) -> None:
    await books.reconcile(ours("b", 10_000) + payout("n", 97_000, trace="T1"))
    for month in range(1, 4):
        await books.reconcile(day=TODAY + 30 * month * DAY)
    late = TODAY + 100 * DAY
    arrived = theirs("b", 10_000, day=late) + deposit("n", 97_000, reference="T1", day=late)
    told = await books.reconcile(arrived, day=late)
    assert (await books.breaks(), told.closed, await books.x()) == ([], 2, {})


async def test_days_are_compared_in_their_order(books: Books) -> None:
    await books.reconcile(day=TODAY)
    await books.cut(TODAY - DAY)
    with pytest.raises(OutOfOrder):
        await books.match()


async def test_what_happened_after_the_cut_comes_with_the_next(books: Books) -> None:
    await books.reconcile(theirs("a", 1_000, day=TODAY + DAY) + ours("a", 1_000, day=TODAY))
    assert await books.x() == {"EUR": (1_000, 0, 0)}
    await books.reconcile(day=TODAY + DAY)
    assert await books.x() == {}


async def test_an_incomplete_run_closes_nothing(books: Books) -> None:
    await books.reconcile(ours("b", 10_000))
    await books.take(theirs("b", 10_000) + ours("c", 5_000))
    await books.cut()
    await books.match()
    told = await books.classify(provisional=True)
    assert (told.closed, len(await books.breaks())) == (0, 2)
    told = await books.reconcile()
    assert (told.closed, await books.breaks()) == (1, [("missing_processor", "EUR", 5_000)])
    found = await rows(books.engine, "SELECT provisional FROM breaks WHERE closed_on IS NULL")
    assert found == [{"provisional": False}]


async def test_a_source_that_tells_otherwise_opens_what_it_was_matched_with(books: Books) -> None:
    await books.reconcile(theirs("a", 10_000) + ours("a", 10_000))
    await books.reconcile(theirs("a", 9_000))
    assert await books.breaks() == [("amount", "EUR", 1_000)]
    assert await books.x() == {"EUR": (1_000, 0, 0)}
    await books.reconcile(theirs("a", 10_000))
    assert (await books.breaks(), await books.x()) == ([], {})


async def test_a_price_of_fifty_thousand_is_one_task(books: Books) -> None:
    def priced(book: list[NewItem]) -> NewItem:
        return book[0]

    charges = [theirs(f"{n}", 999)[0] for n in range(50_000)]
    lines = [
        NewItem("clearing", f"je_{n}", "", "charge", "EUR", 999, one.occurred_at, FIRST)
        for n, one in enumerate(charges)
    ]
    told = await books.reconcile([*charges, *lines])
    assert told.breaks == {"ambiguous": 1}
    assert await books.breaks() == [("ambiguous", "EUR", 49_950_000)]
    assert await books.x() == {}


async def test_what_names_nothing_is_matched_by_amount_and_day(books: Books) -> None:
    def unnamed(id: str, amount: int, day: int) -> NewItem:
        line = ours(id, amount, day=FIRST + day * DAY)[0]
        return NewItem(
            *("clearing", line.source_id, "", "charge", "EUR", amount),
            line.occurred_at,
            line.effective_on,
        )

    two_days = theirs("a", 700) + theirs("b", 700, day=FIRST + DAY)
    await books.reconcile([*two_days, unnamed("a", 700, 0), unnamed("b", 700, 1)])
    assert (await books.breaks(), await books.x()) == ([], {})
    far = [*theirs("c", 800), unnamed("c", 800, 9)]
    await books.reconcile(far)
    assert [one[0] for one in await books.breaks()] == ["missing_ours", "missing_processor"]


@pytest.mark.parametrize(("currency", "amount"), [("JPY", 10_000), ("KWD", 10_000_000)])
async def test_currencies_of_other_units(books: Books, currency: str, amount: int) -> None:
    await books.reconcile(
        theirs("a", amount, currency=currency)
        + ours("a", amount + 1, currency=currency)
        + payout("p", amount, currency=currency)
        + deposit("p", amount, currency=currency)
    )
    assert await books.breaks() == [("amount", currency, 1)]
    assert await books.x() == {currency: (1, 0, 0)}


async def test_a_sale_in_the_customers_currency_is_a_pair(books: Books) -> None:
    sale = theirs("a", 9_200, presentment_minor=10_000, presentment_currency="USD")
    await books.reconcile(sale + ours("a", 10_000, currency="USD"))
    assert await books.breaks() == []
    assert await books.x() == {"EUR": (-9_200, 0, 0), "USD": (10_000, 0, 0)}


async def test_parts_and_nets_are_groups(books: Books) -> None:
    parts = theirs("a", 6_000, 200, reference="ch_1") + theirs("b", 4_000, 150, reference="ch_1")
    net = theirs("c", 10_000, 350, reference="ch_2")
    await books.reconcile(
        parts + ours("a", 10_000, 350, reference="ch_1") + net + ours("c", 9_650, reference="ch_2")
    )
    assert (await books.breaks(), await books.x()) == ([], {})


async def test_what_we_reversed_needs_no_counterpart(books: Books) -> None:
    wrong = ours("a", 9_000, reference="ch_1") + ours("b", -9_000, reference="ch_1")
    await books.reconcile(wrong + ours("c", 10_000, reference="ch_1"))
    await books.reconcile(theirs("c", 10_000, reference="ch_1"))
    assert (await books.breaks(), await books.x()) == ([], {})


async def test_what_an_account_posts_itself_is_only_to_be_posted(engine: AsyncEngine) -> None:
    books = await Books(engine, posts=("fees", "payouts", "settlements")).open()
    told = await books.reconcile(
        theirs("a", 10_000, 350)
        + ours("a", 10_000)
        + payout("p", 9_650, trace="T1", booked=False)
        + deposit("p", 9_650, reference="T1", booked=False)
    )
    assert (told.breaks, told.timing) == ({}, 3)
    assert await books.x() == {"EUR": (350 + 9_650, 0, -9_650)}


async def test_a_trace_that_comes_late_finds_its_deposit(books: Books) -> None:
    other = deposit("p", 90_000, reference="T1", descriptor="Transfer")
    await books.reconcile(payout("p", 97_000) + other)
    assert await books.x() == {"EUR": (0, 97_000, 0)}, "nothing says that it is a settlement"
    await books.reconcile(payout("p", 97_000, trace="T1"))
    assert await books.breaks() == [("amount", "EUR", 7_000)]
    assert await books.x() == {"EUR": (0, 7_000, 0)}


async def test_cash_without_a_reference_is_found_by_amount_and_bank_day(books: Books) -> None:
    friday = FIRST + 4 * DAY
    entry = deposit("a", 5_000, day=friday + 3 * DAY, descriptor="Transfer", booked=False)
    await books.reconcile(entry + cash("a", 5_000, day=friday))
    assert (await books.breaks(), await books.x()) == ([], {})


async def test_a_difference_within_tolerance_is_no_break(engine: AsyncEngine) -> None:
    terms = TERMS.model_copy(update={"tolerances": {"default": 5}})
    books = await Books(engine, terms).open()
    await books.reconcile(theirs("d", 10_000) + ours("d", 10_005))
    assert (await books.breaks(), await books.x()) == ([], {"EUR": (5, 0, 0)})


async def test_one_risk_is_counted_once_on_two_legs(books: Books) -> None:
    await books.reconcile(deposit("u", 5_000, booked=False))
    found = await rows(
        books.engine, "SELECT leg, class, at_risk_minor, risk_on_leg FROM breaks ORDER BY leg"
    )
    assert [tuple(one.values()) for one in found] == [
        (2, "unidentified_deposit", 5_000, None),
        (3, "unidentified_deposit", 0, 2),
    ]


async def test_accounts_know_nothing_of_each_other(engine: AsyncEngine) -> None:
    one, other = await Books(engine).open(), await Books(engine, name="other").open()
    await one.reconcile(theirs("a", 10_000))
    await other.reconcile(ours("a", 10_000))
    assert [found[0] for found in await one.breaks()] == ["missing_ours"]
    assert [found[0] for found in await other.breaks()] == ["missing_processor"]
