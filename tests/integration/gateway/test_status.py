"""An applicant sees how their own onboarding stands, in their words, and nothing else."""

from __future__ import annotations

import json

import pytest

from tests.house import TENANT, House
from tests.integration.gateway.conftest import Door, Gateway, problem, stage_is, until


async def applicant_of(gateway: Gateway, id_: str) -> Door:
    made = await gateway.service.post(f"/v1/onboardings/{id_}/status-token", {"days": 1})
    assert made.status_code == 201, made.text
    return Door(gateway.http, made.json()["token"])


async def test_what_is_asked_of_an_applicant_is_said_with_where_and_until_when(
    gateway: Gateway, house: House
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = str((await gateway.service.sign_up()).json()["id"])
        applicant = await applicant_of(gateway, id_)
        await stage_is(gateway, id_, "verifying_email")

        async def told() -> dict[str, object]:
            shown = await applicant.get(f"/v1/onboardings/{id_}/status")
            assert shown.status_code == 200, shown.text
            return dict(shown.json())

        shown = await until(told, lambda shown: shown["asked"])
    assert shown["standing"] == "your_turn"
    asked = shown["asked"]
    assert isinstance(asked, dict)
    assert asked["task"] == "confirm_email"
    assert asked["until"]


async def test_an_applicant_sees_nobody_elses(gateway: Gateway, house: House) -> None:
    mine, other = await house.apply(), await house.apply()
    applicant = await applicant_of(gateway, mine)
    assert (await applicant.get(f"/v1/onboardings/{mine}/status")).status_code == 200
    problem(await applicant.get(f"/v1/onboardings/{other}/status"), 404, "not-found")
    problem(await applicant.get(f"/v1/onboardings/{mine}"), 403, "role-missing")


@pytest.mark.parametrize(
    ("stage", "standing"),
    [
        ("screening", "in_progress"),
        ("deciding", "in_progress"),
        ("reviewing", "in_progress"),
        ("provisioning", "in_progress"),
        ("active", "accepted"),
        ("rejected", "declined"),
        ("withdrawn", "ended"),
    ],
)
async def test_what_we_look_into_is_not_told(
    gateway: Gateway, house: House, stage: str, standing: str
) -> None:
    id_ = await house.apply()
    await house.rows("UPDATE onboardings SET stage = :stage WHERE id = :id", id=id_, stage=stage)
    applicant = await applicant_of(gateway, id_)
    shown = (await applicant.get(f"/v1/onboardings/{id_}/status")).json()
    assert shown["standing"] == standing
    assert shown["asked"] is None
    told = json.dumps(shown)
    assert "screen" not in told
    assert "review" not in told


async def test_a_token_is_made_for_onboardings_of_ones_own_tenant(
    gateway: Gateway, house: House
) -> None:
    id_ = await house.apply()
    await house.rows("UPDATE onboardings SET tenant = 'other' WHERE id = :id", id=id_)
    path = f"/v1/onboardings/{id_}/status-token"
    problem(await gateway.service.post(path, {}), 404, "not-found")
    problem(await gateway.operator.post(path, {"days": 31}), 422, "invalid")
    assert (await gateway.operator.post(path, {})).status_code == 201
    assert TENANT != "other"
