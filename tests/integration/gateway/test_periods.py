"""A month is closed by one person and locked by another; what comes late says where it went."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from tests.house import API_KEYS, House
from tests.integration.gateway.conftest import Door, Gateway, problem
from tests.integration.gateway.test_payments import tell
from tests.integration.journal.conftest import Journal, account_of
from workers.cli import app

PATH = "/v1/accounts/acme/periods"


@pytest.fixture
async def journal(house: House) -> Journal:
    return Journal(house.engine, await account_of(house.engine))


async def change(door: Door, what: str, month: str = "2026-01") -> httpx.Response:
    return await door.post(f"{PATH}/{month}/{what}", {"reason": "reconciled and reported"})


async def test_a_month_is_closed_locked_and_told_with_who_did_it(
    gateway: Gateway, journal: Journal
) -> None:
    closed = await change(gateway.finance, "close")
    assert closed.status_code == 200, closed.text
    told = closed.json()
    assert (told["month"], told["state"], told["changed_by"]) == (
        "2026-01",
        "soft_closed",
        "test-finance_operator",
    )
    assert (await change(gateway.finance, "close")).json() == told, "asking twice is fine"
    listed = (await gateway.finance_approver.get(PATH)).json()["items"]
    assert listed[-1] == told
    assert {one["state"] for one in listed[:-1]} == {"open"}
    assert listed[0]["month"] == f"{datetime.now(UTC):%Y-%m}"

    locked = (await change(gateway.finance_approver, "lock")).json()
    assert (locked["state"], locked["changed_by"]) == ("locked", "test-finance_approver")
    problem(await change(gateway.finance_approver, "reopen"), 409, "locked")
    problem(await change(gateway.finance, "close"), 409, "locked")


async def test_a_payment_of_a_closed_month_is_booked_into_the_next_and_says_so(
    gateway: Gateway, journal: Journal
) -> None:
    assert (await tell(gateway.service)).json()["period"] == "2026-01"
    await change(gateway.finance, "close")
    late = (await tell(gateway.service)).json()
    assert (late["effective_on"], late["period"]) == ("2026-01-31", "2026-02")
    shown = await gateway.finance.get(f"/v1/payments/{late['id']}")
    assert shown.json() == late
    await change(gateway.finance_approver, "reopen")
    assert (await tell(gateway.service)).json()["period"] == "2026-01"


async def test_what_cannot_be_closed_or_locked_is_refused_with_the_way_out(
    gateway: Gateway, journal: Journal
) -> None:
    now = f"{datetime.now(UTC):%Y-%m}"
    for month, code in (("2025-12", "before-opening"), (now, "not-over"), ("2999-12", "not-over")):
        problem(await change(gateway.finance, "close", month), 409, code)
    problem(await change(gateway.finance_approver, "lock"), 409, "not-closed")
    await change(gateway.finance_approver, "close")
    problem(await change(gateway.finance_approver, "lock"), 409, "own-close")
    await change(gateway.finance, "close", "2026-02")
    problem(await change(gateway.finance_approver, "reopen"), 409, "later-closed")
    for month in ("2026-13", "2026-1", "0000-01", "january"):
        problem(await change(gateway.finance, "close", month), 404, "not-found")
    problem(await gateway.finance.get("/v1/accounts/nobody/periods"), 404, "not-found")


async def test_the_command_line_closes_and_locks(
    reached: Gateway,
    journal: Journal,
    served: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERDURE_GATEWAY_URL", served)
    for role in ("finance_operator", "finance_approver", "finance_approver_two"):
        monkeypatch.setenv(f"PERDURE_API_KEY_{role.upper()}", API_KEYS[role])
    monkeypatch.setenv("PERDURE_HOME", str(tmp_path))

    async def perdure(*arguments: str) -> str:
        done = await asyncio.to_thread(CliRunner().invoke, app, ["periods", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    why = ("--reason", "reconciled and reported")
    shown = await perdure("close", "acme", "2026-01", *why)
    assert "soft_closed  test-finance_operator" in shown
    assert "open" in await perdure("reopen", "acme", "2026-01", *why)
    await perdure("close", "acme", "2026-01", *why)
    await perdure("reopen", "acme", "2026-01", *why)
    await perdure("close", "acme", "2026-01", *why, "--as", "finance-approver")
    shown = await perdure("lock", "acme", "2026-01", *why, "--as", "finance-approver-two")
    assert "locked" in shown
    listed = json.loads(await perdure("list", "acme", "--json"))["items"]
    assert (listed[-1]["month"], listed[-1]["state"]) == ("2026-01", "locked")
    assert "locked  test-finance_approver_two" in await perdure("list", "acme")
