"""A rejected applicant is told what is for them, and may appeal once."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from tests.house import TENANT, House
from tests.integration.gateway.conftest import Door, Gateway, problem, prove_identity, stage_is

WHY = {"reason": "there is a new passport"}


async def rejected(gateway: Gateway, key: str, **form: Any) -> str:
    """Somebody who is turned down because of their country."""
    answer = await gateway.service.sign_up(key, country="AQ", **form)
    assert answer.status_code == 201, answer.text
    id_ = str(answer.json()["id"])
    await stage_is(gateway, id_, "rejected")
    return id_


async def test_the_caller_is_told_the_codes_and_their_words(
    gateway: Gateway, house: House, key: str
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await rejected(gateway, key)
    shown = (await gateway.service.get(f"/v1/onboardings/{id_}")).json()
    assert shown["rejection"]["codes"] == [
        {
            "code": "country_not_served",
            "text": "We do not offer our services in your country.",
        }
    ]
    assert shown["rejection"]["appeal_until"] is not None
    (letter,) = await house.outside.messages(
        to=shown["application"]["email"], subject="Your application"
    )
    assert "We do not offer our services in your country." in letter.text
    assert "appeal until" in letter.text


async def test_internal_reasons_are_for_those_who_review_and_operate(
    gateway: Gateway, house: House, key: str
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await rejected(gateway, key)
    path = f"/v1/onboardings/{id_}"
    assert (await gateway.service.get(path)).json()["decisions"] is None
    for door in (gateway.operator, gateway.admin):
        (decision,) = (await door.get(path)).json()["decisions"]
        assert (decision["by"], decision["kind"]) == ("rule:territory", "validate")


async def test_an_appeal_is_an_onboarding_of_its_own_however_often_it_is_asked_for(
    gateway: Gateway, house: House, key: str
) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await rejected(gateway, key)
        path = f"/v1/onboardings/{id_}/appeal"
        asked = await asyncio.gather(*(gateway.service.post(path, WHY) for _ in range(3)))
        assert {answer.status_code for answer in asked} == {201}
        (appeal,) = {answer.json()["id"] for answer in asked}
        assert appeal != id_
        # The country is not served today either.
        shown = await stage_is(gateway, appeal, "rejected")
    assert shown["appeal_of"] == id_
    assert shown["earlier_case"] is None
    assert shown["rejection"]["appeal_until"] is None
    kept = await house.rows("SELECT * FROM decisions WHERE kind = 'appeal'")
    assert [(row["actor"], row["reason"]) for row in kept] == [("test-service", WHY["reason"])]
    assert kept[0]["workflow_id"] == f"onboarding/{TENANT}/{appeal}"
    problem(
        await gateway.service.post(f"/v1/onboardings/{appeal}/appeal", WHY),
        409,
        "appealed-already",
    )


async def test_only_a_rejection_can_be_appealed_against_and_only_in_time(
    gateway: Gateway, house: House, key: str
) -> None:
    async with house.working(max_cached_workflows=10):
        under_way = (await gateway.service.sign_up()).json()["id"]
        path = f"/v1/onboardings/{under_way}/appeal"
        problem(await gateway.service.post(path, WHY), 409, "not-rejected")
        id_ = await rejected(gateway, key)
        await house.rows("UPDATE onboardings SET appeal_until = now() - interval '1 second'")
        path = f"/v1/onboardings/{id_}/appeal"
        problem(await gateway.service.post(path, WHY), 409, "too-late")


async def test_operators_do_not_appeal_for_applicants(gateway: Gateway, key: str) -> None:
    answer = await gateway.operator.post(f"/v1/onboardings/{'a' * 26}/appeal", WHY)
    problem(answer, 403, "role-missing")
    answer = await gateway.service.post(f"/v1/onboardings/{'a' * 26}/appeal", WHY)
    problem(answer, 404, "not-found")


async def test_who_applies_again_is_linked_with_the_old_case(
    gateway: Gateway, house: House, key: str
) -> None:
    async with house.working(max_cached_workflows=10):
        first = await rejected(gateway, key)
        email = (await gateway.service.get(f"/v1/onboardings/{first}")).json()["application"][
            "email"
        ]
        second = await rejected(gateway, f"{key} again", email=email)
    shown = (await gateway.service.get(f"/v1/onboardings/{second}")).json()
    assert shown["earlier_case"] == first
    assert shown["appeal_of"] is None


async def test_an_appeal_is_won_before_a_senior_reviewer_who_had_no_part_in_the_rejection(
    gateway: Gateway, house: House, key: str
) -> None:
    """The first was a duplicate of somebody whom a senior reviewer took for the same."""

    async def decide(door: Door, review: str, verb: str, body: dict[str, Any]) -> httpx.Response:
        path = f"/v1/reviews/{review}/{verb}"
        return await door.send("POST", path, json=body, headers={"If-Match": '"1"'})

    yes = {"reason": "not the same after all"}
    async with house.working(max_cached_workflows=10):
        number = {"type": "eu_vat", "value": "DE811907980"}
        other = (await gateway.service.sign_up(tax_id=number)).json()["id"]
        await stage_is(gateway, other, "verifying_email")
        first = (await gateway.service.sign_up(key, tax_id=number)).json()["id"]
        await prove_identity(gateway, first)
        await stage_is(gateway, first, "reviewing")
        no = {"reason": "the same person", "codes": ["details_not_confirmed"]}
        answer = await decide(gateway.senior, f"{first}-1", "reject", no)
        assert answer.status_code == 202, answer.text
        await stage_is(gateway, first, "rejected")

        asked = await gateway.service.post(f"/v1/onboardings/{first}/appeal", WHY)
        appeal = asked.json()["id"]
        await prove_identity(gateway, appeal)
        await stage_is(gateway, appeal, "reviewing")
        problem(await decide(gateway.reviewer, f"{appeal}-1", "approve", yes), 403, "role-missing")
        problem(await decide(gateway.senior, f"{appeal}-1", "approve", yes), 403, "excluded")
        answer = await decide(gateway.senior_two, f"{appeal}-1", "approve", yes)
        assert answer.status_code == 202, answer.text
        shown = await stage_is(gateway, appeal, "awaiting_documents")
    assert shown["appeal_of"] == first
