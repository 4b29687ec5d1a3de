"""Webhooks: signed, at least once, unordered, retried, and resumed after a crash."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
from datetime import timedelta

import pytest
import stripe

from simulators.stripe.sender import signature
from tests.integration.simulators.conftest import client_of
from tests.integration.simulators.receiver import Received, Receiver
from tests.patience import SOON
from tests.simulated import SimulatorHandle


async def make(world: SimulatorHandle, number: int) -> list[str]:
    """So many customers; the ids of their events, oldest first."""
    client = client_of(world)
    for each in range(number):
        await client.v1.customers.create_async({"name": str(each)})
    events = await client.v1.events.list_async({"limit": number, "type": "customer.created"})
    return [event.id for event in reversed(events.data)]


def ids(received: list[Received]) -> list[str]:
    return [json.loads(each.body)["id"] for each in received]


async def pending_webhooks(world: SimulatorHandle, event: str) -> int:
    return (await client_of(world).v1.events.retrieve_async(event)).pending_webhooks


async def settled(world: SimulatorHandle, event: str, state: str = "delivered") -> None:
    """Wait until the simulator has written down that all deliveries of an event ended so."""
    async with asyncio.timeout(SOON):
        while {each["state"] for each in await world.deliveries(event)} != {state}:
            await asyncio.sleep(0.02)


async def test_an_event_arrives_signed_so_that_the_sdk_believes_it(
    world: SimulatorHandle, receiver: Receiver
) -> None:
    _, secret = await world.register_webhook(receiver.url)
    [made] = await make(world, 1)
    [received] = await receiver.until(1)
    event = received.event(secret)
    assert (event.id, event.type) == (made, "customer.created")
    assert json.loads(received.body)["pending_webhooks"] == 1
    with pytest.raises(stripe.SignatureVerificationError):
        received.event("whsec_wrong")
    with pytest.raises(stripe.SignatureVerificationError):
        Received(received.body + b" ", received.signature).event(secret)
    await settled(world, made)
    assert await pending_webhooks(world, made) == 0


def test_the_signature_is_the_documented_one() -> None:
    code = hmac.new(b"whsec_a", b'7.{"a":1}', hashlib.sha256).hexdigest()
    assert signature('{"a":1}', ["whsec_a"], 7) == f"t=7,v1={code}"


async def test_the_signature_has_the_receivers_time_when_the_clock_was_moved(
    world: SimulatorHandle, receiver: Receiver
) -> None:
    _, secret = await world.register_webhook(receiver.url)
    await world.advance(timedelta(days=3))
    await make(world, 1)
    [received] = await receiver.until(1)
    at = int(received.signature.split(",")[0].removeprefix("t="))
    assert abs(at - time.time()) < 60
    assert received.event(secret).created > time.time() + 2 * 86400


async def test_both_secrets_sign_while_they_are_changed_over(
    world: SimulatorHandle, receiver: Receiver
) -> None:
    endpoint, old = await world.register_webhook(receiver.url)
    new = await world.roll_webhook_secret(endpoint)
    await make(world, 1)
    [received] = await receiver.until(1)
    assert received.signature.count("v1=") == 2
    assert received.event(old).id == received.event(new).id
    newest = await world.roll_webhook_secret(endpoint, keep=timedelta(0))
    await make(world, 1)
    later = (await receiver.until(2))[-1]
    assert later.event(newest).type == "customer.created"
    with pytest.raises(stripe.SignatureVerificationError):
        later.event(new)


async def test_an_endpoint_gets_only_what_it_wants(
    world: SimulatorHandle, receiver: Receiver
) -> None:
    endpoint, _ = await world.register_webhook(receiver.url, ["customer.updated"])
    client = client_of(world)
    customer = await client.v1.customers.create_async({"name": "A"})
    await client.v1.customers.update_async(customer.id, {"name": "B"})
    [received] = await receiver.until(1)
    assert json.loads(received.body)["type"] == "customer.updated"
    await client.v1.webhook_endpoints.update_async(endpoint, {"disabled": True})
    await client.v1.customers.update_async(customer.id, {"name": "C"})
    await asyncio.sleep(0.1)
    assert len(receiver.received) == 1


async def test_a_refused_webhook_comes_again_signed_afresh(
    world: SimulatorHandle, receiver: Receiver
) -> None:
    _, secret = await world.register_webhook(receiver.url)
    receiver.answers = [500, 302, 400, 204]
    [made] = await make(world, 1)
    received = await receiver.until(4)
    assert ids(received) == [made] * 4
    assert [each.event(secret).id for each in received] == [made] * 4
    # The attempts are more than a second apart in sum.
    assert len({each.signature for each in received}) > 1
    await settled(world, made)
    [delivery] = await world.deliveries(made)
    assert (delivery["attempts"], delivery["last_status"]) == (4, 204)


async def test_an_endpoint_that_is_not_there_gets_it_later(world: SimulatorHandle) -> None:
    await world.register_webhook("http://127.0.0.1:9/webhooks")
    [made] = await make(world, 1)
    async with asyncio.timeout(SOON):
        while (await world.deliveries(made))[0]["attempts"] < 2:
            await asyncio.sleep(0.02)
    assert await pending_webhooks(world, made) == 1
    undelivered = await client_of(world).v1.events.list_async({"delivery_success": False})
    assert [event.id for event in undelivered.data] == [made]


async def test_pending_webhooks_counts_endpoints_not_deliveries(
    world: SimulatorHandle, receiver: Receiver
) -> None:
    await world.register_webhook(receiver.url)
    await world.register_webhook("http://127.0.0.1:9/webhooks")
    await world.duplicate_webhooks(2)
    await world.pause_webhooks()
    [made] = await make(world, 1)
    assert await pending_webhooks(world, made) == 2
    await world.resume_webhooks()
    await receiver.until(2)
    async with asyncio.timeout(SOON):
        while await pending_webhooks(world, made) != 1:
            await asyncio.sleep(0.02)


async def test_deliveries_are_concurrent(world: SimulatorHandle, receiver: Receiver) -> None:
    await world.register_webhook(receiver.url)
    receiver.may_answer.clear()
    made = await make(world, 6)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SOON):
            while receiver.at_once < 6:
                await asyncio.sleep(0.01)
    assert receiver.at_once == 6
    receiver.may_answer.set()
    assert sorted(ids(await receiver.until(6))) == sorted(made)


async def test_events_are_duplicated_on_demand(world: SimulatorHandle, receiver: Receiver) -> None:
    await world.register_webhook(receiver.url)
    await world.duplicate_webhooks(3)
    made = await make(world, 2)
    received = await receiver.until(6)
    assert sorted(ids(received)) == sorted(made * 3)
    for event in made:
        await settled(world, event)
        assert await pending_webhooks(world, event) == 0


async def test_what_was_kept_back_is_released_in_reverse(
    world: SimulatorHandle, receiver: Receiver
) -> None:
    await world.register_webhook(receiver.url)
    await world.pause_webhooks()
    made = await make(world, 5)
    await asyncio.sleep(0.1)
    assert receiver.received == []
    await world.resume_webhooks("newest_first")
    assert ids(await receiver.until(5)) == made[::-1]
    more = await make(world, 1)
    assert ids(await receiver.until(6))[5:] == more


async def test_scattered_deliveries_keep_no_order(
    world: SimulatorHandle, receiver: Receiver
) -> None:
    await world.register_webhook(receiver.url)
    await world.scatter_webhooks(0.5)
    made = await make(world, 12)
    received = ids(await receiver.until(12))
    assert sorted(received) == sorted(made)
    assert received != made


async def test_a_lost_webhook_is_found_in_the_list_of_events_and_replayed(
    world: SimulatorHandle, receiver: Receiver
) -> None:
    await world.register_webhook(receiver.url)
    await world.drop_webhooks(1)
    [lost] = await make(world, 1)
    await settled(world, lost, "lost")
    [arrived] = await make(world, 1)
    assert ids(await receiver.until(1)) == [arrived]
    await settled(world, arrived)
    missing = await client_of(world).v1.events.list_async({"delivery_success": False})
    assert [event.id for event in missing.data] == [lost]
    await world.replay_event(lost)
    assert ids(await receiver.until(2))[1:] == [lost]


async def test_nothing_is_sent_to_a_deleted_endpoint(
    world: SimulatorHandle, receiver: Receiver
) -> None:
    endpoint, _ = await world.register_webhook(receiver.url)
    await world.pause_webhooks()
    [made] = await make(world, 1)
    await client_of(world).v1.webhook_endpoints.delete_async(endpoint)
    await world.resume_webhooks()
    await settled(world, made, "lost")
    assert receiver.received == []


@pytest.mark.parametrize("paused", [True, False])
async def test_undelivered_webhooks_are_sent_after_a_crash(
    own_world: SimulatorHandle, receiver: Receiver, paused: bool
) -> None:
    _, secret = await own_world.register_webhook(receiver.url)
    if paused:
        await own_world.pause_webhooks()
    else:
        receiver.may_answer.clear()  # they are under way when the process dies
    made = await make(own_world, 3)
    await own_world.kill()
    receiver.may_answer.set()
    await own_world.start()
    if paused:
        await asyncio.sleep(0.2)
        assert receiver.received == []
        await own_world.resume_webhooks("oldest_first")
    for event in made:
        await settled(own_world, event)
    # At least once: what was under way may have arrived before the crash, too.
    assert set(ids(receiver.received)) == set(made)
    assert {each.event(secret).id for each in receiver.received} == set(made)
