"""What comes in from books: once, whoever tells it and however often."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import engine_for, transaction
from database.reconciliation.item import NewItem
from database.reconciliation.items import Contradiction, TakenIn, take_in
from tests.postgres import rows

CHARGE = NewItem(
    book="processor",
    source_id="txn_1",
    component="gross",
    kind="charge",
    currency="EUR",
    amount_minor=10_000,
    occurred_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
    effective_on=date(2026, 3, 2),
    reference="ch_1",
)


def fee(component: str, amount: int) -> NewItem:
    return replace(CHARGE, component=component, kind="fee", amount_minor=amount)


PAYOUT = replace(
    CHARGE, source_id="txn_2", kind="payout", amount_minor=-9_700, reference="po_1", payout="po_1"
)


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(database)
    yield engine
    await engine.dispose()


@pytest.fixture
async def account(engine: AsyncEngine) -> int:
    made = await rows(
        engine,
        """INSERT INTO reconciliation_accounts
               (name, tenant, time_zone, opened_on, processor, journal)
           VALUES ('acme', 'acme', 'Europe/Berlin', '2026-03-01', 'files', 'files')
           RETURNING id""",
    )
    return int(made[0]["id"])


async def taken(engine: AsyncEngine, account: int, items: Iterable[NewItem]) -> tuple[int, ...]:
    async with transaction(engine) as connection:
        told: TakenIn = await take_in(connection, account, items, source="a listing")
    return told.new, told.unchanged, told.changed


async def kept(engine: AsyncEngine) -> Sequence[tuple[str, int, int]]:
    found = await rows(
        engine,
        "SELECT component, version, amount_minor FROM items ORDER BY source_id, version, component",
    )
    return [(one["component"], one["version"], one["amount_minor"]) for one in found]


async def test_what_is_told_again_changes_nothing(engine: AsyncEngine, account: int) -> None:
    told = [CHARGE, fee("fee:stripe_fee", -350), PAYOUT]
    assert await taken(engine, account, [*told, *told]) == (3, 0, 0)
    assert await taken(engine, account, reversed(told)) == (0, 2, 0)
    assert len(await kept(engine)) == 3


async def test_a_listing_and_a_report_tell_one_transaction(
    engine: AsyncEngine, account: int
) -> None:
    listing = [CHARGE, fee("fee:stripe_fee", -300), fee("fee:tax", -50)]
    assert await taken(engine, account, listing) == (3, 0, 0)
    assert await taken(engine, account, [CHARGE, fee("fee", -350)]) == (0, 1, 0)


async def test_a_listing_and_a_report_may_tell_it_at_once(
    engine: AsyncEngine, account: int
) -> None:
    split = [fee("fee:stripe_fee", -300), fee("fee:tax", -50)]
    assert await taken(engine, account, [CHARGE, fee("fee", -350), *split, CHARGE]) == (3, 0, 0)
    other = [replace(one, source_id="txn_3") for one in (CHARGE, fee("fee", -349), *split)]
    with pytest.raises(Contradiction, match="txn_3"):
        await taken(engine, account, other)


@pytest.mark.parametrize(
    "otherwise",
    [
        [replace(CHARGE, amount_minor=10_001), fee("fee", -350)],
        [CHARGE, fee("fee", -351)],
        [CHARGE],
        [replace(CHARGE, kind="payment"), fee("fee", -350)],
        [replace(CHARGE, currency="USD"), replace(fee("fee", -350), currency="USD")],
    ],
)
async def test_what_is_told_otherwise_is_a_new_version(
    engine: AsyncEngine, account: int, otherwise: list[NewItem]
) -> None:
    await taken(engine, account, [CHARGE, fee("fee", -350)])
    assert await taken(engine, account, otherwise) == (0, 0, 1)
    assert await kept(engine) == [
        ("fee", 1, -350),
        ("gross", 1, 10_000),
        *sorted((one.component, 2, one.amount_minor) for one in otherwise),
    ]
    assert await taken(engine, account, otherwise) == (0, 1, 0)


async def test_a_source_that_contradicts_itself_is_refused(
    engine: AsyncEngine, account: int
) -> None:
    with pytest.raises(Contradiction, match="txn_1"):
        await taken(engine, account, [CHARGE, replace(CHARGE, amount_minor=1)])
    assert await kept(engine) == []


async def test_a_trace_may_come_after_its_payout(engine: AsyncEngine, account: int) -> None:
    await taken(engine, account, [PAYOUT])
    assert await taken(engine, account, [replace(PAYOUT, trace_id="TRACE1")]) == (0, 1, 0)
    traces = await rows(engine, "SELECT payout, trace_id, known_from FROM payout_traces")
    intakes = await rows(engine, "SELECT id, first_item, last_item FROM intakes ORDER BY id")
    assert traces == [{"payout": "po_1", "trace_id": "TRACE1", "known_from": intakes[1]["id"]}]
    assert intakes[1]["first_item"] is None
    assert intakes[1]["last_item"] == intakes[0]["last_item"]


async def test_a_payout_that_arrives_on_another_day_is_a_new_version(
    engine: AsyncEngine, account: int
) -> None:
    arriving = replace(PAYOUT, arrival_on=date(2026, 3, 4))
    await taken(engine, account, [arriving])
    assert await taken(engine, account, [replace(arriving, arrival_on=None)]) == (0, 1, 0)
    delayed = replace(arriving, arrival_on=date(2026, 3, 9))
    assert await taken(engine, account, [delayed]) == (0, 0, 1)
    assert await taken(engine, account, [delayed]) == (0, 1, 0)


async def test_what_a_source_calls_it_is_no_version(engine: AsyncEngine, account: int) -> None:
    """A listing and a report have other words, and Stripe's days of one are another's."""
    await taken(engine, account, [PAYOUT])
    other = replace(PAYOUT, reference="other", descriptor="other", effective_on=date(2026, 3, 9))
    assert await taken(engine, account, [other]) == (0, 1, 0)


async def test_any_text_is_kept_as_it_is(engine: AsyncEngine, account: int) -> None:
    hostile = replace(
        CHARGE,
        source_id='a"b',
        reference="a,b",
        payout="",
        kind="\\N",
        descriptor='"\\.\r\n\\.\n\t\x01,,\\',
    )
    await taken(engine, account, [hostile])
    [found] = await rows(engine, "SELECT * FROM items")
    for name in ("source_id", "reference", "payout", "kind", "descriptor"):
        assert found[name] == getattr(hostile, name)
    assert (found["arrival_on"], found["presentment_minor"]) == (None, None)


async def test_items_never_change(engine: AsyncEngine, account: int) -> None:
    await taken(engine, account, [CHARGE])
    for change in ("UPDATE items SET amount_minor = 1", "DELETE FROM items", "TRUNCATE items"):
        with pytest.raises(DBAPIError, match="append-only"):
            await rows(engine, change)


async def test_nobody_takes_in_for_an_account_that_is_not_there(engine: AsyncEngine) -> None:
    with pytest.raises(LookupError):
        await taken(engine, 7, [CHARGE])
