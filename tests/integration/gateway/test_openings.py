"""An account begins with what one person proposed and another approved of."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from database.connection import transaction
from database.journal.openings import approved
from database.reconciliation.accounts import of_name
from tests.house import API_KEYS, House
from tests.integration.gateway.conftest import Door, Gateway, problem
from tests.integration.gateway.test_payments import tell
from tests.integration.journal.conftest import Journal, account_of
from workers.cli import app

PATH = "/v1/accounts/acme/opening"
PAYOUT = {
    "kind": "payout",
    "currency": "EUR",
    "amount_minor": -97_000,
    "effective_on": "2026-01-30",
    "reference": "po_1",
    "payout": "po_1",
}
OPENING: dict[str, Any] = {
    "opened_on": "2026-02-01",
    "balances": [
        {"book": "clearing", "currency": "EUR", "amount_minor": 22_000},
        {"book": "processor", "currency": "EUR", "amount_minor": 23_000},
        {"book": "in_transit", "currency": "EUR", "amount_minor": 97_000},
        {"book": "cash", "currency": "EUR", "amount_minor": 5_000},
        {"book": "bank", "currency": "EUR", "amount_minor": 5_000},
    ],
    "items": [
        {"book": "processor", "source_id": "txn_1"} | PAYOUT,
        {"book": "clearing", "source_id": "old/1"} | PAYOUT,
        {
            "book": "processor",
            "source_id": "txn_2",
            "kind": "charge",
            "currency": "EUR",
            "amount_minor": 1_000,
            "effective_on": "2026-01-31",
            "reference": "ch_2",
        },
    ],
    "reason": "the old ledger, as audited",
}


@pytest.fixture
async def journal(house: House) -> Journal:
    engine = house.engine
    return Journal(engine, await account_of(engine, opened_on=date(2026, 3, 1)))


async def decide(
    door: Door, what: str = "approve", number: int = 1, reason: str = "seen"
) -> httpx.Response:
    match = {"If-Match": f'"{number}"'}
    return await door.send("POST", f"{PATH}/{what}", match, json={"reason": reason})


async def test_what_was_proposed_is_loaded_once_somebody_else_approves(
    gateway: Gateway, journal: Journal
) -> None:
    proposed = await gateway.finance.post(PATH, OPENING)
    assert proposed.status_code == 201, proposed.text
    told = proposed.json()
    assert (told["state"], told["items"]) == ("proposed", 3)
    assert [one["source_id"] for one in told["open_items"]] == ["txn_1", "old/1", "txn_2"]
    assert await journal.balance("clearing") == 0
    assert (await gateway.finance_approver.get(PATH)).json() == told

    answer = await decide(gateway.finance_approver, number=told["id"])
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["decided_by"]) == (
        "approved",
        "test-finance_approver",
    )
    assert await journal.balance("clearing") == 22_000
    assert await journal.balance("in_transit") == 97_000
    assert await journal.balance("cash") == 5_000
    assert await journal.balance("opening") == -124_000
    items = await journal.rows("SELECT source_id, component, effective_on FROM items ORDER BY 1")
    assert [(one["source_id"], one["component"]) for one in items] == [
        ("old/1", ""),
        ("txn_1", "gross"),
        ("txn_2", "gross"),
    ]
    (intake,) = await journal.rows("SELECT source FROM intakes")
    assert intake == {"source": "opening"}
    async with transaction(journal.engine) as connection:
        account = await of_name(connection, "acme")
        opening = await approved(connection, account)
    assert account.opened_on == date(2026, 2, 1)
    assert opening is not None
    assert len(opening.items) == 3
    again = await decide(gateway.finance_approver, number=told["id"])
    assert again.json() == answer.json(), "asking twice is fine"
    problem(await gateway.finance.post(PATH, OPENING), 409, "opened-already")
    events = await journal.rows("SELECT event, actor FROM audit ORDER BY id")
    assert [(one["event"], one["actor"]) for one in events] == [
        ("opening.proposed", "test-finance_operator"),
        ("opening.approved", "test-finance_approver"),
    ]


async def test_nobody_approves_of_what_they_proposed(gateway: Gateway, journal: Journal) -> None:
    await gateway.finance.post(PATH, OPENING)
    await journal.rows(
        "INSERT INTO openings (account, content, content_hash, proposed_by, reason)"
        " SELECT account, content, content_hash, 'test-finance_approver', reason FROM openings"
    )
    problem(await decide(gateway.finance_approver, number=2), 409, "own-proposal")
    assert await journal.balance("clearing") == 0
    refused = await decide(gateway.finance_approver, "refuse", 2)
    assert refused.json()["state"] == "refused"


@pytest.mark.parametrize(
    ("by", "hash_", "says"),
    [
        ("test-finance_operator", "content_hash", "nobody approves"),
        ("somebody", "'another'", "not what was proposed"),
    ],
)
async def test_the_database_itself_takes_two_and_the_same_content(
    gateway: Gateway, journal: Journal, by: str, hash_: str, says: str
) -> None:
    await gateway.finance.post(PATH, OPENING)
    with pytest.raises(DBAPIError, match=says):
        await journal.rows(
            "INSERT INTO opening_decisions (opening, content_hash, verdict, decided_by, reason)"
            f" SELECT id, {hash_}, 'approved', :by, 'x' FROM openings",
            by=by,
        )
    with pytest.raises(DBAPIError, match="append-only"):
        await journal.rows("UPDATE openings SET proposed_by = 'somebody'")


async def test_a_newer_proposal_takes_the_place_of_an_older(
    gateway: Gateway, journal: Journal
) -> None:
    first = (await gateway.finance.post(PATH, OPENING)).json()
    assert (await gateway.finance.post(PATH, OPENING)).json() == first, "asking twice is fine"
    second = (await gateway.finance.post(PATH, OPENING | {"opened_on": "2026-02-02"})).json()
    assert second["id"] != first["id"]
    problem(await decide(gateway.finance_approver), 412, "changed-meanwhile")
    without = await gateway.finance_approver.post(f"{PATH}/approve", {"reason": "seen"})
    problem(without, 428, "if-match-missing")
    await decide(gateway.finance_approver, "refuse", 2)
    problem(await decide(gateway.finance_approver, number=2), 409, "decided-already")


@pytest.mark.parametrize(
    ("balance", "says"),
    [
        (0, "E1 leaves 0.07 EUR over"),
        (1, "E1 leaves -0.07 EUR over"),
        (2, "E4 leaves 0.07 EUR over"),
        (3, "E3 leaves 0.07 EUR over"),
    ],
)
async def test_balances_and_open_items_must_not_contradict_each_other(
    gateway: Gateway, journal: Journal, balance: int, says: str
) -> None:
    balances = [dict(one) for one in OPENING["balances"]]
    balances[balance]["amount_minor"] += 7
    told = problem(
        await gateway.finance.post(PATH, OPENING | {"balances": balances}), 422, "invalid"
    )
    assert told["errors"] == [{"field": "balances", "message": says}]


async def test_thousands_of_items_may_be_open(gateway: Gateway, journal: Journal) -> None:
    charge = OPENING["items"][2] | {"amount_minor": 1}
    items = [*OPENING["items"][:2], *(charge | {"source_id": f"txn_old_{n}"} for n in range(1_000))]
    proposed = await gateway.finance.post(PATH, OPENING | {"items": items})
    assert proposed.status_code == 201, proposed.text
    assert (await decide(gateway.finance_approver)).status_code == 200
    (found,) = await journal.rows("SELECT count(*) AS items FROM items")
    assert found == {"items": 1_002}


async def test_an_open_item_is_of_before(gateway: Gateway, journal: Journal) -> None:
    late = OPENING | {"opened_on": "2026-01-31"}
    assert (
        "before the account is opened"
        in problem(await gateway.finance.post(PATH, late), 422, "invalid")["errors"][0]["message"]
    )


async def test_an_account_that_moved_before_its_first_day_is_not_opened(
    gateway: Gateway, journal: Journal
) -> None:
    await journal.rows("UPDATE reconciliation_accounts SET opened_on = '2026-01-01'")
    await gateway.finance.post(PATH, OPENING)
    assert (await tell(gateway.service)).status_code == 201
    problem(await decide(gateway.finance_approver), 409, "moved-already")
    assert await journal.rows("SELECT * FROM opening_decisions") == []


async def test_what_is_not_there_is_not_decided_about(gateway: Gateway, journal: Journal) -> None:
    problem(await gateway.finance.get(PATH), 404, "not-found")
    problem(await decide(gateway.finance_approver), 404, "not-found")
    problem(await gateway.finance.get("/v1/accounts/nobody/opening"), 404, "not-found")


async def test_the_command_line_proposes_and_approves(
    reached: Gateway,
    journal: Journal,
    served: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERDURE_GATEWAY_URL", served)
    for role in ("finance_operator", "finance_approver"):
        monkeypatch.setenv(f"PERDURE_API_KEY_{role.upper()}", API_KEYS[role])
    monkeypatch.setenv("PERDURE_HOME", str(tmp_path))
    file = tmp_path / "opening.json"
    file.write_text(json.dumps({name: OPENING[name] for name in OPENING if name != "reason"}))

    async def perdure(*arguments: str) -> str:
        done = await asyncio.to_thread(CliRunner().invoke, app, ["accounts", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    why = ("--reason", "the old ledger, as audited")
    assert "proposal 1  proposed" in await perdure("open", "acme", str(file), *why)
    assert json.loads(await perdure("opening", "acme", "--json"))["items"] == 3
    looked_at = await perdure("opening", "acme")
    assert "220.00 EUR" in looked_at
    assert "the first 3 of 3" in looked_at
    (line,) = [one for one in looked_at.splitlines() if "txn_2" in one]
    assert all(word in line for word in ("10.00 EUR", "2026-01-31", "ch_2"))
    shown = await perdure("approve", "acme", "--proposal", "1", *why)
    assert "approved by test-finance_approver  opens on 2026-02-01" in shown
    assert await journal.balance("clearing") == 22_000
