"""Reviewers find out who applicants are, where no other system does."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.manual_identity import ManualIdentity
from database.identity_sessions import IdentitySessions
from gateway.cursors import cursor_of
from tests.house import TENANT, House
from tests.integration.gateway.conftest import (
    Gateway,
    confirm_email,
    gateway_of,
    problem,
    stage_is,
    until,
)
from tests.integration.gateway.test_callers_tools import Perdure, out, perdure, refused
from workers import settings as setting
from workflows.onboarding.messages import workflow_id

__all__ = ["perdure"]

SESSIONS = "/v1/identity-sessions"
REASON = {"reason": "passport seen in a video call"}


@pytest.fixture
def manual(house: House) -> House:
    """The house, whose identity is for reviewers to find out."""
    before = {name: getattr(house.settings, name) for name in house.settings.model_fields_set}
    return dataclasses.replace(house, settings=setting.load(**before | {"identity": "manual"}))


@pytest.fixture
async def gateway(manual: House) -> AsyncIterator[Gateway]:
    async with gateway_of(manual) as running:
        yield running


async def opened(house: House, **form: Any) -> str:
    """A session that waits for a reviewer."""
    application = await house.apply(**form)
    identity = ManualIdentity(IdentitySessions(house.engine))
    return await identity.open_session(
        f"prd_{application}", workflow_id=workflow_id(TENANT, application), reference=application
    )


async def signed_up(gateway: Gateway) -> tuple[str, str]:
    """An onboarding that waits for a reviewer, and its session."""
    id_ = (await gateway.service.sign_up()).json()["id"]
    await confirm_email(gateway, id_)

    async def sessions() -> list[str]:
        listed = (await gateway.reviewer.get(SESSIONS, open=True)).json()["items"]
        return [one["id"] for one in listed if one["onboarding"] == id_]

    (session,) = await until(sessions, bool)
    await stage_is(gateway, id_, "verifying_identity")
    return id_, session


@pytest.mark.parametrize(("verdict", "end"), [("verified", "active"), ("failed", "rejected")])
async def test_what_a_reviewer_finds_out_the_process_hears_at_once(
    gateway: Gateway, manual: House, verdict: str, end: str
) -> None:
    async with manual.working(max_cached_workflows=10):
        id_, session = await signed_up(gateway)
        told = await gateway.reviewer.post(f"{SESSIONS}/{session}/{verdict}", REASON)
        assert told.json() == {"id": session, "state": verdict}
        await stage_is(gateway, id_, end)
    (line,) = await manual.rows(f"SELECT * FROM audit WHERE event = 'identity.{verdict}'")
    assert (line["actor"], line["details"]) == ("test-reviewer", {"session": session, **REASON})
    shown = (await gateway.reviewer.get(f"{SESSIONS}/{session}")).json()
    assert (shown["state"], shown["decided_by"]) == (verdict, "test-reviewer")
    assert shown["reason"] == REASON["reason"]


async def test_whoever_looks_after_an_applicant_does_not_say_who_they_are(
    gateway: Gateway, manual: House
) -> None:
    session = await opened(manual, account_manager="test-reviewer")
    for verdict in ("verified", "failed"):
        path = f"{SESSIONS}/{session}/{verdict}"
        problem(await gateway.reviewer.post(path, REASON), 403, "excluded")
    assert (await gateway.reviewer.get(f"{SESSIONS}/{session}")).json()["state"] == "open"
    other = await gateway.senior.post(f"{SESSIONS}/{session}/verified", REASON)
    assert other.json()["state"] == "verified"


async def test_who_withdraws_is_looked_at_no_more(gateway: Gateway, manual: House) -> None:
    async with manual.working(max_cached_workflows=10):
        id_, session = await signed_up(gateway)
        path = f"/v1/onboardings/{id_}/withdraw"
        await gateway.service.post(path, {"reason": "changed their mind"})
        await stage_is(gateway, id_, "withdrawn")
    shown = (await gateway.reviewer.get(f"{SESSIONS}/{session}")).json()
    assert shown["state"] == "closed"
    late = await gateway.reviewer.post(f"{SESSIONS}/{session}/verified", REASON)
    problem(late, 409, "decided-already")


async def test_a_session_says_what_is_to_be_looked_at(gateway: Gateway, manual: House) -> None:
    session = await opened(
        manual, kind="person", name="Žofie Nováková", country="AT", date_of_birth="1990-02-03"
    )
    shown = (await gateway.reviewer.get(f"{SESSIONS}/{session}")).json()
    assert shown["applicant"] == {
        "kind": "person",
        "name": "Žofie Nováková",
        "country": "AT",
        "date_of_birth": "1990-02-03",
    }
    assert (shown["state"], shown["tenant"], shown["version"]) == ("open", TENANT, 1)


async def test_those_that_wait_longest_come_first_page_by_page(
    gateway: Gateway, manual: House
) -> None:
    made = [await opened(manual) for _ in range(5)]
    await gateway.reviewer.post(f"{SESSIONS}/{made[1]}/failed", REASON)
    found: list[str] = []
    asked: dict[str, Any] = {"open": True, "limit": 2}
    while True:
        page = (await gateway.reviewer.get(SESSIONS, **asked)).json()
        found += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        asked["cursor"] = page["next"]
    assert found == [made[0], *made[2:]]
    others = (await gateway.reviewer.get(SESSIONS, open=False)).json()["items"]
    assert [one["id"] for one in others] == [made[1]]
    for bad in ("nonsense", cursor_of(["x"]), cursor_of([1, 2])):
        told = problem(await gateway.reviewer.get(SESSIONS, cursor=bad), 422, "invalid")
        assert told["errors"][0]["field"] == "cursor"


async def test_it_is_decided_about_once_however_many_do(gateway: Gateway, manual: House) -> None:
    session = await opened(manual)
    both = await asyncio.gather(
        *(gateway.reviewer.post(f"{SESSIONS}/{session}/{one}", REASON) for one in VERDICTS)
    )
    assert sorted(one.status_code for one in both) == [200, 409]
    (done,) = (one.json()["state"] for one in both if one.status_code == 200)
    again = await gateway.reviewer.post(f"{SESSIONS}/{session}/{done}", REASON)
    assert again.json() == {"id": session, "state": done}
    events = await manual.rows("SELECT * FROM inbox WHERE object_id = :id", id=session)
    assert len(events) == 1


VERDICTS = ("verified", "failed")


async def test_the_command_line_lists_and_decides(perdure: Perdure, house: House) -> None:
    assert "No sessions" in (await perdure("identity", "list")).output
    session = await opened(house, kind="person", name="Žofie Nováková")
    table = (await perdure("identity", "list")).output
    assert session in table
    assert "Žofie Nováková" in table
    told = ("identity", "decide", session, "verified", "--reason", REASON["reason"])
    assert out(await perdure(*told, "--json")) == {"id": session, "state": "verified"}
    assert "verified" in (await perdure(*told)).output, "asking twice is fine"
    other = ("identity", "decide", session, "failed", "--reason", REASON["reason"])
    assert "decided about once" in refused(await perdure(*other), 1)
    (listed,) = out(await perdure("identity", "list", "--all", "--json"))["items"]
    assert listed["id"] == session


async def test_nobody_else_sees_or_decides(gateway: Gateway, manual: House) -> None:
    session = await opened(manual)
    for door in (gateway.service, gateway.operator, gateway.admin):
        problem(await door.get(SESSIONS), 403, "role-missing")
        problem(await door.get(f"{SESSIONS}/{session}"), 403, "role-missing")
        for verdict in VERDICTS:
            answer = await door.post(f"{SESSIONS}/{session}/{verdict}", REASON)
            problem(answer, 403, "role-missing")
    unknown = await gateway.reviewer.post(f"{SESSIONS}/ids_none/verified", REASON)
    problem(unknown, 404, "not-found")
    named = await gateway.reviewer.post(
        f"{SESSIONS}/{session}/verified", {"reason": "it is ada@example.com"}
    )
    problem(named, 422, "invalid")
