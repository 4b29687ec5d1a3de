"""What holds of any books: small ones, made up of what is easily confused."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import engine_for
from database.reconciliation.item import NewItem
from tests.integration.reconciliation.books import (
    FIRST,
    TODAY,
    Books,
    cash,
    deposit,
    ours,
    payout,
    theirs,
)
from tests.postgres import fresh_database, rows
from workers.postgres import Postgres

_NUMBERS = count(1)
_AMOUNTS = st.sampled_from([-500, -100, 0, 100, 200, 300, 500, 1_000])
_DAYS = st.integers(0, 18).map(lambda n: FIRST + timedelta(days=n))
_REFERENCES = st.sampled_from(["r1", "r2", "r3", "r4"])
_KINDS = st.sampled_from(["charge", "refund", "dispute", "payout", "lunar"])
_CURRENCIES = st.sampled_from(["EUR", "EUR", "EUR", "JPY"])
_TRACES = st.sampled_from([None, "t1", "t2"])


@st.composite
def parts(draw: st.DrawFn, number: int, traces: Mapping[str, str | None]) -> list[NewItem]:
    """A few items that belong together, or nearly. `traces` has those of named payouts."""
    what = draw(st.sampled_from(["theirs", "ours", "both", "payout", "deposit", "cash", "line"]))
    amount, day, currency = draw(_AMOUNTS), draw(_DAYS), draw(_CURRENCIES)
    known: dict[str, Any] = {
        "kind": draw(_KINDS),
        "day": day,
        "currency": currency,
        "reference": draw(_REFERENCES),
    }
    name = f"{number}"
    fee = draw(st.sampled_from([0, 0, 10, 20]))
    match what:
        case "theirs":
            return theirs(name, amount, fee, **known)
        case "ours":
            return ours(name, amount, fee, **known)
        case "both":
            return theirs(name, amount, fee, **known) + ours(name, amount, fee, **known)
        case "payout":
            back, named = draw(st.booleans()), draw(st.sampled_from([*traces, None]))
            return payout(
                name,
                -amount if back else amount,
                day=day,
                currency=currency,
                trace=traces[named] if named else draw(_TRACES),
                kind="payout_reversal" if back else "payout",
                payout=named,
            )
        case "deposit":
            booked = draw(st.booleans())
            reference = draw(_TRACES)
            return deposit(
                *(name, amount), day=day, currency=currency, reference=reference, booked=booked
            )
        case "cash":
            return cash(name, amount, day=day, currency=currency, reference=draw(_TRACES))
    return [replace(one, reference=None) for one in ours(name, amount, **known)]


@st.composite
def worlds(draw: st.DrawFn) -> list[list[NewItem]]:
    """Items of three books, what one source tells at once in a list of its own."""
    traces = {payout: draw(_TRACES) for payout in ("po_1", "po_2")}
    told = [draw(parts(number, traces)) for number in range(draw(st.integers(1, 14)))]
    sources: dict[tuple[str, str], list[NewItem]] = {}
    for item in (item for some in told for item in some):
        sources.setdefault((item.book, item.source_id), []).append(item)
    return list(sources.values())


@pytest.fixture(scope="module")
async def shared(postgres_server: Postgres, migrated_template: str) -> AsyncIterator[AsyncEngine]:
    """A database for all examples: each has an account of its own."""
    async with fresh_database(postgres_server, migrated_template) as dsn:
        engine = engine_for(dsn)
        yield engine
        await engine.dispose()


async def new_books(engine: AsyncEngine) -> Books:
    return await Books(engine, name=f"world{next(_NUMBERS)}").open()


def x_of(items: Iterable[NewItem]) -> dict[str, tuple[int, int, int]]:
    """X by nothing but sums: what one side has more than the other."""
    x: Counter[tuple[str, int]] = Counter()
    for one in items:
        legs = {
            "clearing": [(0, 1)],
            "processor": [(0, -1)]
            + ([(1, -1)] if one.component == "gross" and one.kind.startswith("payout") else []),
            "bank": [(1, -1), (2, -1)],
            "cash": [(2, 1)],
            "in_transit": [],
        }[one.book]
        for leg, sign in legs:
            x[one.currency, leg] += sign * one.amount_minor
    found = {c: (x[c, 0], x[c, 1], x[c, 2]) for c, _ in x}
    return {currency: of for currency, of in found.items() if any(of)}


async def dispositions(books: Books) -> Counter[tuple[int, int]]:
    """How often each item has a disposition in each leg."""
    found = await rows(
        books.engine,
        """SELECT leg, item FROM open_items WHERE account = :account
           UNION ALL
           SELECT mi.leg, mi.item FROM match_items mi JOIN items i ON i.id = mi.item
           WHERE i.account = :account""",
        account=books.account,
    )
    return Counter((one["leg"], one["item"]) for one in found)


async def result(books: Books) -> list[tuple[Any, ...]]:
    """The whole result, without what is of the account."""
    found = await books.dispositions()
    return sorted([(*row[:7], row[7] if row[5] == "open" else "") for row in found], key=repr)


_EXAMPLES = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@given(world=worlds(), seed=st.integers(0, 9))
@_EXAMPLES
async def test_any_books(shared: AsyncEngine, world: list[list[NewItem]], seed: int) -> None:
    books = await new_books(shared)
    items = [item for source in world for item in source]
    await books.reconcile(items)
    # Every item has one disposition in each of its legs.
    assert set((await dispositions(books)).values()) <= {1}
    legs = {"clearing": 1, "processor": 1, "bank": 2, "cash": 1, "in_transit": 0}
    family = sum(
        one.book == "processor" and one.component == "gross" and one.kind.startswith("payout")
        for one in items
    )
    assert sum((await dispositions(books)).values()) == family + sum(
        legs[one.book] for one in items
    )
    # What is open explains all that the books differ by.
    assert await books.x() == x_of(items)
    # The same again, told twice, changes nothing.
    first = await result(books)
    await books.reconcile([*items, *items])
    assert await result(books) == first
    # Nor does the order in which it comes.
    other = await new_books(shared)
    random.Random(seed).shuffle(world)
    for source in world:
        await other.take(source)
    await other.reconcile()
    assert await result(other) == first


@given(world=worlds(), seed=st.integers(0, 9))
@_EXAMPLES
async def test_any_days(shared: AsyncEngine, world: list[list[NewItem]], seed: int) -> None:
    """What comes in any order over several days, and is taken back and tried again, proves X."""
    books, taken = await new_books(shared), []
    random.Random(seed).shuffle(world)
    proven: list[tuple[int, dict[str, tuple[int, int, int]]]] = []
    for late in range(3):
        part = [item for source in world[late::3] for item in source]
        taken += part
        day = TODAY + timedelta(days=late)
        await books.reconcile(part, day=day)
        once = await result(books), await books.x()
        assert once[1] == x_of(taken)
        await books.take_back()
        await books.match()
        await books.classify()
        assert (await result(books), await books.x()) == once
        proven.append((books.run, once[1]))
    assert [(run, await books.x(run)) for run, _ in proven] == proven
