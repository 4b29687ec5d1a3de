"""Onboardings are found again: page by page, by what one asks for, and by nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from database import onboardings
from database.connection import transaction
from gateway.cursors import cursor_of
from tests.house import FORM, House
from tests.integration.gateway.conftest import Gateway, problem, until
from tests.integration.gateway.test_attention import parked, waiting
from tests.unit.gateway.test_openapi import DESCRIBED
from workflows.onboarding.messages import workflow_id


async def store(house: House, number: int, tenant: str, stage: str = "received") -> str:
    """An onboarding that was stored `number` seconds after the first."""
    id_ = f"{number:026}".translate(str.maketrans("0189", "abcd"))
    async with transaction(house.engine) as connection:
        await onboardings.store(connection, id_=id_, tenant=tenant, form=FORM, created_by="test")
    await house.rows(
        "UPDATE onboardings SET stage = :stage,"
        " created_at = timestamptz '2026-01-31T00:00:00Z' + :after WHERE id = :id",
        id=id_,
        stage=stage,
        after=timedelta(seconds=number // 2),  # two at each time: the id decides
    )
    return id_


async def pages(gateway: Gateway, path: str, **params: Any) -> list[list[str]]:
    found, cursor = [], None
    while True:
        asked = params | ({"cursor": cursor} if cursor else {})
        page = (await gateway.operator.get(path, **asked)).json()
        found.append([one["id"] for one in page["items"]])
        cursor = page["next"]
        if cursor is None:
            return found


async def test_pages_are_whole_whatever_comes_meanwhile(gateway: Gateway, house: House) -> None:
    ids = [await store(house, number, "acme") for number in range(25)]
    found = await pages(gateway, "/v1/onboardings", limit=10)
    assert [len(page) for page in found] == [10, 10, 5]
    assert [one for page in found for one in page] == ids[::-1]
    first = (await gateway.operator.get("/v1/onboardings", limit=10)).json()
    await store(house, 30, "acme")
    second = await gateway.operator.get("/v1/onboardings", limit=10, cursor=first["next"])
    assert [one["id"] for one in second.json()["items"]] == ids[14:4:-1]


async def test_the_last_page_says_that_it_is(gateway: Gateway, house: House) -> None:
    for number in range(10):
        await store(house, number, "acme")
    assert [len(page) for page in await pages(gateway, "/v1/onboardings", limit=5)] == [5, 5]
    assert [len(page) for page in await pages(gateway, "/v1/onboardings", limit=100)] == [10]


async def test_lists_are_filtered(gateway: Gateway, house: House) -> None:
    early = await store(house, 0, "acme", "active")
    middle = await store(house, 2, "acme", "rejected")
    late = await store(house, 4, "other", "active")

    async def ids(**params: Any) -> list[str]:
        (page,) = await pages(gateway, "/v1/onboardings", **params)
        return page

    assert await ids() == [late, middle, early]
    assert await ids(stage="active") == [late, early]
    assert await ids(stage=["active", "rejected"], tenant="acme") == [middle, early]
    assert await ids(created_from="2026-01-31T00:00:01Z") == [late, middle]
    assert await ids(created_before="2026-01-31T01:00:01+01:00") == [early]
    assert await ids(tenant="nobody") == []


async def test_other_tenants_things_are_not_there(gateway: Gateway, house: House) -> None:
    theirs = await store(house, 1, "other")
    ours = await store(house, 2, "acme")
    listed = (await gateway.service.get("/v1/onboardings")).json()["items"]
    assert [one["id"] for one in listed] == [ours]
    problem(await gateway.service.get("/v1/onboardings", tenant="other"), 403, "other-tenant")
    problem(await gateway.service.get(f"/v1/onboardings/{theirs}"), 404, "not-found")
    reason = {"reason": "not theirs to take back"}
    path = f"/v1/onboardings/{theirs}/withdraw"
    problem(await gateway.service.post(path, reason), 404, "not-found")
    problem(await gateway.service.post(path, reason, tenant="other"), 403, "other-tenant")
    shown = await gateway.operator.get(f"/v1/onboardings/{theirs}")
    assert shown.json()["tenant"] == "other"


async def test_the_form_is_shown_and_where_no_worker_answers_the_stored_stage(
    gateway: Gateway, house: House
) -> None:
    id_ = await store(house, 1, "acme", "provisioning")
    await house.rows("UPDATE onboardings SET handed_over_at = now()")
    shown = (await gateway.service.get(f"/v1/onboardings/{id_}")).json()
    assert shown["stage"] == "provisioning"
    assert shown["progress"] is None
    assert shown["application"].items() >= FORM.items()


def fields(operation: dict[str, Any]) -> set[str]:
    """The fields of what an operation answers."""
    answered = operation["responses"]["200"]["content"].get("application/json", {})
    name = answered.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
    return set(DESCRIBED["components"]["schemas"].get(name, {}).get("properties", ()))


LISTS = [
    (path, operations["get"])
    for path, operations in DESCRIBED["paths"].items()
    if "get" in operations and "items" in fields(operations["get"])
]


WALKED_BY_TESTS_OF_THEIR_OWN = {
    *("/v1/customers", "/v1/identity-sessions", "/v1/reviews"),
    *("/v1/accounts", "/v1/payments", "/v1/reconciliations", "/v1/breaks", "/v1/matches"),
    "/v1/statements",
    "/v1/accounts/{account}/open",
}
WHOLE = {
    "/v1/onboardings/{id}/documents",
    "/v1/accounts/{account}/opening",
    "/v1/accounts/{account}/periods",
    "/v1/accounts/{account}/balances",
    "/v1/breaks/{id}",
}
"""Never long: the policy bounds the files of a kind; what is open at the beginning is counted, a
break is of some items; a year has twelve months, and a journal
some accounts in each currency."""


def test_every_list_is_here() -> None:
    assert {path for path, _ in LISTS} == {
        *("/v1/onboardings", "/v1/attention", "/v1/requests"),
        *WALKED_BY_TESTS_OF_THEIR_OWN,
        *WHOLE,
    }


def test_lists_are_asked_and_answer_alike() -> None:
    """One name means one thing, in every list; but for words of which each list has its own."""
    meanings: dict[str, Any] = {}
    for path, operation in LISTS:
        if path in WHOLE:
            continue
        parameters = {one["name"]: one for one in operation["parameters"]}
        assert {"cursor", "limit", "If-None-Match"} <= parameters.keys(), path
        assert {"items", "next"} <= fields(operation), path
        for name, parameter in parameters.items():
            if name in ("stage", "state", "owner", "account", "leg", "class", "status"):
                continue
            assert meanings.setdefault(name, parameter["schema"]) == parameter["schema"], name


@pytest.mark.parametrize(
    "path", [path for path, _ in LISTS if path not in WALKED_BY_TESTS_OF_THEIR_OWN | WHOLE]
)
async def test_every_list_is_walked_page_by_page(gateway: Gateway, house: House, path: str) -> None:
    async with house.working(max_cached_workflows=10):
        ids = [await parked(gateway) for _ in range(3)]
        if path == "/v1/attention":
            await until(lambda: waiting(gateway), lambda items: len(items) == 3)
    asked = {"workflow_id": workflow_id("acme", ids[0])} if path == "/v1/requests" else {}
    whole = (await gateway.operator.get(path, **asked, limit=100)).json()
    assert whole["next"] is None
    assert len(whole["items"]) >= 3
    found: list[Any] = []
    cursor: str | None = None
    while True:
        page = asked | {"limit": 1} | ({"cursor": cursor} if cursor else {})
        answer = (await gateway.operator.get(path, **page)).json()
        assert len(answer["items"]) <= 1
        found += answer["items"]
        cursor = answer["next"]
        if cursor is None:
            break
    assert found == whole["items"]
    for bad in ("nonsense", cursor_of(["x"]), cursor_of([1, 2])):
        told = problem(await gateway.operator.get(path, **asked, cursor=bad), 422, "invalid")
        assert told["errors"][0]["field"] == "cursor"
    for limit in (0, 101, "many"):
        told = problem(await gateway.operator.get(path, **asked, limit=limit), 422, "invalid")
        assert told["errors"][0]["field"] == "limit"
