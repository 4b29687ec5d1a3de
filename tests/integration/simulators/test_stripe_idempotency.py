"""Idempotency keys behave as Stripe's do, by the letter."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
import stripe

from tests.patience import SOON
from tests.simulated import SimulatorHandle

CUSTOMERS = "/v1/customers"
ADA = {"email": "ada@example.com", "metadata[a]": "1"}


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def customers(http: httpx.AsyncClient) -> int:
    return len((await http.get(CUSTOMERS, params={"limit": 100})).json()["data"])


async def test_the_same_request_again_gets_the_same_answer(
    world: SimulatorHandle, http: httpx.AsyncClient
) -> None:
    first = await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))
    again = await http.post(CUSTOMERS, data=dict(reversed(ADA.items())), headers=keyed("k"))
    assert again.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Request-Id"]
    assert again.headers["Request-Id"] != first.headers["Request-Id"]
    counters = await world.counters()
    assert (counters.executed("POST", CUSTOMERS), counters.replayed("POST", CUSTOMERS)) == (1, 1)
    assert await customers(http) == 1


async def test_a_replay_tells_what_was_then_not_what_is_now(http: httpx.AsyncClient) -> None:
    made = (await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))).json()
    await http.delete(f"{CUSTOMERS}/{made['id']}")
    assert (await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))).json() == made
    assert await customers(http) == 0


async def test_without_a_key_each_request_is_one_more(http: httpx.AsyncClient) -> None:
    for _ in range(2):
        await http.post(CUSTOMERS, data=ADA)
    assert await customers(http) == 2


async def test_a_key_is_for_one_path_and_one_set_of_parameters(http: httpx.AsyncClient) -> None:
    made = (await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))).json()
    others = [
        (CUSTOMERS, {**ADA, "metadata[a]": "2"}),
        (f"{CUSTOMERS}/{made['id']}", ADA),
        (CUSTOMERS, {}),
    ]
    for path, form in others:
        answer = await http.post(path, data=form, headers=keyed("k"))
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "idempotency_error"
    assert (await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))).json() == made


async def test_the_sdk_sees_its_own_classes_of_errors(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    create = client.v1.customers.create_async
    await create({"name": "A"}, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        await create({"name": "B"}, {"idempotency_key": "k"})
    await world.fault("rate_limit_429")
    with pytest.raises(stripe.RateLimitError):
        await create({"name": "A"}, {"idempotency_key": "k"})


async def test_a_key_in_use_is_a_conflict(world: SimulatorHandle, http: httpx.AsyncClient) -> None:
    await world.fault("slow_before_commit", seconds=2)
    first = asyncio.create_task(http.post(CUSTOMERS, data=ADA, headers=keyed("k")))
    async with asyncio.timeout(SOON):
        while await world.faults():
            await asyncio.sleep(0.01)
    second = await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))
    assert second.status_code == 409
    assert second.json()["error"]["code"] == "idempotency_key_in_use"
    assert second.headers["Stripe-Should-Retry"] == "true"
    other = await http.post(CUSTOMERS, data=ADA, headers=keyed("other"))
    assert other.status_code == 200
    made = await first
    assert made.status_code == 200
    assert (await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))).json() == made.json()
    assert await customers(http) == 2


async def test_fifty_at_once_make_one(world: SimulatorHandle, http: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(http.post(CUSTOMERS, data=ADA, headers=keyed("k")) for _ in range(50))
    )
    made = {answer.json()["id"] for answer in answers if answer.status_code == 200}
    assert len(made) == 1
    assert (await world.counters()).executed("POST", CUSTOMERS) == 1


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (CUSTOMERS, {"emial": "ada@example.com"}),
        (CUSTOMERS, {"email": "nobody"}),
        ("/v1/tax_ids", {"type": "eu_vat", "value": "DE1"}),
    ],
)
async def test_wrong_parameters_leave_the_key_free(
    http: httpx.AsyncClient, path: str, form: dict[str, str]
) -> None:
    wrong = await http.post(path, data=form, headers=keyed("k"))
    assert wrong.status_code == 400
    corrected = await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))
    assert corrected.status_code == 200
    assert "Idempotent-Replayed" not in corrected.headers


@pytest.mark.parametrize("kind", ["rate_limit_429", "lock_timeout_429", "error_503"])
async def test_what_never_began_leaves_the_key_free(
    world: SimulatorHandle, http: httpx.AsyncClient, kind: Any
) -> None:
    await world.fault(kind)
    refused = await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))
    assert refused.status_code in (429, 503)
    again = await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))
    assert again.status_code == 200
    assert "Idempotent-Replayed" not in again.headers


async def test_a_failure_after_the_beginning_comes_again(
    client: stripe.StripeClient, http: httpx.AsyncClient
) -> None:
    session = await client.v1.identity.verification_sessions.create_async({"type": "document"})
    await client.v1.identity.verification_sessions.cancel_async(session.id)
    path = f"/v1/identity/verification_sessions/{session.id}/cancel"
    missing = f"{CUSTOMERS}/cus_none/tax_ids"
    tax_id = {"type": "eu_vat", "value": "DE123456789"}
    for number, (where, form, status) in enumerate([(path, {}, 400), (missing, tax_id, 404)]):
        first = await http.post(where, data=form, headers=keyed(f"k{number}"))
        again = await http.post(where, data=form, headers=keyed(f"k{number}"))
        assert (first.status_code, again.status_code) == (status, status)
        assert again.content == first.content
        assert again.headers["Idempotent-Replayed"] == "true"


async def test_a_500_after_the_commit_comes_again_although_it_was_done(
    world: SimulatorHandle, http: httpx.AsyncClient
) -> None:
    await world.fault("error_500_after_commit", method="POST", path=CUSTOMERS)
    first = await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))
    again = await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))
    assert (first.status_code, again.status_code) == (500, 500)
    assert again.content == first.content
    assert "Stripe-Should-Retry" not in first.headers
    assert again.headers["Stripe-Should-Retry"] == "false"
    assert await customers(http) == 1


async def test_a_key_lives_for_24_hours_of_simulated_time(
    world: SimulatorHandle, http: httpx.AsyncClient
) -> None:
    first = (await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))).json()
    await world.advance(timedelta(hours=23, minutes=59))
    assert (await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))).json() == first
    await world.advance(timedelta(minutes=1))
    later = await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))
    assert later.json()["id"] != first["id"]
    assert "Idempotent-Replayed" not in later.headers


async def test_a_test_may_have_keys_forgotten(
    world: SimulatorHandle, http: httpx.AsyncClient
) -> None:
    for key in ("a", "b", "c"):
        await http.post(CUSTOMERS, data=ADA, headers=keyed(key))
    assert await world.forget_keys("a") == 1
    assert await world.forget_keys() == 2
    await http.post(CUSTOMERS, data=ADA, headers=keyed("a"))
    assert await customers(http) == 4


async def test_a_key_has_at_most_255_characters(http: httpx.AsyncClient) -> None:
    assert (await http.post(CUSTOMERS, headers=keyed("k" * 255))).status_code == 200
    assert (await http.post(CUSTOMERS, headers=keyed("k" * 256))).status_code == 400
    assert await customers(http) == 1


async def test_reading_and_deleting_take_no_keys(http: httpx.AsyncClient) -> None:
    made = (await http.post(CUSTOMERS, data=ADA)).json()
    path = f"{CUSTOMERS}/{made['id']}"
    for _ in range(2):
        read = await http.get(path, headers=keyed("k"))
        assert "Idempotent-Replayed" not in read.headers
    assert (await http.delete(path, headers=keyed("k"))).status_code == 200
    again = await http.delete(path, headers=keyed("k"))
    assert again.status_code == 404
    assert (await http.post(CUSTOMERS, data=ADA, headers=keyed("k"))).status_code == 200
