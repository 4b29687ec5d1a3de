"""Balances of the journal are told as of a day, as they were known at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.house import API_KEYS, House
from tests.integration.gateway.conftest import Gateway, problem
from tests.integration.journal.conftest import AT, Journal, account_of, charge
from workers.cli import app

PATH = "/v1/accounts/acme/balances"


@pytest.fixture
async def journal(house: House) -> Journal:
    return Journal(house.engine, await account_of(house.engine))


async def clearing(gateway: Gateway, **asked: Any) -> tuple[int, int]:
    """What it held, and how much was booked later."""
    answer = await gateway.finance.get(PATH, **asked)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    held = {(one["code"], one["currency"]): one["amount_minor"] for one in told["items"]}
    assert sum(held.values()) == 0, "every entry sums to zero"
    return held.get(("clearing", "EUR"), 0), told["later"]


async def test_balances_go_by_the_day_that_it_happened_and_by_what_was_known(
    gateway: Gateway, journal: Journal
) -> None:
    problem(await gateway.finance.get(PATH), 404, "not-found")
    await journal.post(charge("a", 100), charge("b", 20, at=AT + timedelta(days=1)))
    first = (await journal.seal()).sealed_at.isoformat()
    await journal.post(charge("late", 3))
    assert await clearing(gateway, on="2026-01-31") == (100, 1)
    await journal.seal()
    assert await clearing(gateway) == (123, 0)
    assert await clearing(gateway, on="2026-01-31") == (103, 0)
    assert await clearing(gateway, on="2026-01-31", known_at=first) == (100, 1)
    assert await clearing(gateway, on="2026-01-30") == (0, 0)
    early = "2026-01-01T00:00:00Z"
    problem(await gateway.finance.get(PATH, known_at=early), 404, "not-found")


async def test_the_command_line_shows_them(
    reached: Gateway,
    journal: Journal,
    served: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await journal.post(charge("a"))
    await journal.seal()
    await journal.post(charge("b"))
    monkeypatch.setenv("PERDURE_GATEWAY_URL", served)
    monkeypatch.setenv("PERDURE_API_KEY_FINANCE_OPERATOR", API_KEYS["finance_operator"])
    monkeypatch.setenv("PERDURE_HOME", str(tmp_path))
    asked = ["journal", "balances", "acme", "--on", "2026-01-31"]
    done = await asyncio.to_thread(CliRunner().invoke, app, asked)
    assert done.exit_code == 0, done.output
    assert "100.00 EUR" in done.stdout
    assert "1 entry was booked later" in done.stdout
