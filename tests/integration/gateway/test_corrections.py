"""A correction is taken only where every system ends with the same; else it says what to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.house import House
from tests.integration.gateway.conftest import (
    Gateway,
    problem,
    prove_identity,
    stage_is,
    until,
)
from tests.integration.gateway.test_attention import TAX_STEP, parked, resolution, waiting
from tests.integration.gateway.test_lists import store
from workflows.progress import StepProgress

ADDRESS = {"email": "new@example.com"}
TAX_ID = {"tax_id": {"type": "eu_vat", "value": "DE123456789"}}
USER = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}


async def correct(gateway: Gateway, id_: str, changes: dict[str, Any]) -> httpx.Response:
    path = f"/v1/onboardings/{id_}/corrections"
    return await gateway.operator.send("POST", path, json=changes, headers={"If-Match": "*"})


async def versions(house: House) -> list[int]:
    return [row["version"] for row in await house.rows("SELECT version FROM applications")]


async def all_done_but(gateway: Gateway, id_: str, step: str) -> None:
    """Wait until one step waits for somebody, and nothing else goes on."""

    async def steps() -> list[StepProgress]:
        progress = (await gateway.operator.get(f"/v1/onboardings/{id_}")).json()["progress"] or {}
        return [StepProgress.model_validate(one) for one in progress.get("steps", ())]

    await until(
        steps,
        lambda found: (
            [one.step for one in found if one.state == "parked"] == [step]
            and all(one.state in ("parked", "succeeded") for one in found)
        ),
    )


async def test_while_it_can_be_changed_nothing_is_corrected(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = str((await gateway.service.sign_up()).json()["id"])
        await stage_is(gateway, id_, "verifying_email")
        told = problem(await correct(gateway, id_, ADDRESS), 409, "not-correctable")
        assert "change the application instead" in told["detail"]
    assert await versions(house) == [1]


async def test_while_no_step_was_refused_nothing_is_stored(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        await house.outside.directory.outage()
        id_ = str((await gateway.service.sign_up()).json()["id"])
        await prove_identity(gateway, id_)
        await stage_is(gateway, id_, "provisioning")
        told = problem(await correct(gateway, id_, ADDRESS), 409, "not-correctable")
        assert "sign up anew" in told["detail"]
        problem(await correct(gateway, id_, TAX_ID), 409, "not-correctable")
        await house.outside.directory.clear_faults()
        await stage_is(gateway, id_, "active")
    assert await versions(house) == [1]


async def test_an_address_that_two_systems_have_is_not_corrected_for_the_third(
    gateway: Gateway, house: House
) -> None:
    email = "taken@example.com"
    body = {**USER, "userName": email}
    assert (await house.outside.directory.request("POST", "/v2/Users", json=body)).is_success
    async with house.working(max_cached_workflows=10):
        id_ = str((await gateway.service.sign_up(email=email)).json()["id"])
        await prove_identity(gateway, id_)
        await until(lambda: waiting(gateway, step="directory.create_user"), bool)
        await all_done_but(gateway, id_, "directory.create_user")
        told = problem(await correct(gateway, id_, ADDRESS), 409, "given-already")
        assert "email went to billing and the CRM already" in told["detail"]
        assert "abort: everything is undone" in told["detail"]
        told = problem(await correct(gateway, id_, ADDRESS | TAX_ID), 409, "given-already")
        assert "email, tax_id went to" in told["detail"]
        told = problem(await correct(gateway, id_, TAX_ID), 409, "given-already")
        assert "tax_id went to billing already" in told["detail"]
    assert await versions(house) == [1]


async def test_while_it_is_being_undone_nothing_is_stored(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await parked(gateway)
        await house.outside.directory.outage()
        abort = resolution(id_, "abort", step=TAX_STEP)
        assert (await gateway.operator.post("/v1/attention/resolve", abort)).status_code == 202
        problem(await correct(gateway, id_, TAX_ID), 409, "not-correctable")
        await house.outside.directory.clear_faults()
        await stage_is(gateway, id_, "aborted")
    assert await versions(house) == [1]


async def test_while_the_process_does_not_answer_nothing_is_stored(
    gateway: Gateway, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.versions.PATIENCE", timedelta(seconds=1))
    async with house.working(max_cached_workflows=10):
        id_ = await parked(gateway)
    answer = await correct(gateway, id_, TAX_ID)  # there is no worker now
    told = problem(answer, 503, "unavailable")
    assert "process" in told["detail"]
    assert answer.headers["retry-after"]
    never_began = await store(house, 2, "acme", "received")
    problem(await correct(gateway, never_began, TAX_ID), 503, "unavailable")
    assert await versions(house) == [1, 1]
