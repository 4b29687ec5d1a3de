"""A day is tried out: somebody hears how it would come out, and nothing of it stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from database.connection import transaction
from database.reconciliation import accounts, runs
from tests.house import API_KEYS, House
from tests.integration.gateway.conftest import Gateway, problem, until
from tests.integration.gateway.test_attention import waiting
from tests.integration.gateway.test_reconciliations import DAY, Shop, shop, working
from tests.patience import SOON
from workers.cli import app

__all__ = ["shop"]

PATH = "/v1/reconciliations/shadows"
KEPT = ("runs", "cuts", "matches", "open_items", "breaks", "certificates")


Perdure = Callable[..., Awaitable[str]]


@pytest.fixture
def perdure(served: str, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Perdure:
    """`perdure reconcile shadow` of the day, as somebody of finance runs it."""
    monkeypatch.setenv("PERDURE_GATEWAY_URL", served)
    monkeypatch.setenv("PERDURE_API_KEY_FINANCE_OPERATOR", API_KEYS["finance_operator"])
    monkeypatch.setenv("PERDURE_HOME", str(tmp_path))

    async def run(*options: str, code: int) -> str:
        asked = ["reconcile", "shadow", shop.name, "2026-03-02", *options]
        done = await asyncio.to_thread(CliRunner().invoke, app, asked)
        assert done.exit_code == code, done.output
        return done.stdout

    return run


async def begin(shop: Shop, day: str = "2026-03-02") -> httpx.Response:
    return await shop.finance.post(PATH, {"account": shop.name, "business_date": day})


async def test_a_shadow_is_begun_and_says_what_it_found(shop: Shop, house: House) -> None:
    begun = await begin(shop)
    assert begun.status_code == 202, begun.text
    told = begun.json()
    assert (told["stage"], told["over"], told["found"]) == ("received", False, None)
    path = f"{PATH}/{shop.name}/2026-03-02/{told['name']}"
    async with working(house):

        async def look() -> dict[str, object]:
            shown: dict[str, object] = (await shop.finance.get(path)).json()
            return shown

        shown = await until(look, lambda found: found["over"])
    assert shown["id"] == told["id"]
    assert shown["stage"] == "incomplete", "nobody told of any balance"
    found = shown["found"]
    assert isinstance(found, dict)
    assert (found["status"], found["matched"], found["breaks"]) == (
        "INCOMPLETE",
        2,
        {"missing_ours": 1},
    )
    for table in KEPT:
        assert await house.rows(f"SELECT * FROM {table}") == [], table


async def test_a_run_is_begun_while_a_shadow_of_the_day_compares(shop: Shop, house: House) -> None:
    async with transaction(house.engine) as connection:
        account = await accounts.held(connection, shop.name)
        await runs.open_shadow(connection, account.id, DAY)
        async with asyncio.timeout(SOON):
            run = await shop.begin()
    assert (run.status_code, run.json()["ordinal"]) == (202, 1), run.text


async def test_what_cannot_be_tried_out_is_refused(
    shop: Shop, house: House, gateway: Gateway
) -> None:
    problem(await begin(shop, "2026-03-01"), 409, "before-opening")
    asked = {"account": shop.name, "business_date": "2026-03-02"}
    problem(await shop.finance_approver.post(PATH, asked), 403, "role-missing")
    async with transaction(house.engine) as connection:
        waiting_ = accounts.Account(
            0, f"{shop.name}-new", "acme", "UTC", DAY, "listing", "ours", ()
        )
        await accounts.make(connection, waiting_)
    asked["account"] = waiting_.name
    problem(await shop.finance.post(PATH, asked), 409, "not-live")
    for name in ("a" * 32, "nonsense"):
        path = f"{PATH}/{shop.name}/2026-03-02/{name}"
        problem(await shop.finance.get(path), 404, "not-found")
    mine = (await begin(shop)).json()
    others = f"{PATH}/nobody/2026-03-02/{mine['name']}"
    problem(await shop.finance.get(others), 404, "not-found")


async def test_a_shadow_that_parks_waits_for_an_operator_and_goes_on(
    reached: Gateway, shop: Shop, house: House, perdure: Perdure
) -> None:
    await house.rows("UPDATE reconciliation_accounts SET processor = 'listing'")
    wrong_key = house.settings.model_copy(update={"stripe_api_key": SecretStr("sk_test_nobody")})
    async with working(replace(house, settings=wrong_key)):
        waits = json.loads(await perdure("--json", code=5))
        assert (waits["stage"], waits["over"], waits["found"]) == ("gathering", False, None)
        mine = await until(lambda: waiting(reached), lambda found: waits["id"] in str(found))
    [item] = [one for one in mine if one["workflow_id"] == waits["id"]]
    assert (item["kind"], item["step"], item["owner"]) == ("parked", "gather.processor", "operator")
    assert item["choices"] == ["retry", "abort"]

    async with working(house):
        decided = {
            "workflow_id": waits["id"],
            "step": item["step"],
            "action": "retry",
            "reason": "the key is right",
        }
        answer = await reached.operator.post("/v1/attention/resolve", decided)
        assert answer.status_code == 202, answer.text
        found = json.loads(await perdure("--name", waits["name"], "--json", code=3))
        assert (found["id"], found["over"], found["stage"]) == (waits["id"], True, "incomplete")
        assert found["found"]["matched"] == 2
        await until(lambda: waiting(reached), lambda left: waits["id"] not in str(left))
    for table in KEPT:
        assert await house.rows(f"SELECT * FROM {table}") == [], table
    [decision] = await house.rows("SELECT actor FROM decisions WHERE kind = 'resolve'")
    assert decision == {"actor": "test-operator"}


async def test_the_command_line_tries_a_day_out(
    reached: Gateway, house: House, perdure: Perdure
) -> None:
    async with working(house):
        shown = await perdure(code=3)
        assert "INCOMPLETE" in shown
        assert "2 items matched" in shown
        assert ["missing_ours", "1"] in [line.split() for line in (shown).splitlines()]
        begun = json.loads(await perdure("--no-wait", "--json", code=0))
        named = json.loads(await perdure("--name", begun["name"], "--json", code=3))
    assert named["id"] == begun["id"]
