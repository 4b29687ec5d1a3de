"""An application is changed over HTTP: stored, gone through again, on record with whose it was."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.house import API_KEYS, FORM, House
from tests.integration.gateway.conftest import (
    Door,
    Gateway,
    confirm_email,
    deliver,
    event,
    link_of,
    problem,
    prove_identity,
    stage_is,
    until,
)
from workflows.client import PerdureClient, Refused
from workflows.onboarding.application import Application

REASON = {"reason": "they told us so"}
ADA = {"name": "Ada Beispiel", "country": "DE", "date_of_birth": "1980-01-31"}


async def change(door: Door, id_: str, seen: str = "*", **changes: Any) -> httpx.Response:
    path = f"/v1/onboardings/{id_}/change"
    return await door.send("POST", path, json=REASON | changes, headers={"If-Match": seen})


async def signed_up(gateway: Gateway, **form: Any) -> str:
    answer = await gateway.service.sign_up(**form)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def versions(house: House) -> list[int]:
    found = await house.rows("SELECT version FROM applications ORDER BY version")
    return [row["version"] for row in found]


async def test_another_name_and_address_are_checked_again_and_become_the_customers(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        await confirm_email(gateway, id_)
        first = await identity_link(gateway, id_)
        new = {"email": f"new.{id_}@example.com", "name": "Neue Werke GmbH"}
        answer = await change(gateway.service, id_, '"1"', **new)
        assert answer.status_code == 202, answer.text
        told = answer.json()
        assert (told["version"], told["fields"]) == (2, ["email", "name"])
        problem(await change(gateway.service, id_, '"1"', name="x"), 412, "changed-meanwhile")
        await stage_is(gateway, id_, "verifying_email")
        await confirm_email(gateway, id_)
        shown = await stage_is(gateway, id_, "verifying_identity")
        assert shown["version"] == shown["progress"]["version"] == 2
        assert await identity_link(gateway, id_) != first
        await prove_identity_again(gateway, id_)
        await stage_is(gateway, id_, "active")
    letters = await house.outside.messages(to=new["email"])
    assert [one.subject for one in letters] == ["Confirm your e-mail address", "Welcome"]
    assert "Neue Werke GmbH" in letters[-1].text
    (kept,) = await house.rows("SELECT * FROM decisions WHERE kind = 'change'")
    assert (kept["actor"], kept["content"]["fields"]) == ("test-service", ["email", "name"])
    assert "on_behalf_of" not in {one for one, value in kept["content"].items() if value}


async def identity_link(gateway: Gateway, id_: str) -> str:
    """Where the applicant proves who they are, as soon as that is known."""

    async def look() -> str | None:
        shown = (await gateway.operator.get(f"/v1/onboardings/{id_}")).json()
        link: str | None = shown["identity_link"]
        return link if shown["stage"] == "verifying_identity" else None

    return str(await until(look, bool))


async def prove_identity_again(gateway: Gateway, id_: str) -> None:
    """What an applicant does in their second session, and what Stripe tells us of it."""
    process = f"onboarding/acme/{id_}"

    async def sessions() -> list[str]:
        items = (await gateway.operator.get("/v1/requests", workflow_id=process)).json()["items"]
        return [
            one["result"]["session_id"]
            for one in items
            if one["key"].endswith("identity.open_session/round-2") and one["result"]
        ]

    (session,) = await until(sessions, bool)
    await gateway.house.outside.submit_identity(session, "verified")
    told = event("identity.verification_session.verified", session, process=process)
    assert (await deliver(gateway, told)).status_code == 204


async def test_support_acts_for_the_applicant_and_the_record_says_so(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        await stage_is(gateway, id_, "verifying_email")
        assert (await change(gateway.support, id_, monthly_volume=5_000)).status_code == 202
        await asyncio.sleep(2)
        resend = f"/v1/onboardings/{id_}/resend-confirmation"
        answer = await gateway.support.post(resend, REASON, tenant="acme")
        assert answer.status_code == 202, answer.text
        withdraw = f"/v1/onboardings/{id_}/withdraw"
        assert (await gateway.support.post(withdraw, REASON, tenant="acme")).is_success
        await stage_is(gateway, id_, "withdrawn")
    kept = await house.rows("SELECT kind, actor, content FROM decisions ORDER BY kind")
    assert [row["kind"] for row in kept] == ["change", "resend_confirmation", "withdraw"]
    assert {row["actor"] for row in kept} == {"test-support"}
    assert {row["content"]["on_behalf_of"] for row in kept} == {"applicant"}


async def test_what_cannot_be_used_is_named_and_not_stored(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway, kind="company")
        await stage_is(gateway, id_, "verifying_email")
        half = [ADA | {"share_percent": 60}, ADA | {"share_percent": 60}]
        told = problem(await change(gateway.operator, id_, owners=half), 422, "invalid")
        assert [one["field"] for one in told["errors"]] == ["owners"]
        born = problem(
            await change(gateway.operator, id_, date_of_birth="1980-01-31"), 422, "invalid"
        )
        assert born["errors"] == [{"field": "date_of_birth", "message": "is told of persons only"}]
        same = await change(gateway.operator, id_, country="DE")
        problem(same, 409, "nothing-changed")
        gone = await gateway.operator.post(
            f"/v1/onboardings/{'a' * 26}/change", REASON | {"name": "x"}
        )
        problem(gone, 428, "if-match-missing")
        problem(await change(gateway.operator, "a" * 26, name="x"), 404, "not-found")
    assert await versions(house) == [1]


async def test_what_the_process_refuses_leaves_no_version(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await signed_up(gateway)
        await stage_is(gateway, id_, "verifying_email")
        for volume in (1, 2, 3):
            assert (await change(gateway.service, id_, monthly_volume=volume)).status_code == 202
        told = problem(await change(gateway.service, id_, monthly_volume=4), 409, "no-more-changes")
        assert "3 times" in told["detail"]
        assert await versions(house) == [1, 2, 3, 4]
        await prove_identity(gateway, id_)
        await stage_is(gateway, id_, "active")
        problem(await change(gateway.service, id_, monthly_volume=4), 409, "too-late")


async def test_a_backend_service_changes_an_application(
    gateway: Gateway, served: str, house: House, key: str
) -> None:
    async with (
        house.working(max_cached_workflows=10),
        PerdureClient(served, API_KEYS["service"]) as perdure,
    ):
        application = Application.model_validate(FORM | {"kind": "company", "monthly_volume": 10})
        onboarding = await perdure.start(application, key=key)
        await link_of(gateway, onboarding.id)
        owners = [ADA | {"share_percent": 100}]
        changes = {"owners": owners, "signatory": ADA}
        told = await perdure.change(onboarding.id, changes, version=1, reason="they told us")
        assert told.fields == ("owners", "signatory")
        shown = (await perdure.show(onboarding.id)).application
        assert (shown.owners_known, shown.monthly_volume) == (True, 10)
        with pytest.raises(Refused) as caught:
            await perdure.change(onboarding.id, changes, version=1, reason="once more")
        assert caught.value.code == "changed-meanwhile"
