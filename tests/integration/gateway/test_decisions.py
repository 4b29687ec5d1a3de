"""People decide through the gateway, are answered at once, and are on record for it."""

from __future__ import annotations

import time

import pytest
from temporalio.client import Client

from tests.house import TENANT, House
from tests.integration.gateway.conftest import (
    Gateway,
    gateway_of,
    problem,
    prove_identity,
    stage_is,
    until,
)
from workflows.onboarding.messages import workflow_id

REASON = {"reason": "changed their mind"}


async def signed_up(gateway: Gateway) -> str:
    answer = await gateway.service.sign_up()
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_withdrawal_is_accepted_carried_out_and_on_record(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        path = f"/v1/onboardings/{id_}/withdraw"
        await stage_is(gateway, id_, "verifying_email")
        answer = await gateway.service.post(path, REASON)
        assert answer.status_code == 202
        assert answer.json()["stopping"] == "to be withdrawn"
        assert (await gateway.service.post(path, REASON)).status_code in (200, 202)
        await stage_is(gateway, id_, "withdrawn")
        shown = (await gateway.service.get(f"/v1/onboardings/{id_}")).json()
        assert shown["progress"]["steps"], "what was done is shown after the end, too"

        async def again() -> int:
            return (await gateway.service.post(path, REASON)).status_code

        assert await until(again, lambda status: status == 200)
        ended = await gateway.service.post(path, REASON)
        assert ended.json() == {"id": id_, "stage": "withdrawn", "stopping": None}
    (decision,) = await house.rows("SELECT * FROM decisions WHERE kind = 'withdraw'")
    assert decision["actor"] == "test-service"
    assert decision["reason"] == REASON["reason"]
    assert decision["roles"] == ["service"]


async def test_it_is_too_late_once_the_customer_is_active(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        await prove_identity(gateway, id_)
        await stage_is(gateway, id_, "active")
        await house.client.get_workflow_handle(workflow_id(TENANT, id_)).result()
        answer = await gateway.service.post(f"/v1/onboardings/{id_}/withdraw", REASON)
        told = problem(answer, 409, "too-late")
        assert "active" in told["detail"]


async def test_a_key_for_all_tenants_says_whose(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        path = f"/v1/onboardings/{id_}/withdraw"
        problem(await gateway.operator.post(path, REASON), 422, "tenant-missing")
        answer = await gateway.operator.post(path, REASON, tenant=TENANT)
        assert answer.status_code == 202


async def test_what_temporal_has_not_taken_yet_can_be_withdrawn(
    house: House, nowhere: Client, gateway: Gateway
) -> None:
    async with gateway_of(house, client=nowhere) as cut_off:
        answer = await cut_off.service.sign_up()
        assert answer.status_code == 202
        id_ = answer.json()["id"]
        path = f"/v1/onboardings/{id_}/withdraw"
        problem(await cut_off.service.post(path, REASON), 503, "unavailable")
    async with house.working(max_cached_workflows=10):
        assert (await gateway.service.post(path, REASON)).status_code == 202
        await stage_is(gateway, id_, "withdrawn")


async def test_what_temporal_has_forgotten_is_told_from_our_database(
    gateway: Gateway, house: House
) -> None:
    id_ = await house.apply()
    path = f"/v1/onboardings/{id_}/withdraw"
    ended = "UPDATE onboardings SET stage = :stage, ended_at = now(), handed_over_at = now()"
    await house.rows(ended, stage="withdrawn")
    assert (await gateway.service.post(path, REASON)).status_code == 200
    await house.rows(ended, stage="active")
    problem(await gateway.service.post(path, REASON), 409, "too-late")


@pytest.mark.parametrize("reason", ["", "ask ada@example.com", "r" * 501, None])
async def test_a_reason_is_given_and_names_nobody(gateway: Gateway, reason: str | None) -> None:
    body = {} if reason is None else {"reason": reason}
    answer = await gateway.service.post(f"/v1/onboardings/{'a' * 26}/withdraw", body)
    assert problem(answer, 422, "invalid")["errors"][0]["field"] == "reason"


async def test_a_person_is_answered_at_once_while_our_database_hangs(
    gateway: Gateway, house: House, silence: int
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        await stage_is(gateway, id_, "verifying_email")
        async with gateway_of(house, database_port=silence) as hanging:
            took = []
            for _ in range(3):
                begun = time.monotonic()
                answer = await hanging.service.post(f"/v1/onboardings/{id_}/withdraw", REASON)
                took.append(time.monotonic() - begun)
                assert answer.is_success, answer.text
            assert min(took) < 1
        await stage_is(gateway, id_, "withdrawn")


async def test_workers_refuse_a_gateway_that_they_do_not_know(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        await stage_is(gateway, id_, "verifying_email")
        stranger = house.settings.model_copy(update={"actor_signing_key": _another_key()})
        house.settings, ours = stranger, house.settings
        async with gateway_of(house) as other:
            answer = await other.service.post(f"/v1/onboardings/{id_}/withdraw", REASON)
        house.settings = ours
        problem(answer, 500, "actor-refused")
        process = house.client.get_workflow_handle(workflow_id(TENANT, id_))
        assert (await process.query("progress"))["stopping"] is None


def _another_key() -> object:
    import base64
    import secrets

    from pydantic import SecretStr

    return SecretStr(base64.b64encode(secrets.token_bytes(32)).decode())
