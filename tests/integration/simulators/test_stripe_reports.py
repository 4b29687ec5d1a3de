"""Reports: asked for now, there later, in major units, over [start, end)."""

import asyncio
import csv
import io
from datetime import timedelta
from typing import Any

import httpx
import pytest
import stripe

from tests.integration.simulators.test_stripe_money import pay
from tests.patience import SOON
from tests.simulated import SimulatorHandle

DAY = 86_400
ACTIVITY = "balance_change_from_activity.itemized.6"
MEMBERS = "payout_reconciliation.itemized.5"
SUMMARY = "balance.summary.1"


async def today(world: SimulatorHandle) -> int:
    """The last midnight."""
    return int((await world.now()).timestamp()) // DAY * DAY


async def written(
    http: httpx.AsyncClient, name: str, **parameters: str | int | list[str]
) -> list[dict[str, str]]:
    """A report's rows, as soon as they are there."""
    form = {
        f"parameters[{key}]{'[]' if isinstance(value, list) else ''}": value
        for key, value in parameters.items()
    }
    answer = await http.post("/v1/reporting/report_runs", data={"report_type": name, **form})
    run = answer.raise_for_status().json()
    assert (run["status"], run["result"]) == ("pending", None)
    async with asyncio.timeout(SOON):
        while run["status"] == "pending":
            await asyncio.sleep(0.02)
            run = (await http.get(f"/v1/reporting/report_runs/{run['id']}")).json()
    content = (await http.get(run["result"]["url"])).raise_for_status().content
    assert len(content) == run["result"]["size"]
    return list(csv.DictReader(io.StringIO(content.decode())))


async def test_activity_is_in_major_units(
    world: SimulatorHandle, client: stripe.StripeClient, http: httpx.AsyncClient
) -> None:
    begin = await today(world)
    intent = await client.v1.payment_intents.create_async(
        {
            "amount": 10_000,
            "currency": "eur",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "metadata": {"order": "17"},
        }
    )
    await pay(client, 10_000, "jpy")
    await pay(client, 10_000, "kwd")
    await client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 5})
    await world.advance(timedelta(days=5))
    end = await today(world)
    found = await written(http, ACTIVITY, interval_start=begin, interval_end=end)
    assert [(row["gross"], row["fee"], row["net"], row["currency"]) for row in found] == [
        ("100.00", "3.50", "96.50", "eur"),
        ("10000", "325", "9675", "jpy"),
        ("10.000", "0.580", "9.420", "kwd"),
        ("-0.05", "0.00", "-0.05", "eur"),
    ]
    assert [row["payment_intent_id"] for row in found][::3] == [intent.id, intent.id]
    columns = ["source_id", "payment_metadata[order]", "created", "created_utc"]
    [row] = await written(
        http,
        ACTIVITY,
        interval_start=begin,
        interval_end=end,
        columns=columns,
        currency="eur",
        reporting_category="charge",
        timezone="Asia/Tokyo",
    )
    assert (list(row), row["payment_metadata[order]"]) == (columns, "17")
    assert row["created"] != row["created_utc"]


async def test_members_of_payouts_and_the_summary_add_up(
    world: SimulatorHandle, client: stripe.StripeClient, http: httpx.AsyncClient
) -> None:
    begin = await today(world)
    await pay(client)
    await world.advance(timedelta(days=1))
    await pay(client, 4_000)
    await world.advance(timedelta(days=8))
    end = await today(world)
    members = await written(http, MEMBERS, interval_start=begin, interval_end=end)
    payouts = (await client.v1.payouts.list_async()).data
    assert {(row["automatic_payout_id"], row["net"]) for row in members} == {
        (payout.id, f"{payout.amount / 100:.2f}") for payout in payouts
    }
    lines = await written(http, SUMMARY, interval_start=begin, interval_end=end)
    assert {line["category"]: line["net_amount"] for line in lines} == {
        "starting_balance": "0.00",
        "activity_gross": "140.00",
        "activity_fee": "-5.05",
        "activity": "134.95",
        "payouts_gross": "-134.95",
        "payouts_fee": "0.00",
        "payouts": "-134.95",
        "ending_balance": "0.00",
    }
    paid = await written(http, "payouts.itemized.3", interval_start=begin, interval_end=end)
    assert [row["payout_id"] for row in paid] == [payout.id for payout in payouts[::-1]]
    assert all(row["trace_id"] for row in paid)


async def test_an_interval_has_its_start_and_not_its_end(
    world: SimulatorHandle, client: stripe.StripeClient, http: httpx.AsyncClient
) -> None:
    await pay(client)
    [row] = (await client.v1.balance_transactions.list_async()).data
    await world.advance(timedelta(days=1))

    async def number(begin: int, end: int) -> int:
        return len(await written(http, ACTIVITY, interval_start=begin, interval_end=end))

    assert await number(row.created, row.created + 1) == 1
    assert await number(row.created - 1, row.created) == 0
    assert await number(row.created + 1, row.created + 2) == 0


async def test_what_is_not_there_yet_cannot_be_asked_for(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    kind = await client.v1.reporting.report_types.retrieve_async(ACTIVITY)
    assert kind.data_available_end == await today(world)
    wanted: Any = {
        "report_type": ACTIVITY,
        "parameters": {
            "interval_start": kind.data_available_end - DAY,
            "interval_end": kind.data_available_end + 1,
        },
    }
    key: Any = {"idempotency_key": "report"}
    create = client.v1.reporting.report_runs.create_async
    with pytest.raises(stripe.InvalidRequestError, match="data_available_end"):
        await create(wanted, key)
    await world.advance(timedelta(days=1))
    assert (await create(wanted, key)).status == "pending"
    for wrong in (
        {"report_type": "moon.1"},
        {"report_type": SUMMARY, "parameters": {"interval_start": kind.data_available_end}},
        {**wanted, "parameters": {**wanted["parameters"], "columns": ["moon"]}},
    ):
        with pytest.raises(stripe.InvalidRequestError):
            await create(wrong)  # type: ignore[arg-type] # which is the point
    assert len((await client.v1.reporting.report_types.list_async()).data) == 4


async def test_contents_want_the_key_and_can_be_cut_short(
    world: SimulatorHandle, client: stripe.StripeClient, http: httpx.AsyncClient
) -> None:
    end = await today(world)
    await written(http, SUMMARY, interval_start=end - DAY, interval_end=end)
    [file] = (await client.v1.files.list_async({"purpose": "finance_report_run"})).data
    path = f"/v1/files/{file.id}/contents"
    async with httpx.AsyncClient(base_url=world.stripe_url) as stranger:
        assert (await stranger.get(path)).status_code == 401
    await world.fault("cut_short", path=path)
    assert len((await http.get(path)).content) == file.size // 2
    await world.fault("error_503", path=path)
    assert (await http.get(path)).status_code == 503
    assert len((await http.get(path)).content) == file.size
    events = await client.v1.events.list_async({"type": "reporting.report_run.succeeded"})
    assert len(events.data) == 1
