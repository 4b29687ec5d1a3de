"""Whatever happens in a world, exactly what was planted in it is found, and nothing else."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from typing import get_args

import pytest

from database.connection import transaction
from database.reconciliation import accounts
from simulators.world import accounts as simulated
from simulators.world.generate import World
from simulators.world.manifest import Manifest
from simulators.world.planting import ALL, plant
from simulators.world.shape import KnownBy, Shape
from tests.integration.reconciliation.books import Books
from tests.worlds import items

SHAPES = {
    "few": Shape(seed=1, days=3, payments=40),
    "one row": Shape(seed=2, days=1, payments=1),
    "nothing": Shape(seed=3, days=1, payments=0, others=0),
    "rich": Shape(
        seed=4, days=25, payments=600, failing=0.2, manual=0.3, disputed=0.02, in_parts=0.1
    ),
    "currencies": Shape(seed=5, days=8, payments=200, currencies=("EUR", "JPY", "KWD", "USD")),
    "summer time": Shape(seed=6, days=6, payments=60, first_day=date(2026, 3, 26)),
    "end of a year": Shape(seed=7, days=12, payments=60, first_day=date(2026, 12, 20)),
    "untraced": Shape(seed=8, days=20, payments=100, untraced=1, batched=0.6, failing=0),
    "still on its way": Shape(seed=9, days=12, quiet_days=0, payments=100, failing=0.2),
    "by intent": Shape(seed=10, days=5, payments=80, in_parts=0.2, known_by="payment_intent_id"),
}


async def found(books: Books) -> Counter[tuple[str, str, int]]:
    return Counter(await books.breaks())


def wanted(manifest: Manifest) -> Counter[tuple[str, str, int]]:
    return Counter((each.class_, each.currency, each.at_risk) for each in manifest.breaks)


async def with_banks(books: Books, world: World) -> None:
    """Have the accounts that payouts of the world go to, with the days of its bank."""
    async with transaction(books.engine) as connection:
        for currency in world.shape.currencies:
            iban = simulated.iban(currency)
            await accounts.add_bank_account(connection, books.account, iban, currency, "target")


async def check(books: Books, world: World, *, shuffled: int | None = None) -> None:
    manifest = world.manifest()
    told = [*items(world)]
    await with_banks(books, world)
    if shuffled is not None:
        random.Random(shuffled).shuffle(told)
    await books.reconcile(told, day=manifest.last_day)
    assert await found(books) == wanted(manifest)
    assert await books.x() == {each: x for each, x in manifest.x.items() if any(x)}


@pytest.mark.parametrize("name", SHAPES)
async def test_a_world_in_which_all_agrees_has_no_break(books: Books, name: str) -> None:
    await check(books, World(SHAPES[name]))


@pytest.mark.parametrize("name", [name for name in SHAPES if SHAPES[name].quiet_days])
async def test_exactly_what_was_planted_is_found(books: Books, name: str) -> None:
    await check(books, plant(SHAPES[name], [*ALL, *ALL], exact=name == "few"), shuffled=3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
async def test_each_discrepancy_alone(books: Books, name: str) -> None:
    await check(books, plant(SHAPES["few"], [name]))


def any_world(seed: int) -> World:
    """Some world or other, with some discrepancies or others."""
    luck = random.Random(seed)
    shape = Shape(
        seed=seed,
        first_day=date(2026, 1, 1) + timedelta(days=luck.randrange(700)),
        days=luck.randint(1, 15),
        payments=luck.choice((0, 1, 5, 30, 200)),
        currencies=luck.choice((("EUR",), ("JPY", "KWD"), ("USD", "EUR", "GBP"))),
        untraced=luck.choice((0, 0.3, 1)),
        batched=luck.choice((0, 0.3, 1)),
        failing=luck.choice((0, 0.05, 0.4)),
        manual=luck.choice((0, 0.1, 0.6)),
        lean=luck.choice((0, 0.3)),
        in_parts=luck.choice((0, 0.3)),
        quiet_days=luck.choice((12, 15)),
        known_by=luck.choice(get_args(KnownBy)),
    )
    names = [luck.choice(ALL) for _ in range(luck.randint(0, 25))]
    return plant(shape, names, exact=luck.random() < 0.4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
async def test_in_any_world_exactly_what_was_planted_is_found(books: Books, seed: int) -> None:
    await check(books, any_world(seed), shuffled=seed)
