"""Webhooks are kept before they are answered, each once, and reach the process they concern."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import pytest
from structlog.testing import capture_logs
from temporalio.client import Client

from database import inbox
from database.connection import transaction
from database.handover import drain_inbox
from tests.house import House
from tests.integration.gateway.conftest import (
    Gateway,
    confirm_email,
    deliver,
    event,
    gateway_of,
    problem,
    prove_identity,
    stage_is,
    until,
)
from tests.patience import SOON
from workers.ports import free_port
from workflows.events import Event, stripe_event

VERIFIED = "identity.verification_session.verified"


async def inbox_of(house: House) -> list[tuple[str, str, str | None]]:
    rows = await house.rows(
        "SELECT event_id, state, note FROM inbox WHERE source = 'stripe' ORDER BY id"
    )
    return [(row["event_id"], row["state"], row["note"]) for row in rows]


async def test_an_event_reaches_the_process_that_it_concerns(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = (await gateway.service.sign_up()).json()["id"]
        await prove_identity(gateway, id_)
        await stage_is(gateway, id_, "active")
    ((_, state, note),) = await inbox_of(house)
    assert (state, note) == ("done", None)


async def test_unknown_events_are_kept_and_handed_to_nobody(gateway: Gateway, house: House) -> None:
    for told in (
        event("customer.created", "cus_1", id_="evt_1"),
        event(VERIFIED, "vs_1", id_="evt_2"),
        event(VERIFIED, "vs_1", id_="evt_3", process="onboarding/acme/nobody"),
        event("never.heard.of", "x", id_="evt_4"),
    ):
        assert (await deliver(gateway, told)).status_code == 204

    async def settled() -> list[tuple[str, str, str | None]]:
        return [one for one in await inbox_of(house) if one[1] == "ignored"]

    assert await until(settled, lambda found: len(found) == 4) == [
        ("evt_1", "ignored", "nobody waits for events of this type"),
        ("evt_2", "ignored", "names no process of ours"),
        ("evt_3", "ignored", "the process is not running"),
        ("evt_4", "ignored", "nobody waits for events of this type"),
    ]


async def test_what_nobody_waits_for_is_settled_as_it_comes_in(house: House) -> None:
    awaited = event(VERIFIED, "vs_1", id_="evt_2")
    told = [stripe_event(one) for one in (event("customer.created", "x", id_="evt_1"), awaited)]
    async with transaction(house.engine) as connection:
        assert await inbox.take_in(connection, told) == 2
        assert await inbox.take_in(connection, told) == 0, "they are there"
        assert [one.event_id for one in await inbox.claim(connection, 10)] == ["evt_2"]
    found = await house.rows("SELECT state, tries, done_at IS NULL AS open FROM inbox ORDER BY id")
    assert found == [
        {"state": "ignored", "tries": 0, "open": False},
        {"state": "waiting", "tries": 1, "open": True},
    ]


async def test_many_at_once_are_all_kept_and_duplicates_once(
    gateway: Gateway, house: House
) -> None:
    events = [
        event("customer.created", "cus_1", id_=f"evt_{number % 100}") for number in range(300)
    ]
    answers = await asyncio.gather(*(deliver(gateway, one) for one in events))
    assert {answer.status_code for answer in answers} == {204}
    assert await house.rows("SELECT count(*) FROM inbox") == [{"count": 100}]


async def test_an_event_that_cannot_be_stored_takes_no_other_with_it(
    gateway: Gateway, house: House
) -> None:
    good = [event("customer.created", "cus_1", id_=f"evt_{number}") for number in range(5)]
    bad = event("customer.created", "cus_\x00")
    answers = await asyncio.gather(*(deliver(gateway, one) for one in [*good[:2], bad, *good[2:]]))
    assert [answer.status_code for answer in answers] == [204, 204, 400, 204, 204, 204]
    assert len(await inbox_of(house)) == 5


async def test_a_defect_refuses_its_batch_and_the_next_event_is_kept(
    gateway: Gateway, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def defective(*_: object) -> int:
        raise RuntimeError("says evt_1 aloud")

    with monkeypatch.context() as while_defective, capture_logs() as lines:
        while_defective.setattr(inbox, "take_in", defective)
        async with asyncio.timeout(SOON):
            answers = await asyncio.gather(
                *(deliver(gateway, event(VERIFIED, "vs_1", id_=f"evt_{n}")) for n in range(3))
            )
    assert {answer.status_code for answer in answers} == {503}, "Stripe brings them again"
    told = [line for line in lines if line["event"] == "events not kept"]
    assert {line["error"] for line in told} == {"RuntimeError"}
    assert "evt_1" not in str(told), "what an exception says may be anybody's"
    async with asyncio.timeout(SOON):
        answer = await deliver(gateway, event(VERIFIED, "vs_1", id_="evt_1"))
    assert answer.status_code == 204
    assert [id_ for id_, *_ in await inbox_of(house)] == ["evt_1"]


async def test_an_event_that_our_database_cannot_write_now_is_brought_again(
    gateway: Gateway, house: House
) -> None:
    await house.rows("ALTER TABLE inbox ADD CONSTRAINT no_room CHECK (event_id <> 'evt_1')")
    try:
        assert (await deliver(gateway, event(VERIFIED, "vs_1", id_="evt_1"))).status_code == 503
    finally:
        await house.rows("ALTER TABLE inbox DROP CONSTRAINT no_room")
    assert (await deliver(gateway, event(VERIFIED, "vs_1", id_="evt_1"))).status_code == 204


async def test_what_is_no_event_is_refused(gateway: Gateway, house: House) -> None:
    problem(await deliver(gateway, "{"), 400, "malformed-json")
    problem(await deliver(gateway, "nonsense"), 400, "malformed-json")
    payloads: list[Any] = [
        {},
        [],
        None,
        7,
        {"id": "evt_1", "type": "x", "created": "?", "data": {}},
        *(event("x", "y") | {"id": id_} for id_ in (None, "", 7)),
        *(event("x", "y") | {"type": type_} for type_ in (None, "", 7)),
        *(event("x", "y") | {"data": {"object": {"id": id_}}} for id_ in (None, "", 7)),
        *(event("x", "y") | {"id": id_} for id_ in ("evt\0", secrets.token_hex(50_000))),
    ]
    for payload in payloads:
        problem(await deliver(gateway, payload), 400, "not-an-event")
    problem(await deliver(gateway, event("x", "y"), secret="whsec_"), 400, "signature-refused")
    unsigned = await gateway.http.post("/webhooks/stripe", json=event("x", "y"))
    problem(unsigned, 400, "signature-refused")
    problem(await deliver(gateway, " " * (1024 * 1024 + 1)), 413, "too-large")
    problem(await gateway.http.get("/webhooks/stripe"), 405, "method-not-allowed")
    assert await inbox_of(house) == []


async def test_without_the_database_nothing_is_acknowledged(house: House) -> None:
    async with gateway_of(house, database_port=free_port()) as gateway:
        answers = await asyncio.gather(*(deliver(gateway, event("x", "y")) for _ in range(3)))
    assert [problem(answer, 503, "unavailable")["status"] for answer in answers] == [503] * 3


async def test_what_temporal_does_not_take_waits_for_it(
    house: House, nowhere: Client, gateway: Gateway
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = (await gateway.service.sign_up()).json()["id"]
        await confirm_email(gateway, id_)
        await stage_is(gateway, id_, "verifying_identity")
        async with gateway_of(house, client=nowhere) as cut_off:
            await prove_identity(cut_off, id_)

            async def postponed() -> list[tuple[str, str, str | None]]:
                return await inbox_of(house)

            ((_, state, _),) = await until(postponed, lambda found: found and found[0][2])
            assert state == "waiting"
        tries = 0

        async def told(_: object) -> None:
            nonlocal tries
            tries += 1

        assert await drain_inbox(house.engine, told, limit=10) == 0, "its time has not come yet"
        await house.rows("UPDATE inbox SET next_try_at = clock_timestamp()")
        await asyncio.gather(*(drain_inbox(house.engine, told, limit=10) for _ in range(5)))
        assert tries == 1, "several may drain at once"
    assert [state for _, state, _ in await inbox_of(house)] == ["done"]


async def test_several_may_drain_at_once_and_each_event_is_told_once(house: House) -> None:
    events = [stripe_event(event(VERIFIED, "y", process=f"p{number % 7}")) for number in range(400)]
    async with transaction(house.engine) as connection:
        assert await inbox.take_in(connection, events) == 400
    told: list[str] = []

    async def tell(one: Event) -> None:
        await asyncio.sleep(0)
        told.append(one.event_id)

    settled = await asyncio.gather(*(drain_inbox(house.engine, tell, limit=50) for _ in range(10)))
    while left := await drain_inbox(house.engine, tell, limit=50):
        settled.append(left)
    assert sum(settled) == 400
    assert sorted(told) == sorted(one.event_id for one in events)


async def test_events_of_one_process_are_told_one_after_the_other_in_their_order(
    house: House,
) -> None:
    events = [event(VERIFIED, "vs_1", id_=f"evt_{n}", process=f"p{n % 2}") for n in range(6)]
    for number, one in enumerate(events):
        one["created"] += -number
    async with transaction(house.engine) as connection:
        assert await inbox.take_in(connection, [stripe_event(one) for one in events]) == 6
    under_way: set[str] = set()
    order: list[str] = []

    async def tell(told: Event) -> None:
        assert told.workflow_id is not None
        assert told.workflow_id not in under_way
        under_way.add(told.workflow_id)
        await asyncio.sleep(0.01)
        under_way.remove(told.workflow_id)
        order.append(told.event_id)

    assert await drain_inbox(house.engine, tell, limit=10) == 6
    assert [one for one in order if one in ("evt_0", "evt_2", "evt_4")] == [
        "evt_4",
        "evt_2",
        "evt_0",
    ]
