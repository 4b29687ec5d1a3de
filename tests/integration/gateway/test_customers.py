"""Customers are watched over by the real worker, in front of the real systems."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from typer.testing import CliRunner

from database.connection import transaction
from database.screening import FoundHit, keep
from tests.documents import PDF
from tests.house import API_KEYS, TENANT, House
from tests.integration.gateway.conftest import Gateway, problem, prove_identity, stage_is, until
from tests.integration.test_upkeep import closed, do
from workers.cli import app
from workflows.onboarding.life import customer_workflow_id

CONTACTS = "/crm/v3/objects/contacts"


async def customer(gateway: Gateway) -> str:
    """Somebody who has just become one, and whom somebody watches over."""
    id_ = str((await gateway.service.sign_up()).json()["id"])
    await prove_identity(gateway, id_)
    await stage_is(gateway, id_, "active")
    await until(lambda: gateway.operator.get(f"/v1/customers/{id_}"), lambda it: it.is_success)
    return id_


async def made(house: House, id_: str, step: str, name: str) -> str:
    """What the latest request of a step made."""
    sql = """SELECT result FROM requests
             WHERE step = :step AND workflow_id LIKE '%/' || :id AND result IS NOT NULL
             ORDER BY created_at DESC LIMIT 1"""
    return str((await house.rows(sql, step=step, id=id_))[0]["result"][name])


async def audited(house: House, id_: str) -> list[dict[str, Any]]:
    sql = "SELECT event, details FROM audit WHERE workflow_id = :id ORDER BY id"
    return await house.rows(sql, id=customer_workflow_id(TENANT, id_))


async def members(house: House) -> list[str]:
    answer = await house.outside.directory.request("GET", "/v2/Groups")
    return [one["value"] for group in answer.json()["Resources"] for one in group["members"]]


async def compare_now(gateway: Gateway, id_: str) -> None:
    answer = await gateway.operator.post(f"/v1/customers/{id_}/compare", {"reason": "a restore"})
    assert answer.status_code == 202, answer.text


async def test_whoever_is_deleted_in_the_directory_is_there_again_and_audited(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await customer(gateway)
        before = await made(house, id_, "directory.create_user", "user_id")
        gone = await house.outside.directory.request("DELETE", f"/v2/Users/{before}")
        assert gone.status_code == 204
        await compare_now(gateway, id_)
        lines = await until(
            lambda: audited(house, id_), lambda all_: all_[-1]["event"] == "customer.difference"
        )
        assert lines[-1]["details"] == {
            "thing": "user",
            "how": "missing",
            "fields": [],
            "outcome": "repaired",
        }
        after = await made(house, id_, "directory.create_user", "user_id")
        found = await house.outside.directory.request("GET", f"/v2/Users/{after}")
        assert found.status_code == 200
        assert after != before
        assert await members(house) == [after]


async def test_what_differs_outside_is_on_the_attention_list_without_its_values(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await customer(gateway)
        contact = await made(house, id_, "crm.create_contact", "contact_id")
        archived = await house.outside.crm.request("DELETE", f"{CONTACTS}/{contact}")
        assert archived.status_code == 204
        user = await made(house, id_, "directory.create_user", "user_id")
        operation = {"op": "replace", "path": "displayName", "value": "Canary Q. Customer"}
        changed = await house.outside.directory.request(
            "PATCH",
            f"/v2/Users/{user}",
            json={
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [operation],
            },
        )
        assert changed.is_success, changed.text
        await compare_now(gateway, id_)
        process = customer_workflow_id(TENANT, id_)

        async def waiting() -> list[dict[str, Any]]:
            answer = await gateway.operator.get("/v1/attention")
            return [one for one in answer.json()["items"] if one["workflow_id"] == process]

        [item] = await until(waiting, bool)
        assert item["why"]["type"] == "customer.mend"
        assert "name" in item["why"]["text"]
        assert item["choices"] == ["retry", "skip"]
        resolution = {
            "workflow_id": process,
            "step": item["step"],
            "action": "skip",
            "reason": "they married",
        }
        answer = await gateway.operator.post("/v1/attention/resolve", resolution)
        assert answer.status_code == 202, answer.text

        async def outcomes() -> dict[str, str]:
            lines = [one["details"] for one in await audited(house, id_)]
            return {one["thing"]: one["outcome"] for one in lines if "thing" in one}

        assert await until(outcomes, lambda them: len(them) == 2) == {
            "contact": "repaired",
            "user": "left",
        }
        handle = house.client.get_workflow_handle(process)
        history = b"".join(one.SerializeToString() for one in (await handle.fetch_history()).events)
    for secret in (b"Canary", b"example.com", b"DE123456789"):
        assert secret not in history


async def test_whoever_is_offboarded_has_no_access_and_what_must_be_kept_is_there(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await customer(gateway)
        user = await made(house, id_, "directory.create_user", "user_id")
        contact = await made(house, id_, "crm.create_contact", "contact_id")
        in_billing = await made(house, id_, "billing.create_customer", "customer_id")
        await house.outside.directory.fault("error_503", times=None)
        path = f"/v1/customers/{id_}/offboard"
        answer = await gateway.service.post(path, {"reason": "account closed"})
        assert answer.status_code == 202, answer.text
        assert answer.json()["stopping"] == "to be offboarded"

        async def shown() -> dict[str, Any]:
            found: dict[str, Any] = (await gateway.operator.get(f"/v1/customers/{id_}")).json()
            return found

        parked = await until(shown, lambda it: (it["progress"] or {}).get("attention"), 25)
        step = parked["progress"]["attention"][0]["step"]
        assert step in ("directory.leave_group", "directory.delete_user")
        await house.outside.directory.clear_faults()
        retry = {
            "workflow_id": parked["workflow_id"],
            "step": step,
            "action": "retry",
            "reason": "it is up again",
        }
        assert (await gateway.operator.post("/v1/attention/resolve", retry)).status_code == 202
        left = await until(shown, lambda it: it["stage"] == "offboarded")
        again = await gateway.service.post(path, {"reason": "account closed"})
        assert again.json() == {"id": id_, "stage": "offboarded", "stopping": None}
        late = await gateway.operator.post(f"/v1/customers/{id_}/compare", {"reason": "late"})
        problem(late, 409, "too-late")
    assert left["keep_until"] > left["left_at"]
    assert left["progress"] is None
    gone = await house.outside.directory.request("GET", f"/v2/Users/{user}")
    assert gone.status_code == 404
    archived = await house.outside.crm.request("GET", f"{CONTACTS}/{contact}")
    assert archived.status_code == 404
    outside = house.outside
    kept = await outside._http.get(
        f"{outside.stripe_url}/v1/customers/{in_billing}", auth=(outside.api_key, "")
    )
    assert kept.json()["metadata"]["state"] == "closed"
    decided = await house.rows("SELECT * FROM decisions WHERE kind = 'offboard'")
    assert [one["reason"] for one in decided] == ["account closed"]
    assert await house.rows("SELECT 1 FROM applications WHERE id = :id", id=id_)


async def test_a_life_that_was_ended_from_outside_goes_on_from_where_it_was(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await customer(gateway)
        process = customer_workflow_id(TENANT, id_)
        await house.client.get_workflow_handle(process).terminate("by mistake")
        await closed(house, process, "Terminated")
        await do(house, "find_lost_runs")
        listed = (await gateway.operator.get("/v1/attention")).json()["items"]
        [item] = [one for one in listed if one["workflow_id"] == process]
        assert (item["kind"], item["choices"]) == ("lost", ["retry"])
        decision = {"workflow_id": process, "action": "abort", "reason": "x"}
        refused = await gateway.operator.post("/v1/attention/resolve", decision)
        problem(refused, 409, "not-a-choice")
        back = await gateway.operator.post("/v1/attention/resolve", decision | {"action": "retry"})
        assert back.status_code == 202, back.text
        await compare_now(gateway, id_)
        path = f"/v1/customers/{id_}/offboard"
        assert (await gateway.operator.post(path, {"reason": "closed"})).is_success


async def test_whose_life_temporal_lost_is_not_said_to_have_left(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await customer(gateway)
    await house.rows("UPDATE customers SET workflow_id = workflow_id || 'lost'")
    for act in ("offboard", "compare"):
        asked = await gateway.operator.post(f"/v1/customers/{id_}/{act}", {"reason": "closed"})
        problem(asked, 409, "ended-from-outside")
    await house.rows("UPDATE customers SET stage = 'offboarded', left_at = now()")
    path = f"/v1/customers/{id_}/offboard"
    assert (await gateway.operator.post(path, {"reason": "closed"})).is_success


async def test_a_hit_that_is_confirmed_of_a_customer_is_reviewed_and_they_leave(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await customer(gateway)
        async with transaction(house.engine) as connection:
            await keep(
                connection,
                [FoundHit("applicant", "hash", "list", "inv-001", "v1", 95, {"topics": []})],
                request_key="x",
                application_id=id_,
                version=1,
                list_version="1",
                holds_for=timedelta(days=1),
            )
        path = f"/v1/onboardings/{id_}/screening"
        (hit,) = await house.rows("SELECT id FROM screening_hits")
        found = {"verdict": "confirmed", "reason": "the register names the same address"}
        judged = await gateway.reviewer.send(
            "POST", f"{path}/hits/{hit['id']}/judgement", json=found, headers={"If-Match": "*"}
        )
        assert judged.status_code == 200, judged.text

        async def queue() -> list[dict[str, Any]]:
            found: dict[str, Any] = (await gateway.reviewer.get("/v1/reviews")).json()
            return list(found["items"])

        (review,) = await until(queue, bool)
        assert review["workflow_id"] == customer_workflow_id(TENANT, id_)
        assert review["reasons"] == ["screening/confirmed"]
        path = f"/v1/reviews/{review['id']}"
        agreed = {"json": {"reason": "fine"}, "headers": {"If-Match": '"1"'}}
        no = await gateway.reviewer.send("POST", f"{path}/approve", **agreed)
        problem(no, 409, "hit-confirmed")
        said = {"codes": ["not_accepted"], "reason": "they are on the list"}
        no = await gateway.reviewer.send(
            "POST", f"{path}/reject", json=said, headers={"If-Match": '"1"'}
        )
        assert no.status_code == 202, no.text
        left = await until(
            lambda: gateway.operator.get(f"/v1/customers/{id_}"),
            lambda it: it.json()["stage"] == "offboarded",
        )
    assert left.json()["left_at"]
    (closed,) = await house.rows("SELECT state FROM reviews")
    assert closed["state"] == "rejected"


async def test_a_document_that_expires_is_renewed_by_the_customer(
    gateway: Gateway, house: House
) -> None:
    tomorrow, later = (datetime.now(UTC).date() + timedelta(days=days) for days in (1, 3650))
    async with house.working(max_cached_workflows=10):
        id_ = await customer(gateway)
        await house.rows(
            """INSERT INTO documents (id, onboarding_id, kind, round, sha256, size, media_type,
                                      state, uploaded_by, valid_until)
               VALUES (:document, :id, 'identity_document', 1, 'x', 1, 'image/png', 'accepted',
                       'test', :day)""",
            document="0" * 32,
            id=id_,
            day=tomorrow,
        )
        path = f"/v1/onboardings/{id_}/documents"
        asked_for = {"kind": "identity_document"}
        file: dict[str, Any] = {"content": PDF, "headers": {"Content-Type": "application/pdf"}}
        problem(
            await gateway.service.send("POST", path, params=asked_for, **file),
            409,
            "not-asked-for",
        )
        await compare_now(gateway, id_)

        async def missing() -> list[str]:
            return list((await gateway.service.get(path)).json()["missing"])

        assert await until(missing, bool) == ["identity_document"]
        told = (await gateway.service.get(f"/v1/customers/{id_}")).json()["application"]
        letters = await until(
            lambda: house.outside.messages(to=told["email"]), lambda them: "expire" in str(them)
        )
        assert "passport" in str(letters)
        for day in (None, datetime.now(UTC).date()):
            params = asked_for | ({"valid_until": str(day)} if day else {})
            answer = await gateway.service.send("POST", path, params=params, **file)
            assert problem(answer, 422, "invalid")["errors"][0]["field"] == "valid_until"
        params = asked_for | {"valid_until": str(later)}
        sent = await gateway.service.send("POST", path, params=params, **file)
        assert sent.status_code == 201, sent.text
        assert sent.json()["valid_until"] == str(later)
        new = f"{path}/{sent.json()['id']}"
        await until(lambda: gateway.service.get(new), lambda it: it.json()["state"] == "stored")
        said = {"valid_until": str(later - timedelta(days=1))}

        async def accepted() -> int:
            return (await gateway.reviewer.post(f"{new}/acceptance", said)).status_code

        await until(accepted, lambda status: status == 202)
        shown = await until(
            lambda: gateway.service.get(new), lambda it: it.json()["state"] == "accepted"
        )
        assert shown.json()["valid_until"] == said["valid_until"], "as the reviewer read it"

        async def asked() -> list[dict[str, Any]]:
            return await house.rows("SELECT kind FROM document_requests")

        await until(asked, lambda rows: not rows)
    (decision,) = await house.rows("SELECT * FROM decisions WHERE kind = 'judge_document'")
    assert decision["workflow_id"] == customer_workflow_id(TENANT, id_)


async def test_customers_are_listed_by_what_one_asks_for(gateway: Gateway, house: House) -> None:
    for number, (tenant, risk) in enumerate(
        [("acme", "high"), ("acme", "low"), ("other", "high"), ("acme", "high")]
    ):
        await house.rows(
            """INSERT INTO customers (id, tenant, workflow_id, stage, since, risk, proved_at,
                                      reverify_at)
               VALUES (:id, :tenant, :id, 'active', timestamptz '2026-01-31T00:00:00Z' + :after,
                       :risk, now(), now() + :after)""",
            id="abcd"[number] * 26,
            tenant=tenant,
            risk=risk,
            after=timedelta(days=number),
        )
    answer = (await gateway.service.get("/v1/customers", risk="high", limit=1)).json()
    assert [one["id"] for one in answer["items"]] == ["d" * 26]
    after = (await gateway.service.get("/v1/customers", risk="high", cursor=answer["next"])).json()
    assert [one["id"] for one in after["items"]] == ["a" * 26]
    assert after["next"] is None
    everything = (await gateway.operator.get("/v1/customers")).json()
    assert [one["id"][0] for one in everything["items"]] == ["d", "c", "b", "a"]
    problem(await gateway.service.get("/v1/customers", tenant="other"), 403, "other-tenant")
    problem(await gateway.service.get(f"/v1/customers/{'c' * 26}"), 404, "not-found")
    offboard = f"/v1/customers/{'c' * 26}/offboard"
    problem(await gateway.service.post(offboard, {"reason": "x"}), 404, "not-found")
    compare = f"/v1/customers/{'a' * 26}/compare"
    problem(await gateway.service.post(compare, {"reason": "x"}), 403, "role-missing")


async def test_the_command_line_says_what_the_gateway_says(
    reached: Gateway, house: House, served: str, monkeypatch: Any
) -> None:
    monkeypatch.setenv("PERDURE_GATEWAY_URL", served)
    monkeypatch.setenv("PERDURE_API_KEY_OPERATOR", API_KEYS["operator"])
    monkeypatch.setenv("PERDURE_HOME", str(house.settings.home))

    async def perdure(*arguments: str) -> str:
        done = await asyncio.to_thread(CliRunner().invoke, app, ["customer", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    async with house.working(max_cached_workflows=10):
        id_ = await customer(reached)
        assert id_ in await perdure("list", "--stage", "active")
        listed = json.loads(await perdure("list", "--json"))
        assert [one["id"] for one in listed["items"]] == [id_]
        assert "prove again" in await perdure("show", id_)
        assert json.loads(await perdure("show", id_, "--json"))["risk"] == "low"
        await perdure("compare-now", id_, "--reason", "a restore")
        told = json.loads(await perdure("offboard", id_, "--reason", "closed", "--json"))
        assert told["id"] == id_
        assert (
            await until(
                lambda: reached.operator.get(f"/v1/customers/{id_}"),
                lambda it: it.json()["stage"] == "offboarded",
            )
        ).is_success
