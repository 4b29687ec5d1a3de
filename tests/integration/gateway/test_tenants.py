"""Nothing of one tenant is there for a key of another: not to be read, not to be changed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from gateway.roles import MAY
from tests.house import TENANT, House
from tests.integration.gateway.conftest import Door, Gateway, gateway_of, give_key, problem
from tests.integration.gateway.test_openings import OPENING
from tests.integration.gateway.test_payments import tell
from tests.integration.gateway.test_reconciliations import ACCOUNT, shop_of, working

KEPT = (
    *("reconciliation_accounts", "reconciliation_bank_accounts", "openings", "opening_decisions"),
    *("payments", "journal_entries", "runs", "matches", "match_items", "breaks", "statements"),
    *("source_files", "applications", "decisions", "documents", "requests"),
)
NAMING_IT = {
    "POST /v1/reconciliations/shadows": "account",
    "POST /v1/payments": "account",
    "POST /v1/reconciliations": "account",
    "POST /v1/reconciliations/range": "account",
    "POST /v1/attention/resolve": "workflow_id",
}
"""What names an account, or its run, in its body, and by which field."""
NOT_MADE = {
    f"GET /v1/{path}"
    for path in (
        *("onboardings/{id}/documents/{document}", "onboardings/{id}/documents/{document}/content"),
        *("identity-sessions/{session}", "reviews/{id}", "reviews/{id}/duplicates"),
        *("customers/{id}", "accounts/{account}/balances"),
        "reconciliations/shadows/{account}/{day}/{name}",
    )
}
"""What the world here has none of; their own tests look at them."""
CSV = {"Content-Type": "text/csv"}


@dataclass
class World:
    """A tenant with one thing of each kind, its own key, and one of another tenant."""

    house: House
    mine: Door
    theirs: Door
    account: str
    ids: dict[str, str]
    bodies: dict[str, Any]

    async def ask(self, door: Door, operation: str, **params: str) -> httpx.Response:
        """Ask for something about the tenant's things; what is sent could be taken."""
        method, path = operation.split(" ")
        for name in sorted(self.ids, key=len, reverse=True):
            if path.startswith(name):
                path = path.replace("{id}", self.ids[name])
            path = path.replace(name, self.ids[name])
        if method == "GET":
            return await door.send(method, path, params=params)
        headers = {"If-Match": "*", "Idempotency-Key": "a key"}
        if path.endswith("/documents"):
            headers["Content-Type"] = "application/pdf"
            params["kind"] = "proof_of_address"
            return await door.send(method, path, headers, content=b"%PDF-1.7", params=params)
        return await door.send(method, path, headers, json=self.bodies[operation], params=params)

    async def kept(self) -> dict[str, Any]:
        return {
            table: await self.house.rows(f"SELECT * FROM {table} one ORDER BY one::text")
            for table in KEPT
        }


@pytest.fixture
async def world(house: House) -> AsyncIterator[World]:
    give_key(house, "mine", kind="person", tenant=TENANT)
    give_key(house, "theirs", kind="person", tenant="globex")
    async with gateway_of(house) as gateway:
        yield await world_of(gateway, Door(gateway.http, "mine"), Door(gateway.http, "theirs"))


async def world_of(gateway: Gateway, mine: Door, theirs: Door) -> World:
    house = gateway.house
    shop = await shop_of(gateway, house)
    paid = await tell(mine, account=shop.name, captured_at="2026-03-02T12:00:00Z")
    sent = await mine.send("POST", "/v1/statements", CSV, content=b"Date")
    async with working(house):
        await shop.begin()
        run = await shop.over()
    found = (await mine.get("/v1/breaks")).json()["items"]
    [match] = (await mine.get("/v1/matches")).json()["items"]
    await house.rows(
        "INSERT INTO openings (account, content, content_hash, proposed_by, reason)"
        " SELECT id, CAST(:content AS jsonb), 'x', 'x', 'x' FROM reconciliation_accounts",
        content=json.dumps({name: OPENING[name] for name in OPENING if name != "reason"}),
    )
    id_ = await house.apply()
    ids = {
        "{account}": shop.name,
        "{day}": "2026-03-02",
        "{month}": "2026-03",
        "{name}": "a",
        "{ordinal}": "1",
        "{payment}": paid.json()["id"],
        "{hit}": "1",
        "{session}": "a" * 26,
        "{document}": "a" * 32,
        "{other}": "b" * 26,
        "/v1/onboardings/{id}": id_,
        "/v1/customers/{id}": id_,
        "/v1/reviews/{id}": f"{id_}-1",
        "/v1/certificates/{id}": run["certificate_id"],
        "/v1/breaks/{id}": str(found[0]["id"]),
        "/v1/matches/{id}": match["id"],
        "/v1/statements/{id}": sent.json()["id"],
    }
    return World(house, mine, theirs, shop.name, ids, await bodies(gateway, shop.name))


async def bodies(gateway: Gateway, account: str) -> dict[str, Any]:
    """What each operation may be sent, by its description; about this account."""
    described = (await gateway.http.get("/openapi.json")).json()
    found = {}
    for operation in MAY:
        method, path = operation.split(" ")
        content = described["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
        if "application/json" in content:
            name = content["application/json"]["schema"].get("$ref", "").rpartition("/")[2]
            examples = described["components"]["schemas"].get(name, {}).get("examples", [{}])
            found[operation] = dict(examples[0])
            if field := NAMING_IT.get(operation):
                run = f"reconciliation/{account}/2026-03-02/1"
                found[operation][field] = account if field == "account" else run
    return found


async def test_what_is_one_tenants_is_not_there_for_another(world: World) -> None:
    before = await world.kept()
    asked = [one for one in MAY if "{" in one] + sorted(NAMING_IT)
    for operation in asked:
        answer = await world.ask(world.theirs, operation)
        if answer.status_code == 403:  # it is an applicant's, of whom a key is none
            problem(answer, 403, "role-missing")
        else:
            assert answer.status_code == 404, (operation, answer.text)
            assert world.account not in answer.text
    assert await world.kept() == before

    there = {one for one in MAY if one.startswith("GET") and "{" in one} - NOT_MADE
    for operation in there:
        answer = await world.ask(world.mine, operation)
        assert answer.status_code == 200, (operation, answer.text)


async def test_lists_have_nothing_of_another_tenant(world: World) -> None:
    lists = [one for one in MAY if one.startswith("GET") and "{" not in one]
    about = {
        "GET /v1/requests": {"workflow_id": f"reconciliation/{world.account}/2026-03-02/1"},
        "GET /v1/requests/show": {"key": f"reconciliation/{world.account}/2026-03-02/1/x"},
    }
    for operation in lists:
        answer = await world.ask(world.theirs, operation, **about.get(operation, {}))
        if operation in about:
            problem(answer, 404, "not-found")
        else:
            assert answer.json()["items"] == [], operation
        if operation not in {*about, "GET /v1/statements"}:
            other = await world.ask(world.theirs, operation, tenant=TENANT)
            problem(other, 403, "other-tenant")
    for kind in ("accounts", "payments", "reconciliations", "breaks", "matches", "statements"):
        assert (await world.mine.get(f"/v1/{kind}")).json()["items"], kind


async def test_a_name_that_another_tenant_has_is_taken_and_no_more_is_said(world: World) -> None:
    before = await world.kept()
    taken = await world.theirs.post("/v1/accounts", ACCOUNT | {"name": world.account})
    problem(taken, 409, "name-taken")
    assert TENANT not in taken.text
    taken = await world.theirs.post("/v1/accounts", ACCOUNT | {"name": "of-globex"})
    problem(taken, 409, "bank-account-taken")
    assert world.account not in taken.text
    assert await world.kept() == before
