"""A whole generated world in Stripe's account: lists, balance and reports agree on it."""

from collections import Counter
from datetime import UTC, datetime, time
from typing import Any

import httpx
import pytest

from simulators.world import accounts
from simulators.world.planting import plant
from simulators.world.shape import Shape
from tests.integration.simulators.test_stripe_reports import ACTIVITY, DAY, SUMMARY, written
from tests.simulated import SimulatorHandle

SHAPE = Shape(seed=7, days=12, payments=600, currencies=("EUR", "JPY", "KWD"))
PLANTED = ("duplicate_processor", "refund_unbooked", "unknown_type", "payout_in_transit")
FIRST = int(datetime.combine(SHAPE.first_day, time(), UTC).timestamp())
PAYOUT_CATEGORIES = {"payout", "payout_reversal"}


@pytest.fixture
async def loaded(world: SimulatorHandle) -> None:
    shape = {name: getattr(SHAPE, name) for name in ("seed", "days", "payments", "currencies")}
    await world.stripe_control("world", {"shape": shape, "discrepancies": PLANTED})


async def walk(http: httpx.AsyncClient, **where: Any) -> list[dict[str, Any]]:
    """All balance transactions of a list, newest first."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        query = {"limit": "100", **where, **after}
        page = (await http.get("/v1/balance_transactions", params=query)).raise_for_status().json()
        found += page["data"]
        if not page["has_more"]:
            return found
        after = {"starting_after": found[-1]["id"]}


@pytest.mark.usefixtures("loaded")
async def test_the_list_is_the_worlds(http: httpx.AsyncClient) -> None:
    expected = {
        each.id: (each.gross, each.fee, each.category)
        for day in plant(SHAPE, PLANTED).days()
        for each in day.transactions
    }
    found = await walk(http)
    opening = [each["id"] for each in found[-3:]]
    assert {
        each["id"]: (each["amount"], each["fee"], each["reporting_category"])
        for each in found
        if each["id"] not in opening
    } == expected
    assert [each["created"] for each in found] == sorted(
        (each["created"] for each in found), reverse=True
    )


@pytest.mark.usefixtures("loaded")
async def test_filters_find_what_the_whole_list_has(http: httpx.AsyncClient) -> None:
    everything = await walk(http)
    for name in ("type", "currency"):
        for value in {each[name] for each in everything}:
            found = [each["id"] for each in await walk(http, **{name: value})]
            assert found == [each["id"] for each in everything if each[name] == value]
    middle = everything[len(everything) // 2]["created"]
    both = await walk(http, **{"created[gte]": middle, "type": "refund"})
    assert [each["id"] for each in both] == [
        each["id"] for each in everything if each["created"] >= middle and each["type"] == "refund"
    ]


@pytest.mark.usefixtures("loaded")
async def test_members_of_each_automatic_payout_come_to_its_amount(http: httpx.AsyncClient) -> None:
    payouts = (await http.get("/v1/payouts", params={"limit": "100"})).json()["data"]
    automatic = [each for each in payouts if each["automatic"]]
    assert automatic
    for payout in automatic:
        own, *members = sorted(
            await walk(http, payout=payout["id"]), key=lambda each: each["source"] != payout["id"]
        )
        assert own["net"] == -payout["amount"]
        assert sum(each["net"] for each in members) == payout["amount"]
    assert Counter(each["reconciliation_status"] for each in payouts).keys() == {
        "completed",
        "not_applicable",
    }


@pytest.mark.usefixtures("loaded")
async def test_the_balance_is_the_sum_of_the_list(http: httpx.AsyncClient) -> None:
    sums: Counter[str] = Counter()
    for each in await walk(http):
        sums[each["currency"]] += each["net"]
    balance = (await http.get("/v1/balance")).json()
    totals: Counter[str] = Counter()
    for part in balance["available"] + balance["pending"]:
        totals[part["currency"]] += part["amount"]
    assert totals == sums


@pytest.mark.usefixtures("loaded")
async def test_reports_agree_with_the_list(http: httpx.AsyncClient) -> None:
    interval = (FIRST - DAY, FIRST + 60 * DAY)
    activity = await written(http, ACTIVITY, interval_start=interval[0], interval_end=interval[1])
    listed = [
        each for each in await walk(http) if each["reporting_category"] not in PAYOUT_CATEGORIES
    ]
    assert [row["balance_transaction_id"] for row in activity] == [
        each["id"] for each in listed[::-1]
    ]
    lines = await written(http, SUMMARY, interval_start=interval[0], interval_end=interval[1])
    ends = {
        line["currency"]: line["net_amount"]
        for line in lines
        if line["category"] == "ending_balance"
    }
    balance = (await http.get("/v1/balance")).json()
    assert {currency: int(amount.replace(".", "")) for currency, amount in ends.items()} == {
        each["currency"]: each["amount"] for each in balance["available"]
    }
    starts = {
        line["currency"]: int(line["net_amount"].replace(".", ""))
        for line in await written(http, SUMMARY, interval_start=FIRST, interval_end=interval[1])
        if line["category"] == "starting_balance"
    }
    assert starts == {
        each.lower(): accounts.opening(each, "processor") for each in SHAPE.currencies
    }
