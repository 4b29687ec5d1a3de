"""What Stripe booked comes in by listing: all of it, once, whatever breaks off in between."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from activities.reconciliation.gathered import GatheredInputs
from activities.reconciliation.listing import BALANCE_UNTOLD, ProcessorBook
from connectors.capabilities import Batch
from connectors.errors import Unanswered
from connectors.movements import Movement, Window
from connectors.stripe.api import StripeApi
from connectors.stripe.balance import StripeListing
from database.connection import transaction
from database.paces import Pace
from database.reconciliation import sources
from tests.integration.reconciliation.conftest import Shop, no_pace
from tests.integration.reconciliation.test_inputs import RULES, TERMS
from tests.patience import SOON
from workflows.reconciliation.messages import Gathered, Run
from workflows.reconciliation.payouts import Payout


def book(shop: Shop, listing: StripeListing | None = None) -> ProcessorBook:
    processor = listing or StripeListing(shop.api, pace=no_pace)
    return ProcessorBook(shop.engine, processor, shop.account, ["source_id"])


async def test_what_was_sold_comes_in_with_its_fees_and_the_balance_is_told(shop: Shop) -> None:
    charge = await shop.sell()
    await shop.sell(4_000)
    before = await shop.now()

    gathered = await book(shop).gather(before)

    assert gathered == Gathered(new=4)
    assert sorted(await shop.items()) == [
        ("charge", "gross", 4_000),
        ("charge", "gross", 10_000),
        ("fee", "fee:stripe_fee", -350),
        ("fee", "fee:stripe_fee", -155),
    ]
    opening, closing = await shop.rows(
        "SELECT currency, at, amount_minor FROM told_balances ORDER BY at"
    )
    assert opening == {"currency": "EUR", "at": shop.account.opening, "amount_minor": 0}
    assert closing == {"currency": "EUR", "at": before, "amount_minor": 13_495}
    [known_by] = await shop.rows("SELECT DISTINCT reference FROM items WHERE amount_minor = -350")
    assert known_by["reference"] == charge


async def test_gathering_again_changes_nothing(shop: Shop) -> None:
    await shop.sell()
    before = await shop.now()
    await book(shop).gather(before)

    assert await book(shop).gather(before) == Gathered(unchanged=1)


async def test_the_balance_is_that_of_the_days_end_whatever_came_since(shop: Shop) -> None:
    await shop.sell()
    before = await shop.now()
    await shop.sell(4_000)

    await book(shop).gather(before)

    told = await shop.rows("SELECT amount_minor FROM told_balances WHERE at = :at", at=before)
    assert told == [{"amount_minor": 9_650}]
    assert len(await shop.items()) == 2


async def test_payouts_are_itemised_once_stripe_says_what_is_in_them(shop: Shop) -> None:
    await shop.sell()
    await shop.sell(4_000)
    await shop.world.advance(timedelta(days=9))
    await book(shop).gather(await shop.now())

    [payout] = await shop.rows("SELECT * FROM payouts")
    assert (payout["amount_minor"], payout["members"], payout["members_minor"]) == (
        13_495,
        2,
        13_495,
    )
    members = await shop.rows("SELECT source_id, payout FROM payout_members")
    assert {member["payout"] for member in members} == {payout["id"]}
    [own] = await shop.rows("SELECT * FROM items WHERE kind = 'payout'")
    assert own["amount_minor"] == -13_495
    assert (own["payout"], own["arrival_on"]) == (payout["id"], payout["arrival_on"])


async def test_a_payout_that_is_not_what_it_paid_out_makes_the_day_incomplete(shop: Shop) -> None:
    await shop.sell()
    before = await shop.world.advance(timedelta(days=9))
    await book(shop).gather(before)
    account = shop.account

    async with transaction(shop.engine) as connection:
        assert not await sources.unequal_payouts(connection, account.id, before)
        await connection.execute(text("UPDATE payouts SET members_minor = members_minor - 100"))
        run = Run(account=account.name, day=before.date(), ordinal=1)
        inputs, _ = await GatheredInputs(TERMS)(connection, account, run, RULES)

    [lack] = [one for one in inputs.missing if one.lack == "payout_members"]
    assert (lack.book, lack.currency, lack.amount_minor) == ("processor", "EUR", -100)
    assert lack.subject.startswith("po_")


async def test_who_is_in_an_unequal_payout_is_listed_again(shop: Shop) -> None:
    await shop.sell()
    before = await shop.world.advance(timedelta(days=9))
    await book(shop).gather(before)
    async with transaction(shop.engine) as connection:
        await connection.execute(text("UPDATE payouts SET members_minor = members_minor - 100"))

    await book(shop).gather(before)

    async with transaction(shop.engine) as connection:
        assert not await sources.unequal_payouts(connection, shop.account.id, before)


async def test_the_opening_balance_is_asked_for_until_it_is_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def untold(*_: object) -> None:
        return None

    with monkeypatch.context() as restless:
        restless.setattr(StripeListing, "closing", untold)
        first = await book(shop).gather(await shop.world.advance(timedelta(days=3)))
    assert first.problems == (BALANCE_UNTOLD,)

    assert not (await book(shop).gather(await shop.now())).problems
    told = await shop.rows("SELECT at FROM told_balances ORDER BY at LIMIT 1")
    assert told == [{"at": shop.account.opening}]


async def test_a_trace_id_that_is_told_late_comes_in(shop: Shop) -> None:
    await shop.sell()
    seen: list[int] = []
    for _ in range(14):
        await shop.world.advance(timedelta(days=1))
        await book(shop).gather(await shop.now())
        seen.append(len(await shop.rows("SELECT 1 FROM payout_traces")))
        before = await shop.rows("SELECT 1 FROM payouts WHERE trace_id IS NOT NULL")
        assert seen[-1] == len(before)

    assert (seen[0], seen[-1]) == (0, 1)


class Delayed(StripeListing):
    """Stripe's listing after it moved the day of each payout's arrival."""

    def __init__(self, api: StripeApi, days: int) -> None:
        super().__init__(api, pace=no_pace)
        self._by = timedelta(days=days)

    async def payouts(self, since: datetime) -> AsyncIterator[Payout]:
        async for payout in super().payouts(since):
            yield dataclasses.replace(payout, arrival_on=payout.arrival_on + self._by)

    async def _movement(self, row: Any) -> Movement:
        told = await super()._movement(row)
        arrival = told.arrival_on
        return told._replace(arrival_on=arrival + self._by) if arrival else told


async def test_a_payout_that_is_delayed_is_told_with_its_new_day(shop: Shop) -> None:
    await shop.sell()
    payouts: list[dict[str, Any]] = []
    while not payouts:
        await shop.world.advance(timedelta(days=1))
        await book(shop).gather(await shop.now())
        payouts = await shop.rows("SELECT arrival_on FROM payouts")
    [payout] = payouts
    delayed = book(shop, Delayed(shop.api, 5))
    for changed in (1, 0):
        gathered = await delayed.gather(await shop.now())
        assert gathered.changed == changed
    found = await shop.rows(
        "SELECT version, arrival_on FROM items WHERE kind = 'payout' ORDER BY version"
    )
    before, after = (one["arrival_on"] for one in found)
    assert (before, after) == (payout["arrival_on"], payout["arrival_on"] + timedelta(days=5))


class Breaking(StripeListing):
    """A listing that breaks off after some pages, and notes where each reading began."""

    def __init__(self, api: StripeApi, pages: int) -> None:
        super().__init__(api, pace=no_pace)
        self.pages, self.begun = pages, list[str | None]()

    def parts(self, window: Window) -> Sequence[Window]:
        return [window]

    async def movements(
        self, window: Window, after: str | None, *, of_type: str | None = None
    ) -> AsyncIterator[Batch]:
        self.begun.append(after)
        async for batch in super().movements(window, after, of_type=of_type):
            if self.pages == 0:
                raise Unanswered("stripe.connection", "no answer")
            self.pages -= 1
            yield batch


async def test_a_listing_goes_on_where_the_attempt_before_it_was(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.stripe.balance.ROWS_OF_A_PAGE", 2)
    monkeypatch.setattr("activities.reconciliation.listing._TAKEN_IN_AT_ONCE", 2)
    for amount in range(1_000, 1_007):
        await shop.sell(amount)
    before = await shop.now()
    told = list[Any]()
    first = ActivityEnvironment()
    first.on_heartbeat = lambda *details: told.append(details)
    with pytest.raises(Unanswered):
        await first.run(book(shop, Breaking(shop.api, pages=2)).gather, before)
    kept = len(await shop.items())
    second = ActivityEnvironment()
    second.info = _with(second, told[-1])
    going_on = Breaking(shop.api, pages=99)
    await second.run(book(shop, going_on).gather, before)

    assert 0 < kept < 14
    assert going_on.begun[0] is not None
    assert len(await shop.items()) == 14


def _with(environment: ActivityEnvironment, details: Sequence[Any]) -> Any:
    return dataclasses.replace(environment.info, heartbeat_details=details)


async def test_parts_are_read_side_by_side_and_none_is_lost(shop: Shop) -> None:
    for _ in range(6):
        await shop.sell()
        await shop.world.advance(timedelta(hours=5))

    gathered = await book(shop).gather(await shop.now())

    assert len(StripeListing(shop.api, pace=no_pace).parts(Window(*_week()))) == 4
    charges = [item for item in await shop.items() if item[0] == "charge"]
    assert (len(charges), gathered.changed, gathered.unchanged) == (6, 0, 0)


def _week() -> tuple[datetime, datetime]:
    return datetime.fromisoformat("2026-03-02T00:00Z"), datetime.fromisoformat("2026-03-09T00:00Z")


class Restless(StripeListing):
    """Something is sold whenever the balance is looked at."""

    shop: Shop

    async def _moved_since(self, since: datetime) -> dict[str, tuple[str, int]]:
        await self.shop.sell()
        return await super()._moved_since(since)


async def test_a_balance_that_does_not_hold_still_is_not_told(shop: Shop) -> None:
    before = await shop.now()
    restless = Restless(shop.api, pace=no_pace)
    restless.shop = shop

    gathered = await book(shop, restless).gather(before)

    assert gathered.problems == (BALANCE_UNTOLD,)
    assert await shop.rows("SELECT 1 FROM told_balances") == []


async def test_one_pace_holds_for_all_who_ask(shop: Shop) -> None:
    paces = [Pace(shop.engine, "stripe", per_second=50) for _ in range(3)]
    begun = asyncio.get_running_loop().time()

    await asyncio.gather(*(pace() for pace in paces for _ in range(10)))

    assert asyncio.get_running_loop().time() - begun >= 29 / 50


async def test_what_cannot_be_kept_stops_the_listing_at_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.stripe.balance.ROWS_OF_A_PAGE", 1)
    monkeypatch.setattr("activities.reconciliation.listing._TAKEN_IN_AT_ONCE", 1)
    for _ in range(9):
        await shop.sell()
    nobody = dataclasses.replace(shop.account, id=999)
    unknown = ProcessorBook(
        shop.engine, StripeListing(shop.api, pace=no_pace), nobody, ["source_id"]
    )

    async with asyncio.timeout(SOON):
        with pytest.raises(LookupError):
            await unknown.gather(await shop.now())
