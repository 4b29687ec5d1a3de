"""What waits for somebody is on one list, and is decided about in one place."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

import pytest

from database import lost_runs
from database.connection import transaction
from tests.house import TENANT, House
from tests.integration.gateway.conftest import (
    Gateway,
    gateway_of,
    problem,
    prove_identity,
    stage_is,
    until,
)
from workers.ports import free_port
from workflows.onboarding.messages import workflow_id

TAX_STEP = "billing.create_tax_id"


async def parked(gateway: Gateway) -> str:
    """An onboarding whose tax id Stripe refuses."""
    bad = {"type": "eu_vat", "value": f"XX{secrets.token_hex(4)}"}
    id_ = str((await gateway.service.sign_up(tax_id=bad)).json()["id"])
    await prove_identity(gateway, id_)
    await until(lambda: waiting(gateway, step=TAX_STEP), lambda items: id_ in str(items))
    return id_


async def waiting(gateway: Gateway, **params: Any) -> list[dict[str, Any]]:
    answer = await gateway.operator.get("/v1/attention", **params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def resolution(id_: str, action: str, **more: Any) -> dict[str, Any]:
    decided = {"workflow_id": workflow_id(TENANT, id_), "action": action, "reason": "looked"}
    return decided | more


async def test_a_refused_step_is_listed_corrected_and_goes_on(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await parked(gateway)
        (item,) = await waiting(gateway)
        assert item["kind"] == "parked"
        assert item["workflow_id"] == workflow_id(TENANT, id_)
        assert (item["tenant"], item["stage"]) == (TENANT, "provisioning")
        assert (item["step"], item["owner"]) == (TAX_STEP, "operator")
        assert item["why"]["kind"] == "refused"
        assert item["choices"] == ["retry", "abort"]
        assert item["since"]
        shown = (await gateway.service.get(f"/v1/onboardings/{id_}")).json()
        assert shown["progress"]["attention"][0]["step"] == TAX_STEP

        path = f"/v1/onboardings/{id_}/corrections"
        right = {"tax_id": {"type": "eu_vat", "value": "DE123456789"}}
        seen = {"If-Match": '"1"'}
        corrected = await gateway.operator.send("POST", path, json=right, headers=seen)
        assert corrected.status_code == 201, corrected.text
        assert corrected.json() == {"id": id_, "version": 2, "refused": [TAX_STEP]}
        decided = resolution(id_, "retry", step=TAX_STEP, version=2)
        answer = await gateway.operator.post("/v1/attention/resolve", decided)
        assert answer.status_code == 202, answer.text
        shown = await stage_is(gateway, id_, "active")
        assert shown["version"] == 2
        assert shown["application"]["tax_id"] == right["tax_id"]
        assert shown["application"]["name"], "what was not corrected stays"
        assert await until(lambda: waiting(gateway), lambda items: not items) == []
        late = await gateway.operator.send("POST", path, json=right, headers={"If-Match": "*"})
        told = problem(late, 409, "too-late")
        assert "active" in told["detail"]
        again = await gateway.operator.post("/v1/attention/resolve", decided)
        problem(again, 409, "not-parked")
    (decision,) = await house.rows("SELECT * FROM decisions WHERE kind = 'resolve'")
    assert decision["actor"] == "test-operator"


async def test_only_a_version_that_was_made_for_this_parking_is_retried_with(
    gateway: Gateway, house: House
) -> None:
    nobody = resolution("a" * 26, "retry", step=TAX_STEP, version=2)
    problem(await gateway.operator.post("/v1/attention/resolve", nobody), 404, "not-found")
    async with house.working(max_cached_workflows=10):
        id_ = await parked(gateway)
        # A change that the process never heard of, say: it is there, and made for nothing.
        await house.rows(
            "INSERT INTO applications (id, version, tenant, form, created_by)"
            " SELECT id, 2, tenant, form, 'support' FROM applications WHERE id = :id",
            id=id_,
        )
        for version in (2, 7):
            wrong = resolution(id_, "retry", step=TAX_STEP, version=version)
            answer = await gateway.operator.post("/v1/attention/resolve", wrong)
            told = problem(answer, 409, "other-version")
            assert "/corrections" in told["detail"], "the way out"
        await house.rows("DELETE FROM applications WHERE version = 2")
        bad = {"tax_id": {"type": "eu_vat", "value": "XX1"}}
        right = {"tax_id": {"type": "eu_vat", "value": "DE123456789"}}
        path = f"/v1/onboardings/{id_}/corrections"
        for version, tax_id in ((1, bad), (2, right)):
            seen = {"If-Match": f'"{version}"'}
            await gateway.operator.send("POST", path, json=tax_id, headers=seen)
        current = resolution(id_, "retry", step=TAX_STEP, version=1)
        (before,) = await waiting(gateway)
        assert (await gateway.operator.post("/v1/attention/resolve", current)).status_code == 202
        await until(
            lambda: waiting(gateway),
            lambda items: items and items[0]["since"] != before["since"],
        )
        # It has parked anew since: what was made for the parking before answers another question.
        late = resolution(id_, "retry", step=TAX_STEP, version=3)
        problem(await gateway.operator.post("/v1/attention/resolve", late), 409, "other-version")
        await gateway.operator.send("POST", path, json=right, headers={"If-Match": '"3"'})
        decided = resolution(id_, "retry", step=TAX_STEP, version=4)
        answer = await gateway.operator.post("/v1/attention/resolve", decided)
        assert answer.status_code == 202, answer.text
        await stage_is(gateway, id_, "active")
    (welcome,) = await house.rows("SELECT input FROM requests WHERE step = 'notice.welcome'")
    assert welcome["input"]["version"] == 4, "what follows works from the right version"


async def test_decisions_that_do_not_fit_are_refused_with_what_would(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await parked(gateway)

        async def decide(**decided: Any) -> Any:
            return await gateway.operator.post("/v1/attention/resolve", decided)

        no_choice = await decide(**resolution(id_, "skip", step=TAX_STEP))
        assert "retry, abort" in problem(no_choice, 409, "not-a-choice")["detail"]
        other = await decide(**resolution(id_, "retry", step="billing.create_customer"))
        said = problem(other, 409, "not-parked")["detail"]
        assert said.startswith("billing.create_customer "), "its name is as it is"
        problem(await decide(**resolution("a" * 26, "retry", step=TAX_STEP)), 404, "not-found")
        problem(await decide(**resolution(id_, "retry")), 409, "not-failing")
        nonsense = {"workflow_id": "x", "action": "retry", "reason": "r", "step": "x"}
        problem(await decide(**nonsense), 404, "not-found")
        problem(await decide(**resolution(id_, "explode", step=TAX_STEP)), 422, "invalid")
        path = f"/v1/onboardings/{id_}/corrections"
        anything = {"If-Match": "*"}
        for bad in ({}, {"country": "XX"}, {"name": None}, {"nickname": "x"}):
            refused = await gateway.operator.send("POST", path, json=bad, headers=anything)
            problem(refused, 422, "invalid")
        unknown = f"/v1/onboardings/{'a' * 26}/corrections"
        form = {"country": "DE"}
        refused = await gateway.operator.send("POST", unknown, json=form, headers=anything)
        problem(refused, 404, "not-found")
        abort = await decide(**resolution(id_, "abort", step=TAX_STEP))
        assert abort.status_code == 202
        await stage_is(gateway, id_, "aborted")


async def test_the_list_is_filtered_and_paged(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        ids = {workflow_id(TENANT, await parked(gateway)) for _ in range(3)}
        await until(lambda: waiting(gateway), lambda items: len(items) == 3)
        assert len(await waiting(gateway, owner="operator", step=TAX_STEP, tenant=TENANT)) == 3
        assert await waiting(gateway, owner="finance") == []
        assert await waiting(gateway, step="billing.create_customer") == []
        assert await waiting(gateway, tenant="other") == []
        found, cursor = [], None
        while True:
            params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await gateway.operator.get("/v1/attention", **params)).json()
            found += [item["workflow_id"] for item in page["items"]]
            if (cursor := page["next"]) is None:
                break
        assert sorted(found) == sorted(ids)


async def test_without_a_worker_the_list_says_what_temporal_knows(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await parked(gateway)
    (item,) = await waiting(gateway)
    assert item["workflow_id"].endswith(id_)
    assert (item["step"], item["owner"], item["stage"]) == (TAX_STEP, "operator", "provisioning")
    assert item["why"]["kind"] == "not known"


async def test_without_the_database_the_list_says_what_it_lacks(house: House) -> None:
    async with gateway_of(house, database_port=free_port()) as gateway:
        page = (await gateway.operator.get("/v1/attention")).json()
    assert page == {"items": [], "next": None, "incomplete": "our database does not answer"}


async def lose(house: House, id_: str) -> None:
    """End a run from outside; the upkeep puts it on the list."""
    process = house.client.get_workflow_handle(workflow_id(TENANT, id_))
    described = await process.describe()
    await process.terminate("by mistake")
    run = lost_runs.LostRun(
        workflow_id=described.id,
        run_id=described.run_id,
        workflow_type="CustomerOnboarding",
        status="terminated",
        ended_at=datetime.now(UTC),
    )
    async with transaction(house.engine) as connection:
        await lost_runs.keep(connection, run)


async def test_a_run_that_was_terminated_goes_on_from_where_it_was(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = str((await gateway.service.sign_up()).json()["id"])
        await stage_is(gateway, id_, "verifying_email")
        await lose(house, id_)
        (item,) = await waiting(gateway)
        assert (item["kind"], item["step"]) == ("lost", None)
        assert item["why"] == {
            "kind": "ended from outside",
            "type": "terminated",
            "text": item["why"]["text"],
        }
        withdrawn = await gateway.service.post(f"/v1/onboardings/{id_}/withdraw", {"reason": "r"})
        problem(withdrawn, 409, "ended-from-outside")
        decided = resolution(id_, "retry")
        answer = await gateway.operator.post("/v1/attention/resolve", decided)
        assert answer.status_code == 202, answer.text
        assert await waiting(gateway) == []
        again = await gateway.operator.post("/v1/attention/resolve", decided)
        problem(again, 409, "not-failing")
        await prove_identity(gateway, id_)
        await stage_is(gateway, id_, "active")
    made = await house.rows("SELECT * FROM requests WHERE step = 'identity.open_session'")
    assert len(made) == 1
    (line,) = await house.rows("SELECT * FROM audit WHERE event = 'run.resolved'")
    assert (line["actor"], line["details"]["action"]) == ("test-operator", "retry")


async def test_a_run_that_was_terminated_can_be_taken_back_with_what_it_made(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await parked(gateway)
        await lose(house, id_)
        answer = await gateway.operator.post("/v1/attention/resolve", resolution(id_, "abort"))
        assert answer.status_code == 202, answer.text
        await stage_is(gateway, id_, "withdrawn")
    states = await house.rows("SELECT step, state FROM requests WHERE step LIKE 'billing.create%'")
    assert {row["state"] for row in states} == {"undone"}
    assert "billing.create_customer" in {row["step"] for row in states}


@pytest.mark.usefixtures("impatient")
async def test_a_run_that_never_began_starts_anew(gateway: Gateway, house: House) -> None:
    answer = await gateway.service.sign_up()
    id_ = str(answer.json()["id"])
    await lose(house, id_)
    answer = await gateway.operator.post("/v1/attention/resolve", resolution(id_, "retry"))
    assert answer.status_code == 202, answer.text
    async with house.working(max_cached_workflows=10):
        await stage_is(gateway, id_, "verifying_email")
