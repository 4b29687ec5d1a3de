"""What was answered is there after a restart and after `kill -9`; two processes share no state."""

import asyncio
import itertools
import json
import sqlite3
import sys
import time
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
import stripe

from tests.integration.simulators.conftest import client_of, http_of
from tests.integration.simulators.test_crm import COMPANIES, CONTACTS, one, upsert
from tests.integration.simulators.test_directory import GROUPS, USERS, group, made, patch, user
from tests.integration.simulators.test_mail import send
from tests.patience import SOON
from tests.simulated import REPOSITORY, SimulatorHandle

pytestmark = pytest.mark.slow

CUSTOMERS = "/v1/customers"


async def test_everything_is_there_after_kill_9(own_world: SimulatorHandle) -> None:
    client = client_of(own_world)
    await own_world.advance(timedelta(hours=5))
    made = await client.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})
    session = await client.v1.identity.verification_sessions.create_async({"type": "document"})
    await own_world.submit_identity(session.id, "failed", code="abandoned")
    await own_world.search_lag(timedelta(seconds=7))
    await own_world.fault("error_503", path="/v1/events", times=None)
    message = EmailMessage()
    message["Subject"], message["Message-ID"] = "Welcome", "<1@example.com>"
    await send(own_world, message)
    before = await own_world.now()

    await own_world.kill()
    await own_world.start()

    assert timedelta(0) <= await own_world.now() - before < timedelta(minutes=1)
    again = await client.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})
    assert again.to_dict() == made.to_dict()
    counters = await own_world.counters()
    assert (counters.executed("POST", CUSTOMERS), counters.replayed("POST", CUSTOMERS)) == (1, 1)
    found = await client.v1.identity.verification_sessions.retrieve_async(session.id)
    assert found.last_error is not None
    assert found.last_error.code == "abandoned"
    with pytest.raises(stripe.APIError):
        await client.v1.events.list_async()
    await own_world.clear_faults()
    assert len((await client.v1.events.list_async()).data) == 4
    assert [each.message_id for each in await own_world.messages()] == ["<1@example.com>"]


async def test_entries_and_records_are_there_after_kill_9(own_world: SimulatorHandle) -> None:
    directory, crm = own_world.directory, own_world.crm
    ada = await made(directory, USERS, user("ada@example.com", externalId="a"))
    bob = await made(directory, USERS, user("bob@example.com"))
    members = [{"value": ada["id"]}, {"value": bob["id"]}]
    acme = await made(directory, GROUPS, group("acme", members=members))
    rename = {"op": "replace", "path": "displayName", "value": "Ada"}
    await patch(directory, f"{USERS}/{ada['id']}", rename)
    await directory.request("DELETE", f"{USERS}/{bob['id']}")
    [contact] = await upsert(crm, one("a", email="ada@example.com", country="DE"))
    [company] = await upsert(crm, one("a", name="Example SA"), kind=COMPANIES)
    [away] = await upsert(crm, one("b"))
    await crm.request("DELETE", f"{CONTACTS}/{away['id']}")
    kept = [
        (directory, f"{USERS}/{ada['id']}"),
        (directory, f"{GROUPS}/{acme['id']}"),
        (directory, USERS),
        (crm, f"{CONTACTS}/{contact['id']}"),
        (crm, f"{COMPANIES}/{company['id']}"),
        (crm, f"{CONTACTS}?properties=country"),
    ]
    before = [(await api.request("GET", path)).json() for api, path in kept]
    for api in (directory, crm):
        await api.fault("error_503", method="DELETE", times=2)
        assert (await api.request("DELETE", USERS)).status_code == 503
    counted = [await api.counters() for api in (directory, crm)]

    await own_world.kill()
    await own_world.start()

    assert [await api.counters() for api in (directory, crm)] == counted
    assert [(await api.request("GET", path)).json() for api, path in kept] == before
    assert before[1]["members"] == members[:1]
    twice = await directory.request("POST", USERS, json=user("ADA@example.com"))
    assert twice.status_code == 409
    for api, path in (kept[0], kept[3]):
        one_left = [(await api.request("DELETE", path)).status_code for _ in range(2)]
        assert one_left == [503, 204]


async def test_no_number_is_used_again_after_a_reset(own_world: SimulatorHandle) -> None:
    directory, crm = own_world.directory, own_world.crm

    async def numbers() -> list[int]:
        """Of a user's version and of two contacts; everything is forgotten then."""
        ada = await made(directory, USERS, user("ada@example.com"))
        records = await upsert(crm, one("a"), one("b"))
        await directory.reset()
        await crm.reset()
        assert (await directory.request("GET", USERS)).json()["totalResults"] == 0
        assert (await crm.request("GET", CONTACTS)).json()["results"] == []
        return [int(ada["meta"]["version"].strip('W/"')), *(int(each["id"]) for each in records)]

    before = [await numbers(), await numbers()]
    await own_world.kill()
    await own_world.start()
    for used in zip(*before, await numbers(), strict=True):
        assert list(used) == sorted(set(used))


async def test_what_was_answered_before_a_kill_is_never_lost(own_world: SimulatorHandle) -> None:
    answered: dict[str, list[str]] = {CUSTOMERS: [], USERS: [], CONTACTS: []}
    numbers = itertools.count()

    async def create_customers() -> None:
        async with http_of(own_world) as http:
            while True:
                answer = await http.post(CUSTOMERS, data={"name": "A"})
                answered[CUSTOMERS].append(answer.json()["id"])

    async def create_users() -> None:
        while True:
            entry = await made(own_world.directory, USERS, user(f"{next(numbers)}@example.com"))
            answered[USERS].append(entry["id"])

    async def create_contacts() -> None:
        while True:
            [record] = await upsert(own_world.crm, one(str(next(numbers))))
            answered[CONTACTS].append(record["id"])

    ways = (create_customers, create_users, create_contacts)
    creating = [asyncio.create_task(create()) for create in ways * 2]
    async with asyncio.timeout(SOON):
        while min(len(ids) for ids in answered.values()) < 5:
            await asyncio.sleep(0.01)
    await own_world.kill()
    await asyncio.gather(*creating, return_exceptions=True)
    await own_world.start()
    async with http_of(own_world) as http:
        for customer in answered[CUSTOMERS]:
            assert (await http.get(f"{CUSTOMERS}/{customer}")).status_code == 200
    for path, api in ((USERS, own_world.directory), (CONTACTS, own_world.crm)):
        for each in answered[path]:
            assert (await api.request("GET", f"{path}/{each}")).status_code == 200
    for path, template, counters in (
        (CUSTOMERS, CUSTOMERS, await own_world.counters()),
        (USERS, USERS, await own_world.directory.counters()),
        (CONTACTS, f"{CONTACTS}/batch/upsert", await own_world.crm.counters()),
    ):
        kept = counters.executed("POST", template)
        assert len(answered[path]) <= kept <= len(answered[path]) + 2


async def test_a_key_that_was_in_use_at_a_kill_is_free_again(own_world: SimulatorHandle) -> None:
    client = client_of(own_world)
    await own_world.fault("slow_before_commit", seconds=30)
    creating = asyncio.create_task(
        client.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})
    )
    await asyncio.sleep(0.15)
    await own_world.kill()
    with pytest.raises(stripe.APIConnectionError):
        await creating
    await own_world.start()
    await client.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})
    assert len((await client.v1.customers.list_async()).data) == 1


async def test_it_ends_quickly_when_asked_even_with_a_request_on(
    own_world: SimulatorHandle,
) -> None:
    client = client_of(own_world, timeout=30)
    await own_world.fault("timeout_after_commit")
    creating = asyncio.create_task(client.v1.customers.create_async({"name": "A"}))
    await asyncio.sleep(0.1)
    begun = time.monotonic()
    await own_world.stop()
    assert time.monotonic() - begun < 15, "it waited for its client, which has half a minute"
    with pytest.raises(stripe.APIConnectionError):
        await creating
    assert "Traceback" not in own_world.log


async def test_a_wrong_object_does_not_leave(own_world: SimulatorHandle) -> None:
    made = await client_of(own_world).v1.customers.create_async({"name": "A"})
    await own_world.stop()
    with sqlite3.connect(own_world.state / "world.sqlite3") as database:
        (text,) = database.execute("SELECT document FROM stripe_customers").fetchone()
        wrong = json.dumps({**json.loads(text), "nickname": "Ada"})
        database.execute("UPDATE stripe_customers SET document = ?", (wrong,))
    database.close()
    await own_world.start()
    async with http_of(own_world) as http:
        for path in (f"{CUSTOMERS}/{made.id}", CUSTOMERS):
            answer = await http.get(path)
            assert answer.status_code == 500
            assert "nickname: Extra inputs are not permitted" in answer.text
    assert "breaks the field facts" in own_world.log


async def run(*arguments: str) -> tuple[int | None, str]:
    """Run the simulators until they end by themselves."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators", *arguments),
        cwd=REPOSITORY,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(process.communicate(), SOON)
    return process.returncode, errors.decode()


async def test_two_processes_do_not_share_a_state(world: SimulatorHandle) -> None:
    status, errors = await run(
        *("--state", str(world.state), *world.key_files),
        *("--stripe-port", "0", "--mail-port", "0", "--smtp-port", "0"),
        *("--directory-port", "0", "--crm-port", "0"),
    )
    assert status == 1
    assert "Other simulators are running" in errors


async def test_a_taken_port_is_named(world: SimulatorHandle, tmp_path: Path) -> None:
    status, errors = await run(
        *("--state", str(tmp_path / "other"), *world.key_files),
        *("--stripe-port", str(world.stripe_port), "--mail-port", "0", "--smtp-port", "0"),
        *("--directory-port", "0", "--crm-port", "0"),
    )
    assert status == 1
    assert f"The port {world.stripe_port} for stripe cannot be had" in errors


async def test_a_reset_can_leave_the_endpoints(world: SimulatorHandle) -> None:
    await world.register_webhook("http://127.0.0.1:9/webhooks")
    client = client_of(world)
    await client.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})
    await world.reset(webhook_endpoints=False)
    assert (await client.v1.customers.list_async()).data == []
    assert len((await client.v1.webhook_endpoints.list_async()).data) == 1
    assert (await world.counters()).of("POST", CUSTOMERS) == 0
    await client.v1.customers.create_async({"name": "B"}, {"idempotency_key": "k"})
    await world.reset()
    assert (await client.v1.webhook_endpoints.list_async()).data == []


async def test_health_is_answered_without_a_key(world: SimulatorHandle) -> None:
    async with httpx.AsyncClient() as anybody:
        for url in (world.stripe_url, world.mail_url, world.directory.url, world.crm.url):
            assert (await anybody.get(f"{url}/_simulator/health")).json() == {"status": "ok"}
