"""Statement files at the door: taken over once, and shown whatever becomes of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from activities.reconciliation.statements import StatementIntake
from connectors.archive_folder import NO_ANSWER, FolderArchive
from connectors.folder import Folder
from connectors.statements.csv import load_columns
from database.spool import Spool
from gateway.cursors import cursor_of
from tests.house import House
from tests.integration.gateway.conftest import Door, Gateway, gateway_of, give_key, problem

CSV = b"Date,Amount,Currency,Description\n2026-03-02,10.50,EUR,STRIPE\n"
BYTES = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def intake(gateway: Gateway, tmp_path: Path) -> StatementIntake:
    return intake_of(gateway.house, tmp_path)


def intake_of(house: House, tmp_path: Path) -> StatementIntake:
    """What reads the files that a gateway took over."""
    settings = house.settings
    archive = Folder(tmp_path / "archive", no_answer=NO_ANSWER)
    archive.prepare()
    maps = load_columns(settings.rules / "statement_columns.toml")
    spool = Spool(settings.statement_spool)
    return StatementIntake(house.engine, spool, FolderArchive(archive), maps)


async def test_a_file_is_taken_over_and_what_became_of_it_is_shown(
    gateway: Gateway, intake: StatementIntake
) -> None:
    sent = await gateway.finance.send(
        "POST", "/v1/statements?bank_account=DE00EXAMPLE", BYTES, content=CSV
    )
    assert (sent.status_code, sent.json()["state"]) == (202, "received")
    assert sent.json()["sha256"] == hashlib.sha256(CSV).hexdigest()

    await intake.read_waiting()

    shown = (await gateway.finance.get(sent.headers["Location"])).json()
    assert shown["state"] == "read"
    [statement] = shown["statements"]
    assert (statement["state"], statement["bank_account"]) == ("unknown_account", "DE00EXAMPLE")
    listed = await gateway.finance.get("/v1/statements", state="unknown_account")
    assert [one["id"] for one in listed.json()["items"]] == [shown["id"]]
    assert (await gateway.finance.get("/v1/statements", state="counts")).json()["items"] == []


async def test_files_are_walked_page_by_page(gateway: Gateway) -> None:
    for number in range(5):
        content = CSV.replace(b"10.50", f"1{number}.50".encode())
        await gateway.finance.send("POST", "/v1/statements", BYTES, content=content)
    whole = (await gateway.finance.get("/v1/statements")).json()
    assert (len(whole["items"]), whole["next"]) == (5, None)
    found, cursor = [], None
    while True:
        page = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = (await gateway.finance.get("/v1/statements", **page)).json()
        found += answer["items"]
        if (cursor := answer["next"]) is None:
            break
    assert found == whole["items"]
    for bad in ("nonsense", cursor_of(["x"]), cursor_of(["2026-03-02T00:00:00Z", "x"])):
        told = problem(await gateway.finance.get("/v1/statements", cursor=bad), 422, "invalid")
        assert told["errors"][0]["field"] == "cursor"


async def test_a_wrong_statement_is_withdrawn_by_who_approves(
    gateway: Gateway, intake: StatementIntake
) -> None:
    two = CSV + b"2026-03-02,4.00,USD,STRIPE\n"
    sent = [
        await gateway.finance.send(
            "POST", "/v1/statements?bank_account=DE00EXAMPLE", BYTES, content=content
        )
        for content in (CSV, two)
    ]
    await intake.read_waiting()
    one, several = (f"{answer.headers['Location']}/withdraw" for answer in sent)
    why = {"reason": "the bank sent a corrected one"}

    problem(await gateway.finance.post(one, why), 403, "role-missing")
    told = problem(await gateway.finance_approver.post(several, why), 422, "invalid")
    assert told["errors"][0]["field"] == "statement"
    first = await gateway.finance_approver.post(one, why)
    answer = await gateway.finance_approver.post(one, why)
    assert answer.json() == first.json()
    [statement] = answer.json()["statements"]
    assert (statement["state"], statement["withdrawn_for"]) == ("withdrawn", why["reason"])
    assert statement["withdrawn_by"]
    other = why | {"statement": statement["number"]}
    problem(await gateway.finance_approver.post(several, other), 422, "invalid")
    problem(
        await gateway.finance_approver.post(f"/v1/statements/{'0' * 32}/withdraw", why),
        404,
        "not-found",
    )


async def test_a_withdrawal_is_taken_back_by_somebody_else(house: House, tmp_path: Path) -> None:
    give_key(house, "another approver", kind="person", tenant=None)
    async with gateway_of(house) as gateway:
        another = Door(gateway.http, "another approver")
        sent = await gateway.finance.send(
            "POST", "/v1/statements?bank_account=DE00EXAMPLE", BYTES, content=CSV
        )
        await intake_of(house, tmp_path).read_waiting()
        path, why = sent.headers["Location"], {"reason": "a mistake"}
        await gateway.finance_approver.post(f"{path}/withdraw", why)

        refused = await gateway.finance_approver.post(f"{path}/reinstate", why)
        problem(refused, 409, "own-withdrawal")
        answers = [(await another.post(f"{path}/reinstate", why)).json() for _ in range(2)]
        assert [one["state"] for one in answers] == ["received", "received"]
        [statement] = answers[0]["statements"]
        assert (statement["state"], statement["withdrawn_by"]) == ("unknown_account", None)


async def test_who_sent_a_statement_does_not_reinstate_it(house: House, tmp_path: Path) -> None:
    give_key(house, "both", kind="person", tenant=None)
    async with gateway_of(house) as gateway:
        both = Door(gateway.http, "both")
        path = "/v1/statements?bank_account=DE00EXAMPLE"
        sent = await both.send("POST", path, BYTES, content=CSV)
        await intake_of(house, tmp_path).read_waiting()
        path, why = sent.headers["Location"], {"reason": "invented"}
        assert (await gateway.finance_approver.post(f"{path}/withdraw", why)).is_success

        problem(await both.post(f"{path}/reinstate", why), 409, "own-statement")
        [statement] = (await both.get(path)).json()["statements"]
        assert statement["state"] == "withdrawn"


async def test_who_sent_the_other_statement_of_its_days_does_not_withdraw_one(
    house: House, tmp_path: Path
) -> None:
    give_key(house, "both", kind="person", tenant=None)
    async with gateway_of(house) as gateway:
        both = Door(gateway.http, "both")
        path = "/v1/statements?bank_account=DE00EXAMPLE"
        sent = await gateway.finance.send("POST", path, BYTES, content=CSV)
        other = CSV.replace(b"10.50", b"11.50")
        assert (await both.send("POST", path, BYTES, content=other)).status_code == 202
        await intake_of(house, tmp_path).read_waiting()

        why = {"reason": "mine is right"}
        path = f"{sent.headers['Location']}/withdraw"
        told = problem(await both.post(path, why), 409, "own-statement")
        assert "somebody else" in told["detail"]


async def test_the_same_file_gets_the_same_answer(gateway: Gateway) -> None:
    first = await gateway.finance.send("POST", "/v1/statements", BYTES, content=CSV)
    again = await gateway.finance.send("POST", "/v1/statements", BYTES, content=CSV)

    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_a_refused_file_says_why(gateway: Gateway, intake: StatementIntake) -> None:
    bad = CSV.replace(b"10.50", b"1O.50")
    sent = await gateway.finance.send("POST", "/v1/statements", BYTES, content=bad)
    await intake.read_waiting()

    shown = (await gateway.finance.get(sent.headers["Location"])).json()
    assert (shown["state"], shown["error"], shown["position"]) == (
        "refused",
        "bad_amount",
        "line 2",
    )


async def test_a_files_of_one_tenant_are_not_shown_to_another(gateway: Gateway) -> None:
    sent = await gateway.service.send("POST", "/v1/statements", BYTES, content=CSV)
    mine = await gateway.service.get(sent.headers["Location"])

    assert mine.status_code == 200
    theirs = await gateway.finance.send("POST", "/v1/statements", BYTES, content=CSV)
    hidden = await gateway.service.get(theirs.headers["Location"])
    problem(hidden, 404, "not-found")


async def test_what_is_no_file_is_refused_at_the_door(gateway: Gateway) -> None:
    empty = await gateway.finance.send("POST", "/v1/statements", BYTES, content=b"")
    problem(empty, 422, "invalid")
    as_json = await gateway.finance.post("/v1/statements", {"a": 1})
    problem(as_json, 415, "unsupported-media-type")
