"""Each fault does to a request what its name says, no more and no less often."""

import asyncio
import time

import httpx
import pytest
import stripe

from simulators.stripe.faults import FaultKind
from tests.integration.simulators.conftest import client_of
from tests.patience import SOON
from tests.simulated import SimulatorHandle

CUSTOMERS = "/v1/customers"
KEY: stripe.RequestOptions = {"idempotency_key": "k"}


async def customers(client: stripe.StripeClient) -> int:
    return len((await client.v1.customers.list_async({"limit": 100})).data)


async def _struck(world: SimulatorHandle) -> None:
    """Wait until no fault waits any more."""
    async with asyncio.timeout(SOON):
        while await world.faults():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("kind", "made"), [("drop_before", 0), ("drop_after_commit", 1)])
async def test_a_dropped_connection_loses_the_answer(
    world: SimulatorHandle, client: stripe.StripeClient, kind: FaultKind, made: int
) -> None:
    await world.fault(kind, method="POST", path=CUSTOMERS)
    with pytest.raises(stripe.APIConnectionError):
        await client.v1.customers.create_async({"name": "A"}, KEY)
    assert await customers(client) == made
    await client.v1.customers.create_async({"name": "A"}, KEY)
    assert await customers(client) == 1
    assert (await world.counters()).replayed("POST", CUSTOMERS) == made


async def test_without_a_key_a_lost_answer_makes_two(
    world: SimulatorHandle, http: httpx.AsyncClient, client: stripe.StripeClient
) -> None:
    await world.fault("drop_after_commit")
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post(CUSTOMERS)
    await http.post(CUSTOMERS)
    assert await customers(client) == 2


async def test_a_time_out_comes_after_the_commit(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    hurried = client_of(world, timeout=0.3)
    await world.fault("timeout_after_commit", method="POST")
    begin = time.monotonic()
    with pytest.raises(stripe.APIConnectionError):
        await hurried.v1.customers.create_async({"name": "A"}, KEY)
    assert 0.3 <= time.monotonic() - begin < 20
    assert await customers(client) == 1
    again = await client.v1.customers.create_async({"name": "A"}, KEY)
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"


async def test_a_held_answer_ends_without_one(
    world: SimulatorHandle, http: httpx.AsyncClient
) -> None:
    await world.fault("timeout_after_commit", seconds=0.1)
    begin = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post(CUSTOMERS)
    assert time.monotonic() - begin >= 0.1


@pytest.mark.parametrize(
    ("kind", "status", "made"),
    [
        ("error_500_before", 500, 0),
        ("error_500_after_commit", 500, 1),
        ("error_503", 503, 0),
        ("rate_limit_429", 429, 0),
        ("lock_timeout_429", 429, 0),
    ],
)
async def test_an_error_answers_before_or_after_the_commit(
    world: SimulatorHandle,
    client: stripe.StripeClient,
    kind: FaultKind,
    status: int,
    made: int,
) -> None:
    await world.fault(kind, method="POST")
    with pytest.raises(stripe.StripeError) as failed:
        await client.v1.customers.create_async({"name": "A"}, KEY)
    assert failed.value.http_status == status
    if status == 429:
        assert isinstance(failed.value, stripe.RateLimitError)
        assert failed.value.error is not None
        assert failed.value.error.to_dict()["code"] == kind.removesuffix("_429")
    assert await customers(client) == made


@pytest.mark.parametrize("kind", ["slow_before_commit", "slow_after_commit"])
async def test_a_slow_answer_comes_whole(
    world: SimulatorHandle, client: stripe.StripeClient, kind: FaultKind
) -> None:
    await world.fault(kind, method="POST", seconds=1.5)
    creating = asyncio.create_task(client.v1.customers.create_async({"name": "A"}, KEY))
    await _struck(world)
    assert await customers(client) == (1 if kind == "slow_after_commit" else 0)
    assert (await creating).name == "A"


async def test_what_the_client_gave_up_on_is_done_all_the_same(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    hurried = client_of(world, timeout=0.2)
    await world.fault("slow_before_commit", method="POST", seconds=1.5)
    with pytest.raises(stripe.APIConnectionError):
        await hurried.v1.customers.create_async({"name": "A"}, KEY)
    assert await customers(client) == 0
    async with asyncio.timeout(SOON):
        while not await customers(client):
            await asyncio.sleep(0.02)


async def test_a_fault_strikes_so_many_times_where_it_matches(
    world: SimulatorHandle, http: httpx.AsyncClient
) -> None:
    made = (await http.post(CUSTOMERS)).json()["id"]
    await world.fault("error_500_before", method="POST", path="/v1/customers/*/tax_ids", times=2)
    tax_id = {"type": "eu_vat", "value": "DE123456789"}
    path = f"{CUSTOMERS}/{made}/tax_ids"
    assert (await http.post(CUSTOMERS)).status_code == 200
    assert (await http.get(path)).status_code == 200
    answers = [(await http.post(path, data=tax_id)).status_code for _ in range(3)]
    assert answers == [500, 500, 200]
    assert await world.faults() == []
    counters = await world.counters()
    assert counters.of("POST", "/v1/customers/{customer}/tax_ids", "faulted") == 2


async def test_an_outage_lasts_until_it_is_cleared(
    world: SimulatorHandle, client: stripe.StripeClient, http: httpx.AsyncClient
) -> None:
    await world.outage()
    for _ in range(3):
        with pytest.raises(stripe.APIError):
            await client.v1.customers.create_async({"name": "A"}, KEY)
    assert (await http.get(CUSTOMERS)).status_code == 503
    await world.clear_faults()
    await client.v1.customers.create_async({"name": "A"}, KEY)
    assert await customers(client) == 1


async def test_one_fault_is_cleared_by_its_id(
    world: SimulatorHandle, http: httpx.AsyncClient
) -> None:
    outage = await world.outage()
    await world.fault("rate_limit_429")
    await world.clear_faults(outage)
    assert (await http.get(CUSTOMERS)).status_code == 429
    assert (await http.get(CUSTOMERS)).status_code == 200


async def test_the_answer_to_a_replay_can_be_lost_too(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    await world.fault("drop_after_commit", method="POST", times=2)
    for _ in range(2):
        with pytest.raises(stripe.APIConnectionError):
            await client.v1.customers.create_async({"name": "A"}, KEY)
    await client.v1.customers.create_async({"name": "A"}, KEY)
    counters = await world.counters()
    assert (counters.executed("POST", CUSTOMERS), counters.replayed("POST", CUSTOMERS)) == (1, 2)
