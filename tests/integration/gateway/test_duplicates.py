"""Two applications of one person: a reviewer sees both, and says how they are related."""

from __future__ import annotations

from typing import Any

import pytest

from tests.house import House
from tests.integration.gateway.conftest import (
    Door,
    Gateway,
    problem,
    prove_identity,
    stage_is,
)

MATCH = {"If-Match": '"1"'}
SAME = {"relation": "merge", "reason": "the same passport"}
KIN = {"relation": "link", "reason": "father and son"}


async def signed_up(gateway: Gateway, **form: Any) -> str:
    answer = await gateway.service.sign_up(**form)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def two_alike(gateway: Gateway) -> tuple[str, str]:
    """Two of one tax id; the second is under review, and its review has its id and `-1`."""
    number = {"type": "eu_vat", "value": "DE811907980"}
    first = await signed_up(gateway, tax_id=number)
    await stage_is(gateway, first, "verifying_email")
    second = await signed_up(gateway, tax_id={**number, "value": "de 811 907 980"})
    await prove_identity(gateway, second)
    await stage_is(gateway, second, "reviewing")
    return first, second


async def relate(door: Door, second: str, first: str, body: Any) -> Any:
    path = f"/v1/reviews/{second}-1/duplicates/{first}"
    return await door.send("POST", path, json=body, headers=MATCH)


async def test_a_reviewer_sees_who_is_alike_and_in_what(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        first, second = await two_alike(gateway)
        path = f"/v1/reviews/{second}-1"
        (one,) = (await gateway.reviewer.get(f"{path}/duplicates")).json()["duplicates"]
        assert (one["other"], one["alike"], one["relation"]) == (first, ["tax_id"], None)
        shown = (await gateway.reviewer.get(path)).json()
        assert "onboarding_risk/duplicate" in shown["reasons"]
        problem(await gateway.service.get(f"{path}/duplicates"), 403, "role-missing")


async def test_who_is_merged_is_told_that_the_other_goes_on(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        first, second = await two_alike(gateway)
        answer = await relate(gateway.reviewer, second, first, SAME)
        assert answer.status_code == 202, answer.text
        shown = await stage_is(gateway, second, "rejected")
        assert [one["code"] for one in shown["rejection"]["codes"]] == ["known_already"]
        again = await relate(gateway.reviewer, second, first, SAME)
        problem(again, 409, "review-closed")
    shown = (await gateway.service.get(f"/v1/onboardings/{second}")).json()
    assert shown["merged_into"] == first
    assert (await gateway.service.get(f"/v1/onboardings/{first}")).json()["merged_into"] is None
    kept = await house.rows("SELECT * FROM decisions WHERE kind = 'merge'")
    assert [(row["actor"], row["content"]["other"]) for row in kept] == [("test-reviewer", first)]


async def test_who_is_linked_is_decided_on_their_own(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        first, second = await two_alike(gateway)
        answer = await relate(gateway.reviewer, second, first, KIN)
        assert answer.status_code == 202, answer.text
        path = f"/v1/reviews/{second}-1"
        yes = {"reason": "both are who they say"}
        answer = await gateway.reviewer.send("POST", f"{path}/approve", json=yes, headers=MATCH)
        assert answer.status_code == 202, answer.text
        await stage_is(gateway, second, "awaiting_documents")
        (one,) = (await gateway.reviewer.get(f"{path}/duplicates")).json()["duplicates"]
        assert one["relation"] == "link"
    kinds = await house.rows("SELECT kind FROM decisions WHERE actor_kind = 'person' ORDER BY id")
    assert [row["kind"] for row in kinds] == ["link", "approve"]


@pytest.mark.parametrize("other", ["a" * 26, "not-an-id"])
async def test_only_who_was_found_to_be_alike_is_related(
    gateway: Gateway, house: House, other: str
) -> None:
    async with house.working(max_cached_workflows=10):
        _, second = await two_alike(gateway)
        answer = await relate(gateway.reviewer, second, other, SAME)
        assert answer.status_code in (404, 422)
        problem(await relate(gateway.service, second, other, SAME), 403, "role-missing")
