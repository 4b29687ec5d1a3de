"""An applicant confirms their address at the gateway: by a button, once, while the link counts."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

from structlog.testing import capture_logs
from temporalio.client import Client

from database.handover import drain_inbox
from gateway.rates import Rates
from tests.house import TENANT, House
from tests.integration.gateway.conftest import (
    Door,
    Gateway,
    confirm_email,
    gateway_of,
    link_of,
    problem,
    stage_is,
)
from workers import keys
from workers.ports import free_port
from workflows.handover import hand_over_event
from workflows.onboarding.confirmation_link import Link, LinkSeals

REASON = {"reason": "the applicant found no mail"}
A_WHILE = timedelta(seconds=2)
"""The pause between two mails in the profile that tests run under."""


async def signed_up(gateway: Gateway) -> str:
    answer = await gateway.service.sign_up()
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def confirm(door: Door, link: str) -> Any:
    return await door.post("/v1/confirmations", {"token": link.rpartition("/")[2]})


async def change(gateway: Gateway, id_: str, **changes: Any) -> None:
    answer = await gateway.operator.send(
        "POST",
        f"/v1/onboardings/{id_}/change",
        json={"reason": "they moved", **changes},
        headers={"If-Match": "*"},
    )
    assert answer.status_code == 202, answer.text


async def resend(gateway: Gateway, id_: str, door: Door | None = None) -> Any:
    door = door or gateway.service
    return await door.post(f"/v1/onboardings/{id_}/resend-confirmation", REASON, tenant=TENANT)


async def kept(house: House) -> list[dict[str, Any]]:
    return await house.rows("SELECT id, version, confirmed_at FROM confirmations")


async def test_opening_the_link_confirms_nothing_and_pressing_the_button_does(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        link = await link_of(gateway, id_)
        assert (await gateway.http.head(link)).status_code == 200
        opened = await gateway.http.get(link)
        assert opened.status_code == 200
        assert '<form method="post">' in opened.text
        assert await kept(house) == []
        await stage_is(gateway, id_, "verifying_email")
        pressed = await gateway.http.post(link, follow_redirects=True)
        assert pressed.status_code == 200
        assert "is confirmed" in pressed.text
        await stage_is(gateway, id_, "verifying_identity")
        (first,) = await kept(house)
        again = await gateway.http.post(link, follow_redirects=True)
        assert "is confirmed" in again.text
        assert await kept(house) == [first]
    lines = await house.rows("SELECT * FROM audit WHERE event = 'email.confirmed'")
    assert len(lines) == 1


async def test_the_mail_says_nothing_that_the_applicant_wrote(
    gateway: Gateway, house: House
) -> None:
    """Else anybody could have us send words of their own to any address."""
    name, email = "Visit ads.example.net now", "anybody@example.com"
    async with house.working(max_cached_workflows=10):
        answer = await gateway.service.sign_up("of words", name=name, email=email)
        await link_of(gateway, answer.json()["id"])
        (letter,) = await house.outside.messages(to=email)
    assert letter.text.splitlines()[0] == "Hello,"
    assert "ads.example.net" not in f"{letter.headers}{letter.text}"


async def test_a_page_of_ones_own_confirms_by_the_api_and_twice_is_the_same(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        link = await link_of(gateway, id_)
        answers = await asyncio.gather(*(confirm(gateway.service, link) for _ in range(5)))
        assert [answer.status_code for answer in answers] == [200] * 5
        assert len({answer.text for answer in answers}) == 1
        assert answers[0].json()["id"] == id_
        await stage_is(gateway, id_, "verifying_identity")
        assert (await confirm(gateway.operator, link)).text == answers[0].text


async def test_the_page_needs_no_script_loads_nothing_and_is_kept_nowhere(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        page = await gateway.http.get(await link_of(gateway, await signed_up(gateway)))
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "<script" not in page.text
    assert not re.search(r"https?://", page.text)
    assert "@" not in page.text.replace("@media", ""), "whoever looks over a shoulder"


async def test_a_link_of_somebody_else_or_of_nobody_is_none(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        link = await link_of(gateway, id_)
    token = link.rpartition("/")[2]
    known, version, until, seal = token.split(".")
    forged = [
        "nonsense",
        token[:-1],
        f"{known}.{version}.{until}.{'a' * 52}",
        f"{known}.{version}.{int(until) + 1}.{seal}",
        f"{known}.2.{until}.{seal}",
        f"{'a' * 26}.{version}.{until}.{seal}",
        LinkSeals(["another secret"]).token(Link(known, 1, int(until)), "owner@example.com"),
    ]
    for one in forged:
        answer = await gateway.service.post("/v1/confirmations", {"token": one})
        problem(answer, 404, "link-unknown")
        shown = await gateway.http.get(f"/confirm/{one}")
        assert (shown.status_code, "does not work" in shown.text) == (404, True)
        assert (await gateway.http.post(f"/confirm/{one}")).status_code == 404
    assert await kept(house) == []


async def test_a_service_of_another_tenant_confirms_nothing(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        link = await link_of(gateway, id_)
    await house.rows("UPDATE onboardings SET tenant = 'globex'")
    problem(await confirm(gateway.service, link), 404, "link-unknown")
    assert await kept(house) == []


async def test_a_link_counts_until_its_time_and_a_new_mail_brings_a_new_one(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        (row,) = await house.rows("SELECT form FROM applications WHERE id = :id", id=id_)
        late = Link(id_, 1, 1_700_000_000)
        token = keys.link_seals(house.settings).token(late, row["form"]["email"])
        problem(await confirm(gateway.service, token), 410, "link-expired")
        for method in ("GET", "POST"):
            shown = await gateway.http.request(method, f"/confirm/{token}")
            assert (shown.status_code, "has expired" in shown.text) == (410, True)
        first = await link_of(gateway, id_)
        await asyncio.sleep(A_WHILE.total_seconds())
        assert (await resend(gateway, id_)).status_code == 202
        second = await link_of(gateway, id_, mails=2)
        assert second != first
        await confirm_email(gateway, id_)
        assert (await confirm(gateway.service, first)).status_code == 200, "confirmed by either"
        assert (await confirm(gateway.service, token)).status_code == 200


async def test_another_address_gets_a_mail_of_its_own_and_the_link_in_the_first_is_void(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        first = await link_of(gateway, id_)
        await change(gateway, id_, email=f"new.{id_}@example.com")
        second = await link_of(gateway, id_)
        problem(await confirm(gateway.service, first), 410, "address-changed")
        shown = await gateway.http.post(first)
        assert (shown.status_code, "older mail" in shown.text) == (410, True)
        await change(gateway, id_, name="Another Name")
        assert (await confirm(gateway.service, second)).status_code == 200
        await stage_is(gateway, id_, "verifying_identity")
        problem(await confirm(gateway.service, first), 410, "address-changed")


async def test_after_a_withdrawal_there_is_nothing_to_confirm(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        link = await link_of(gateway, id_)
        path = f"/v1/onboardings/{id_}/withdraw"
        assert (await gateway.service.post(path, REASON)).is_success
        await stage_is(gateway, id_, "withdrawn")
        told = problem(await confirm(gateway.service, link), 410, "too-late")
        assert "withdrawn" in told["detail"]
        shown = await gateway.http.get(link)
        assert (shown.status_code, "nothing left" in shown.text) == (410, True)
        refused = await resend(gateway, id_)
        assert "withdrawn" in problem(refused, 409, "not-confirming")["detail"]
    assert await kept(house) == []


async def test_mails_are_sent_again_within_limits_by_whoever_may(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        await link_of(gateway, id_)
        await stage_is(gateway, id_, "verifying_email")
        early = await resend(gateway, id_)
        if early.status_code != 409:  # still on its way
            problem(early, 429, "too-soon")
            assert 1 <= int(early.headers["retry-after"]) <= A_WHILE.total_seconds()
        for number, door in enumerate((gateway.service, gateway.operator, gateway.admin), 2):
            await asyncio.sleep(A_WHILE.total_seconds() + 0.2)
            answer = await resend(gateway, id_, door)
            assert (answer.status_code, answer.json()["id"]) == (202, id_), answer.text
            await link_of(gateway, id_, mails=number)
        await asyncio.sleep(A_WHILE.total_seconds() + 0.2)
        problem(await resend(gateway, id_), 409, "no-more-mails")
    rows = await house.rows("SELECT actor, reason FROM decisions ORDER BY id")
    assert [row["actor"] for row in rows] == ["test-service", "test-operator", "test-admin"]
    assert {row["reason"] for row in rows} == {REASON["reason"]}
    problem(await resend(gateway, "a" * 26), 404, "not-found")


async def test_a_confirmation_outlives_a_temporal_that_is_down(
    gateway: Gateway, house: House, nowhere: Client
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        link = await link_of(gateway, id_)
        async with gateway_of(house, client=nowhere) as cut_off:
            pressed = await cut_off.http.post(link, follow_redirects=True)
            assert "is confirmed" in pressed.text
            problem(await resend(cut_off, id_), 503, "unavailable")
        await stage_is(gateway, id_, "verifying_email")
        await house.rows("UPDATE inbox SET next_try_at = clock_timestamp()")

        async def tell(event: Any) -> str | None:
            return await hand_over_event(house.client, event)

        assert await drain_inbox(house.engine, tell, limit=10) == 1
        await stage_is(gateway, id_, "verifying_identity")


async def test_without_the_database_nothing_is_confirmed_and_the_page_says_so(
    house: House,
) -> None:
    token = LinkSeals(["x" * 32]).token(Link("a" * 26, 1, 4_000_000_000), "ada@example.com")
    async with gateway_of(house, database_port=free_port()) as gateway:
        for method in ("GET", "POST"):
            shown = await gateway.http.request(method, f"/confirm/{token}")
            assert (shown.status_code, "try again" in shown.text) == (503, True)
            assert shown.headers["retry-after"]


async def test_an_address_that_opens_too_many_pages_is_slowed_down(gateway: Gateway) -> None:
    options = gateway.http._transport.app.state.options  # type: ignore[attr-defined]
    object.__setattr__(options, "page_rates", Rates(per_second=1, burst=2, whose="address"))
    shown = [await gateway.http.get("/confirm/nonsense") for _ in range(3)]
    assert [one.status_code for one in shown] == [404, 404, 429]
    assert shown[2].headers["retry-after"] == "1"
    assert "try again" in shown[2].text


async def test_the_token_is_in_the_mail_and_nowhere_else(gateway: Gateway, house: House) -> None:
    with capture_logs() as lines:
        async with house.working(max_cached_workflows=10):
            id_ = await signed_up(gateway)
            link = await link_of(gateway, id_)
            await confirm_email(gateway, id_)
            await confirm(gateway.service, link)
            await stage_is(gateway, id_, "verifying_identity")
        run = house.client.get_workflow_handle(f"onboarding/{TENANT}/{id_}")
        history = (await run.fetch_history()).to_json()
        described = str((await run.describe()).raw_description)
    told = (await gateway.admin.get(f"/v1/onboardings/{id_}")).text
    tables = await house.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [str(await house.rows(f"SELECT * FROM {row['tablename']}")) for row in tables]
    seal = link.rpartition(".")[2]
    assert lines
    for place in (history, described, told, str(lines), *rows):
        assert seal not in place
    assert "@example.com" not in history + described
