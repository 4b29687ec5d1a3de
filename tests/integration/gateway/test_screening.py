"""Reviewers see hits and judge them; nobody else does, and no two at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.house import House
from tests.integration.gateway.conftest import (
    Gateway,
    gateway_of,
    problem,
    prove_identity,
    until,
)
from tests.integration.gateway.test_callers_tools import Perdure, out, perdure, refused
from tests.integration.test_screening import PEP, VASKO, Desk

__all__ = ["perdure"]

REASON = "born in another year, as the passport shows"


@pytest.fixture
async def screened(house: House) -> str:
    """An application with two hits that nobody has judged."""
    desk = Desk(house)
    desk.list.hits = {"Vasko Drenov": (VASKO, PEP)}
    application, _ = await desk.applied()
    return application


async def hits(gateway: Gateway, id_: str) -> dict[str, Any]:
    answer = await gateway.reviewer.get(f"/v1/onboardings/{id_}/screening")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def judge(
    gateway: Gateway, id_: str, hit: int, seen: str = '"1"', **told: Any
) -> httpx.Response:
    path = f"/v1/onboardings/{id_}/screening/hits/{hit}/judgement"
    body = {"verdict": "false_positive", "reason": REASON} | told
    return await gateway.reviewer.send("POST", path, json=body, headers={"If-Match": seen})


async def test_a_listed_applicant_is_shown_to_reviewers(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        form = {"kind": "person", "name": "Васко Дренов", "tax_id": None}
        id_ = (await gateway.service.sign_up(**form)).json()["id"]
        await prove_identity(gateway, id_)
        shown = await until(lambda: hits(gateway, id_), lambda found: found["hits"])
    assert shown["open"] == 1
    (hit,) = shown["hits"]
    assert (hit["party"], hit["name"], hit["score"]) == ("applicant", "Васко Дренов", 95)
    assert hit["entry"] == {
        "id": "inv-001",
        "name": "Vasko Drenov",
        "birth_dates": ["1961-04-17"],
        "countries": ["BG"],
        "topics": ["sanction"],
    }
    assert (hit["judgement"], hit["revision"]) == (None, 1)


async def test_a_judgement_is_kept_with_who_when_why_and_until(
    gateway: Gateway, screened: str, house: House
) -> None:
    first, second = (await hits(gateway, screened))["hits"]
    until_then = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
    told = await judge(gateway, screened, first["id"], until=until_then.isoformat())
    assert told.json() == {"id": first["id"], "revision": 2, "open": 1}
    told = await judge(gateway, screened, second["id"], verdict="confirmed")
    assert told.json()["open"] == 0
    judged = [one["judgement"] for one in (await hits(gateway, screened))["hits"]]
    assert [one["verdict"] for one in judged] == ["false_positive", "confirmed"]
    assert {(one["by"], one["reason"]) for one in judged} == {("test-reviewer", REASON)}
    assert datetime.fromisoformat(judged[0]["until"]) == until_then
    assert judged[1]["until"] is None
    lines = await house.rows("SELECT * FROM audit WHERE event = 'screening.judged'")
    assert [one["actor"] for one in lines] == ["test-reviewer"] * 2


async def test_of_two_who_judge_at_once_one_is_told_to_look_again(
    gateway: Gateway, screened: str
) -> None:
    (hit, _) = (await hits(gateway, screened))["hits"]
    both = await asyncio.gather(
        judge(gateway, screened, hit["id"]),
        judge(gateway, screened, hit["id"], verdict="confirmed"),
    )
    assert sorted(one.status_code for one in both) == [200, 412]
    (late,) = (one for one in both if one.status_code == 412)
    problem(late, 412, "changed-meanwhile")
    assert (await judge(gateway, screened, hit["id"], '"2"')).json()["revision"] == 3


async def test_nobody_else_sees_or_judges_hits(gateway: Gateway, screened: str) -> None:
    path = f"/v1/onboardings/{screened}/screening"
    (hit, _) = (await hits(gateway, screened))["hits"]
    judgement = {"verdict": "confirmed", "reason": REASON}
    for door in (gateway.service, gateway.operator):
        problem(await door.get(path), 403, "role-missing")
    for door in (gateway.service, gateway.operator, gateway.admin):
        answer = await door.send(
            "POST",
            f"{path}/hits/{hit['id']}/judgement",
            json=judgement,
            headers={"If-Match": "*"},
        )
        problem(answer, 403, "role-missing")
    assert (await gateway.admin.get(path)).status_code == 200


async def test_what_cannot_be_judged_says_why(
    gateway: Gateway, screened: str, house: House
) -> None:
    (hit, other) = (await hits(gateway, screened))["hits"]
    problem(await judge(gateway, "a" * 26, hit["id"]), 404, "not-found")
    problem(await judge(gateway, screened, 999_999), 404, "not-found")
    for until_then in (timedelta(days=-1), timedelta(days=366)):
        late = (datetime.now(UTC) + until_then).isoformat()
        told = problem(await judge(gateway, screened, hit["id"], until=late), 422, "invalid")
        assert told["errors"][0]["field"] == "until"
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    wrong = [
        {"verdict": "maybe"},
        {"verdict": "confirmed", "until": soon},
        {"reason": "ask ada@example.com"},
    ]
    for told in wrong:
        problem(await judge(gateway, screened, hit["id"], **told), 422, "invalid")
    await house.rows("UPDATE screening_hits SET superseded = true WHERE id = :id", id=other["id"])
    problem(await judge(gateway, screened, other["id"]), 409, "superseded")


async def test_the_hits_of_another_tenant_are_not_there(
    gateway: Gateway, screened: str, house: House
) -> None:
    keys = (house.settings.home / "api_keys.json").read_text()
    (house.settings.home / "api_keys.json").write_text(
        keys.replace(
            '"name": "test-reviewer", "kind": "person", "tenant": null',
            '"name": "test-reviewer", "kind": "person", "tenant": "other"',
        )
    )
    (hit, _) = (await hits(gateway, screened))["hits"]
    async with gateway_of(house) as theirs:
        path = f"/v1/onboardings/{screened}/screening"
        problem(await theirs.reviewer.get(path), 404, "not-found")
        problem(await judge(theirs, screened, hit["id"]), 404, "not-found")


async def test_the_command_line_shows_judges_and_lists(
    perdure: Perdure, screened: str, monkeypatch: pytest.MonkeyPatch, house: House
) -> None:
    shown = out(await perdure("screening", "show", screened, "--json"))
    first, second = (str(one["id"]) for one in shown["hits"])
    table = (await perdure("screening", "show", screened)).output
    assert "inv-001" in table
    assert "Vasko Drenov, 1961, BG" in table
    told = ("screening", "judge", screened, first, "false_positive", "--reason", REASON)
    assert out(await perdure(*told, "--json"))["open"] == 1
    stale = await perdure(*told, "--revision", "1")
    assert "changed since you looked" in refused(stale, 1)
    ended = await perdure("screening", "judge", screened, second, "confirmed", "--reason", REASON)
    assert "0 left to judge" in ended.output
    assert (
        "false_positive by test-reviewer" in (await perdure("screening", "show", screened)).output
    )
    none = await perdure("screening", "judge", screened, "99999", "confirmed", "--reason", REASON)
    assert "no hit 99999" in refused(none, 1)

    monkeypatch.setenv("PERDURE_SCREENING_LIST", str(house.settings.screening_list))
    listed = out(await perdure("screening", "lists", "--json"))
    assert (listed["system"], listed["list"], listed["entries"]) == ("list", "invented_list", 8)
    monkeypatch.setenv("PERDURE_SCREENING_LIST", "/nowhere.csv")
    assert "PERDURE_SCREENING_LIST" in refused(await perdure("screening", "lists"), 2)
