"""Nobody overwrites what they have not seen, and whoever has an answer is spared it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.house import House
from tests.integration.gateway.conftest import Door, Gateway, confirm_email, problem, stage_is
from tests.integration.gateway.test_attention import TAX_STEP, parked, resolution, waiting
from tests.integration.gateway.test_lists import store
from tests.patience import SOON

Correct = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def id_(house: House) -> str:
    return await store(house, 1, "acme", "provisioning")


@pytest.fixture
async def refused_id(gateway: Gateway, house: House) -> AsyncIterator[str]:
    async with house.working(max_cached_workflows=10):
        yield await parked(gateway)


@pytest.fixture
def correct(gateway: Gateway, refused_id: str) -> Correct:
    async def send(seen: str | None, number: str = "DE123456789") -> httpx.Response:
        headers = {} if seen is None else {"If-Match": seen}
        path = f"/v1/onboardings/{refused_id}/corrections"
        form = {"tax_id": {"type": "eu_vat", "value": number}}
        return await gateway.operator.send("POST", path, json=form, headers=headers)

    return send


async def test_a_correction_says_which_version_it_corrects(
    gateway: Gateway, refused_id: str, correct: Correct
) -> None:
    shown = await gateway.operator.get(f"/v1/onboardings/{refused_id}")
    first = await correct(shown.headers["etag"], "DE987654321")
    assert (first.status_code, first.json()["version"]) == (201, 2)
    told = problem(await correct(shown.headers["etag"]), 412, "changed-meanwhile")
    assert "version 2 now" in told["detail"]
    assert (await correct('"2"')).json()["version"] == 3
    assert (await correct("*", "DE111111111")).json()["version"] == 4
    told = problem(await correct(None), 428, "if-match-missing")
    assert told["errors"] == [{"field": "If-Match", "message": "is missing"}]
    problem(await correct("4"), 400, "if-match-invalid")
    now = (await gateway.operator.get(f"/v1/onboardings/{refused_id}")).json()["application"]
    was = shown.json()["application"]
    assert now == was | {"tax_id": {"type": "eu_vat", "value": "DE111111111"}}


async def test_of_corrections_at_the_same_moment_one_is_stored(
    house: House, correct: Correct
) -> None:
    for seen in ('"1"', '"2"', '"3"'):
        answers = await asyncio.gather(*(correct(seen, f"DE12345678{n}") for n in range(8)))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [201] + 7 * [412]
    assert await house.rows("SELECT max(version) FROM applications") == [{"max": 4}]


async def test_two_admins_who_want_the_same_have_it_done_once(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        onboarding = (await gateway.service.sign_up()).json()["id"]
        await confirm_email(gateway, onboarding)
        await stage_is(gateway, onboarding, "verifying_identity")
    key = f"onboarding/acme/{onboarding}/identity.open_session"
    seen = (await gateway.admin.get("/v1/requests/show", key=key)).headers["etag"]
    assert seen.startswith('"1-')

    async def reopen() -> httpx.Response:
        body = {"key": key, "reason": "lost"}
        path = "/v1/requests/reopen"
        return await gateway.admin.send("POST", path, json=body, headers={"If-Match": seen})

    statuses = sorted(answer.status_code for answer in await asyncio.gather(reopen(), reopen()))
    assert statuses == [200, 412]
    # Carried out again meanwhile: whoever looked before must look anew.
    await house.rows("UPDATE requests SET state = 'succeeded' WHERE key = :key", key=key)
    assert "generation 2 now" in problem(await reopen(), 412, "changed-meanwhile")["detail"]
    without = await gateway.admin.post("/v1/requests/reopen", {"key": key, "reason": "lost"})
    problem(without, 428, "if-match-missing")


async def test_a_decision_about_an_earlier_parking_is_refused(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await parked(gateway)
        (item,) = await waiting(gateway)
        retry = resolution(id_, "retry", step=TAX_STEP, since=item["since"])
        accepted = await gateway.operator.post("/v1/attention/resolve", retry)
        assert accepted.status_code == 202, accepted.text
        async with asyncio.timeout(SOON):  # Stripe refuses it again
            while [one["since"] for one in await waiting(gateway)] in ([], [item["since"]]):
                await asyncio.sleep(0.05)
        abort = resolution(id_, "abort", step=TAX_STEP, since=item["since"])
        problem(await gateway.operator.post("/v1/attention/resolve", abort), 409, "parked-anew")
        (item,) = await waiting(gateway)
        accepted = await gateway.operator.post(
            "/v1/attention/resolve", abort | {"since": item["since"]}
        )
        assert accepted.status_code == 202, accepted.text
        await stage_is(gateway, id_, "aborted")


def things(id_: str) -> dict[str, dict[str, Any]]:
    return {
        f"/v1/onboardings/{id_}": {},
        "/v1/onboardings": {"tenant": "acme"},
        "/v1/attention": {},
        "/v1/requests": {"workflow_id": f"onboarding/acme/{id_}"},
    }


async def test_whoever_has_an_answer_is_spared_it(gateway: Gateway, id_: str) -> None:
    async def get(door: Door, path: str, tag: str, **params: Any) -> httpx.Response:
        return await door.send("GET", path, params=params, headers={"If-None-Match": tag})

    for path, params in things(id_).items():
        first = await gateway.operator.get(path, **params)
        again = await get(gateway.operator, path, first.headers["etag"], **params)
        assert (again.status_code, again.content) == (304, b""), path
        assert again.headers["etag"] == first.headers["etag"]
        assert (await get(gateway.operator, path, '"other"', **params)).status_code == 200


async def test_what_changed_is_sent_again(gateway: Gateway, house: House, id_: str) -> None:
    path = f"/v1/onboardings/{id_}"
    tag = (await gateway.operator.get(path)).headers["etag"]
    await house.rows("UPDATE onboardings SET stage = 'welcoming'")
    changed = await gateway.operator.send("GET", path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.json()["stage"] == "welcoming"
    assert changed.headers["etag"] != tag
