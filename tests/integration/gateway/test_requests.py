"""Operators see what was done once, and admins have it done again on purpose."""

from __future__ import annotations

from typing import Any

import httpx

from tests.house import TENANT, House
from tests.integration.gateway.conftest import Gateway, confirm_email, problem, until
from workflows.onboarding.messages import workflow_id


async def test_the_ledger_is_shown_and_reopened_with_an_audit_line(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = (await gateway.service.sign_up()).json()["id"]
        await confirm_email(gateway, id_)
        await _asked_for_proof(gateway, id_)
        process = workflow_id(TENANT, id_)
        listed = (await gateway.operator.get("/v1/requests", workflow_id=process)).json()["items"]
        keys = [one["key"] for one in listed]
        key = f"{process}/identity.open_session"
        assert keys[0] == f"{process}/application.receive"
        assert key in keys
        shown = (await gateway.operator.get("/v1/requests/show", key=key)).json()
        assert shown in listed
        assert (shown["state"], shown["generation"]) == ("succeeded", 1)
        assert shown["result"]["session_id"]
        assert {"token", "fingerprint"}.isdisjoint(shown)
        body = {"key": key, "reason": "the session was lost"}

        async def reopen(seen: str) -> httpx.Response:
            headers = {"If-Match": seen}
            return await gateway.admin.send(
                "POST", "/v1/requests/reopen", json=body, headers=headers
            )

        reopened = await reopen('"1"')
        assert reopened.json() == {"key": key, "generation": 2}
        problem(await reopen('"2"'), 409, "still-pending")
    (line,) = await house.rows("SELECT * FROM audit WHERE event = 'request.reopened'")
    assert line["actor"] == "test-admin"
    assert line["details"]["reason"] == body["reason"]


async def test_unknown_keys_and_processes(gateway: Gateway) -> None:
    problem(await gateway.operator.get("/v1/requests/show", key="x"), 404, "not-found")
    reopen = {"key": "onboarding/acme/x/notice.welcome", "reason": "lost"}
    headers = {"If-Match": "*"}
    unknown = await gateway.admin.send("POST", "/v1/requests/reopen", json=reopen, headers=headers)
    problem(unknown, 404, "not-found")
    problem(await gateway.operator.get("/v1/requests"), 422, "invalid")
    none = await gateway.operator.get("/v1/requests", workflow_id="onboarding/acme/x")
    assert none.json() == {"items": [], "next": None}


async def _asked_for_proof(gateway: Gateway, id_: str) -> None:
    """Wait until all that can be done without the applicant is done."""

    async def look() -> Any:
        return (await gateway.service.get(f"/v1/onboardings/{id_}")).json()["progress"]

    await until(
        look,
        lambda progress: (
            progress and progress["stage"] == "verifying_identity" and progress["waiting"]
        ),
    )
