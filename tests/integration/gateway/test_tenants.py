"""Nothing of one tenant is there for a key of another: not to be read, not to be changed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.roles import MAY
from tests.house import TENANT, House
from tests.integration.gateway.conftest import Door, Gateway, gateway_of, give_key, problem
from tests.integration.gateway.test_openings import OPENING
from tests.integration.gateway.test_payments import tell
from tests.integration.gateway.test_reconciliations import ACCOUNT, shop_of, working
from tests.integration.gateway.test_statements import intake_of

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
STATEMENTS = "/v1/statements"
WHY = {"reason": "the bank sent a corrected one"}


@dataclass
class World:
    """A tenant with one thing of each kind, its own key, and one of another tenant."""

    house: House
    mine: Door
    somebody_else: Door
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
    for name in ("mine", "mine, too"):
        give_key(house, name, kind="person", tenant=TENANT)
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
    too = Door(gateway.http, "mine, too")
    return World(house, mine, too, theirs, shop.name, ids, await bodies(gateway, shop.name))


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


async def test_a_bank_account_that_another_tenant_has_is_theirs_however_it_is_written(
    world: World,
) -> None:
    [bank] = ACCOUNT["bank_accounts"]
    form = ACCOUNT | {"name": "of-globex", "bank_accounts": [bank | {"identification": "d e02"}]}
    problem(await world.theirs.post("/v1/accounts", form), 409, "bank-account-taken")


async def test_the_account_at_the_processor_is_of_one_account_whatever_the_tenant(
    world: World,
) -> None:
    form = ACCOUNT | {"bank_accounts": []}
    made = await world.mine.post("/v1/accounts", form | {"name": "mine", "processor": "listing"})
    assert made.status_code == 201, made.text
    before = await world.kept()
    for door in (world.mine, world.theirs):
        for processor in ("listing", "reports"):
            told = form | {"name": "another", "processor": processor}
            taken = await door.post("/v1/accounts", told)
            assert "of its own" in problem(taken, 409, "processor-taken")["detail"]
            assert TENANT not in taken.text
    assert await world.kept() == before


async def test_a_bank_account_that_another_account_of_the_tenant_has_is_taken_too(
    world: World,
) -> None:
    taken = await world.mine.post("/v1/accounts", ACCOUNT | {"name": "another"})
    problem(taken, 409, "bank-account-taken")


async def taken_in(
    world: World, tmp_path: Path, *bank_accounts: str, tenant: str | None = None
) -> str:
    """A file with a statement of each of these bank accounts, which was read; its id."""
    rows = "".join(f"{one};2026-03-02;10,50;EUR;;\n" for one in bank_accounts)
    file = tmp_path / f"{'-'.join(bank_accounts)}-{tenant}"
    file.write_text("IBAN;Buchungstag;Betrag;CCY;Ref;Verwendungszweck\n" + rows)
    intake = intake_of(world.house, tmp_path)
    id_ = await intake.receive(file, by=tenant or "folder", tenant=tenant)
    await intake.read_waiting()
    return id_


async def seen(door: Door) -> list[tuple[str, str]]:
    """The bank accounts and states of the statements that are there for a key."""
    files = (await door.get(STATEMENTS)).json()["items"]
    return sorted((one["bank_account"], one["state"]) for of in files for one in of["statements"])


async def test_whose_bank_account_it_is_decides_who_sees_and_withdraws_a_statement(
    world: World, tmp_path: Path
) -> None:
    of_both = await taken_in(world, tmp_path, "DE02", "DE77")
    path = f"{STATEMENTS}/{of_both}"
    assert await seen(world.mine) == [("DE02", "counts")]
    assert (await seen(world.theirs), (await world.theirs.get(path)).status_code) == ([], 404)

    await has_bank_account(world, "DE77")
    assert await seen(world.theirs) == [("DE77", "unknown_account")]
    waiting = await world.theirs.get(STATEMENTS, state="counts")
    assert waiting.json()["items"] == [], "that one is not theirs"
    [theirs] = (await world.theirs.get(path)).json()["statements"]
    of_another = WHY | {"statement": theirs["number"]}
    for what in ("withdraw", "reinstate"):
        problem(await world.mine.post(f"{path}/{what}", of_another), 422, "invalid")
        [mine] = (await world.mine.post(f"{path}/{what}", WHY)).json()["statements"]
        assert mine["bank_account"] == "DE02", "of what is there for the key it is the only one"
        assert (mine["state"] == "withdrawn") == (what == "withdraw")
        assert (await world.theirs.get(path)).json()["statements"] == [theirs]
        world.mine = world.somebody_else


async def test_a_statement_of_a_bank_account_that_nobody_has_is_its_senders_alone(
    world: World, tmp_path: Path
) -> None:
    sent = await taken_in(world, tmp_path, "DE77", tenant=TENANT)
    of_nobody = await taken_in(world, tmp_path, "DE77")
    assert await seen(world.mine) == [("DE77", "unknown_account")]
    assert await seen(world.theirs) == []

    await has_bank_account(world, "DE77")
    assert await seen(world.mine) == []
    assert await seen(world.theirs) == [("DE77", "unknown_account")] * 2
    told = {
        id_: (await world.theirs.get(f"{STATEMENTS}/{id_}")).json() for id_ in (sent, of_nobody)
    }
    assert told[sent]["received_by"] is None, "who works for another tenant is not told"
    assert told[of_nobody]["received_by"] == "folder"
    assert (await world.mine.get(f"{STATEMENTS}/{sent}")).json()["statements"] == []
    problem(await world.mine.get(f"{STATEMENTS}/{of_nobody}"), 404, "not-found")


async def has_bank_account(world: World, identification: str) -> None:
    """Have the other tenant make an account that is paid out to a bank account."""
    [bank] = ACCOUNT["bank_accounts"]
    form = ACCOUNT | {
        "name": f"{world.account}-theirs",
        "bank_accounts": [bank | {"identification": identification}],
    }
    made = await world.theirs.post("/v1/accounts", form)
    assert made.status_code == 201, made.text
