"""One onboarding for one signup, whatever happens at the door."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

import pytest
from temporalio.client import Client

from database.handover import drain_onboardings
from tests.house import TENANT, House
from tests.integration.gateway.conftest import Gateway, gateway_of, problem
from tests.patience import SOON
from workers.ports import free_port
from workflows.handover import hand_over_onboarding
from workflows.onboarding.messages import onboarding_id, workflow_id
from workflows.search_attributes import STAGE
from workflows.search_attributes import TENANT as OF_TENANT


async def test_a_signup_is_answered_and_started(gateway: Gateway, house: House, key: str) -> None:
    async with house.working(max_cached_workflows=10):
        answer = await gateway.service.sign_up(key)
        assert answer.status_code == 201, answer.text
        id_ = onboarding_id(TENANT, key)
        assert answer.json()["id"] == id_
        assert answer.json()["stage"] in ("received", "validating")
        assert answer.headers["location"] == f"/v1/onboardings/{id_}"
        run = await house.client.get_workflow_handle(workflow_id(TENANT, id_)).describe()
        assert run.typed_search_attributes[OF_TENANT] == TENANT
        assert run.typed_search_attributes.get(STAGE) is not None
        assert await run.static_summary() == f"Onboarding for {TENANT}"
    (row,) = await house.rows("SELECT * FROM onboardings")
    assert row["handed_over_at"] is not None


async def test_the_same_signup_gets_the_same_answer_again(
    gateway: Gateway, house: House, key: str
) -> None:
    async with house.working(max_cached_workflows=10):
        first = await gateway.service.sign_up(key)
        again = await gateway.service.sign_up(key, country="de", name="Z\u0307o\u0301\u0142ta")
        same = await gateway.service.sign_up(key)
    assert "idempotent-replayed" not in first.headers
    assert (same.status_code, same.json()) == (first.status_code, first.json())
    assert same.headers["location"] == first.headers["location"]
    assert same.headers["idempotent-replayed"] == "true"
    told = problem(again, 422, "key-reused")
    assert told["errors"][0]["field"] == "Idempotency-Key"
    assert await house.rows("SELECT count(*) FROM applications") == [{"count": 1}]


async def test_another_tenants_same_key_is_another_signup(
    gateway: Gateway, house: House, key: str
) -> None:
    async with house.working(max_cached_workflows=10):
        ours = await gateway.service.sign_up(key)
        headers = {"Idempotency-Key": key}
        form = {"kind": "person", "name": "x", "email": "x@example.com"}
        theirs = await gateway.operator.send(
            "POST",
            "/v1/onboardings",
            json=form | {"country": "DE", "currency": "EUR"},
            headers=headers,
            params={"tenant": "other"},
        )
    assert theirs.status_code == 201
    assert theirs.json()["tenant"] == "other"
    assert theirs.json()["id"] != ours.json()["id"]


async def test_500_equal_signups_at_once_make_one_onboarding(
    gateway: Gateway, house: House, key: str
) -> None:
    async with house.working(max_cached_workflows=10):
        answers = await asyncio.gather(*(gateway.service.sign_up(key) for _ in range(500)))
        statuses = {answer.status_code for answer in answers}
        assert statuses <= {201, 409}
        assert 201 in statuses
        for answer in answers:
            if answer.status_code == 409:
                problem(answer, 409, "in-progress")
                assert int(answer.headers["retry-after"]) >= 1
        said = {answer.text for answer in answers if answer.status_code == 201}
        assert said == {(await gateway.service.sign_up(key)).text}
        assert len(said) == 1
        for table in ("applications", "onboardings", "api_requests"):
            assert await house.rows(f"SELECT count(*) FROM {table}") == [{"count": 1}]
        runs = [
            run
            async for run in house.client.list_workflows("WorkflowType = 'CustomerOnboarding'")
            if run.id == workflow_id(TENANT, onboarding_id(TENANT, key))
        ]
    assert len(runs) <= 1  # visibility may lag, the history says for sure
    history = await house.client.get_workflow_handle(
        workflow_id(TENANT, onboarding_id(TENANT, key))
    ).fetch_history()
    started = [
        one for one in history.events if one.HasField("workflow_execution_started_event_attributes")
    ]
    assert len(started) == 1


async def test_while_temporal_is_down_a_signup_is_kept_and_started_later(
    house: House, nowhere: Client, key: str
) -> None:
    async with gateway_of(house, client=nowhere) as gateway:
        answer = await gateway.service.sign_up(key)
        assert answer.status_code == 202, answer.text
        assert answer.json()["stage"] == "received"
        again = await gateway.service.sign_up(key)
        assert (again.status_code, again.json()) == (202, answer.json())
        shown = await gateway.service.get(answer.headers["location"])
        assert shown.json()["stage"] == "received"
        begin_nowhere = partial(hand_over_onboarding, nowhere)
        now = timedelta(0)
        assert await drain_onboardings(house.engine, begin_nowhere, limit=9, older_than=now) == 0
    begin = partial(hand_over_onboarding, house.client)
    assert await drain_onboardings(house.engine, begin, limit=9) == 0, "its own request may do it"
    assert await drain_onboardings(house.engine, begin, limit=9, older_than=now) == 1
    assert await drain_onboardings(house.engine, begin, limit=9, older_than=now) == 0
    process = workflow_id(TENANT, onboarding_id(TENANT, key))
    assert (await house.client.get_workflow_handle(process).describe()).id == process


@pytest.mark.usefixtures("impatient")
async def test_without_a_worker_a_signup_is_kept_and_started(
    gateway: Gateway, house: House, key: str
) -> None:
    answer = await gateway.service.sign_up(key)
    assert answer.status_code == 202
    async with house.working(max_cached_workflows=10):
        process = house.client.get_workflow_handle(answer.json()["workflow_id"])
        async with asyncio.timeout(SOON):
            while (await process.query("progress"))["stage"] != "verifying_email":
                await asyncio.sleep(0.05)


async def test_an_attempt_that_died_gives_way_when_its_lease_is_over(
    gateway: Gateway, house: House, key: str
) -> None:
    async with house.working(max_cached_workflows=10):
        first = await gateway.service.sign_up(key)
        await house.rows("UPDATE api_requests SET status = NULL, answer = NULL")
        problem(await gateway.service.sign_up(key), 409, "in-progress")
        await house.rows("UPDATE api_requests SET lease_until = clock_timestamp()")
        again = await gateway.service.sign_up(key)
    assert again.status_code == 201
    assert again.json()["id"] == first.json()["id"]
    assert "idempotent-replayed" not in again.headers


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("hangs", [False, True])
async def test_while_the_database_is_down_nothing_is_promised(
    house: House, silence: int, hangs: bool, key: str
) -> None:
    port = silence if hangs else free_port()
    async with gateway_of(house, database_port=port) as gateway:
        for answer in await asyncio.gather(
            gateway.service.sign_up(key), gateway.service.get("/v1/onboardings")
        ):
            problem(answer, 503, "unavailable")
            assert answer.headers["retry-after"]
