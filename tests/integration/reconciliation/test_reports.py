"""What Stripe booked comes in by report runs, and is the same that a listing tells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from activities.reconciliation.listing import ProcessorBook
from connectors.capabilities import Batch, Processor
from connectors.errors import Unanswered
from connectors.movements import Movement, Window
from connectors.stripe.balance import StripeListing
from connectors.stripe.reports import ACTIVITY, StripeReports
from tests.integration.reconciliation.conftest import Shop, no_pace

REFERENCES = ("payment_intent_id", "source_id")


def listing(shop: Shop) -> StripeListing:
    return StripeListing(shop.api, pace=no_pace, references=REFERENCES)


def reports(shop: Shop) -> StripeReports:
    soon = timedelta(milliseconds=20)
    return StripeReports(shop.api, listing(shop), references=REFERENCES, look_again=soon)


def book(shop: Shop, processor: Processor) -> ProcessorBook:
    return ProcessorBook(shop.engine, processor, shop.account, REFERENCES)


async def midnight(shop: Shop) -> datetime:
    """The last one, by Stripe's clock: reports end there at the latest."""
    now = await shop.now()
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


async def sold(shop: Shop) -> Window:
    """Some days with sales, a payout among what they brought."""
    since = await shop.now() - timedelta(days=1)
    for amount in (10_000, 4_000, 2_500):
        await shop.sell(amount)
    await shop.world.advance(timedelta(days=10))
    return Window(since, await midnight(shop))


async def all_of(processor: Processor, window: Window) -> list[Movement]:
    found: list[Movement] = []
    for part in processor.parts(window):
        async for batch in processor.movements(part, None):
            found += batch.movements
    return found


async def test_reports_and_listing_tell_the_same(shop: Shop) -> None:
    window = await sold(shop)

    by_report = await all_of(reports(shop), window)
    by_listing = await all_of(listing(shop), window)

    def told(movements: list[Movement]) -> Sequence[object]:
        return sorted(
            (
                one.id,
                one.kind,
                one.currency,
                one.gross_minor,
                one.net_minor,
                one.created_at,
                one.references.get("payment_intent_id"),
                one.references.get("source_id"),
                one.arrival_on,
                one.trace_id,
            )
            for one in movements
        )

    assert {one.kind for one in by_report} == {"charge", "payout"}
    assert told(by_report) == told(by_listing)


async def test_one_transaction_by_both_ways_is_one(shop: Shop) -> None:
    window = await sold(shop)
    assert window.before is not None
    await book(shop, listing(shop)).gather(window.before)
    before = await shop.items()

    again = await book(shop, reports(shop)).gather(window.before)

    assert (again.new, again.changed) == (0, 0)
    assert await shop.items() == before


async def test_a_report_itemises_payouts(shop: Shop) -> None:
    window = await sold(shop)
    assert window.before is not None
    await book(shop, reports(shop)).gather(window.before)

    [payout] = await shop.rows("SELECT amount_minor, members, members_minor FROM payouts")
    assert payout["members"] == 3
    assert payout["members_minor"] == payout["amount_minor"]


async def test_a_report_goes_on_where_it_was(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.stripe.reports._ROWS_OF_A_BATCH", 1)
    window = await sold(shop)
    batches: list[Batch] = [batch async for batch in reports(shop).movements(window, None)]

    assert [batch.cursor is None for batch in batches] == [False] * 5 + [True]
    in_order = [one for batch in batches for one in batch.movements]
    read = 0
    for batch in batches[:-1]:
        read += len(batch.movements)
        going_on = reports(shop).movements(window, batch.cursor)
        assert [one async for rest in going_on for one in rest.movements] == in_order[read:]


async def test_the_same_question_is_one_run(shop: Shop) -> None:
    window = await sold(shop)
    await all_of(reports(shop), window)
    await all_of(reports(shop), window)

    counted = (await shop.world.counters()).executed("POST", "/v1/reporting/report_runs")
    assert counted == 1


async def test_a_day_that_has_no_report_yet_is_asked_for_later(shop: Shop) -> None:
    now = await shop.now()

    with pytest.raises(Unanswered) as later:
        await all_of(reports(shop), Window(now - timedelta(days=1), now + timedelta(hours=1)))

    assert later.value.type == "stripe.report_not_ready"
    assert later.value.retry_after == timedelta(minutes=15)
    assert ACTIVITY in later.value.text
