"""Who may do what: every cell of the table, asked over HTTP."""

from __future__ import annotations

from typing import get_args

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from gateway.app import create_app
from gateway.roles import MAY
from tests.house import API_KEYS, House
from tests.integration.gateway.conftest import Door, Gateway, gateway_of, give_key, problem
from workers import gateway as process
from workflows.actor import Role

OTHERS = {
    "{account}": "acme",
    "{payment}": "a" * 26,
    "{day}": "2026-01-31",
    "{month}": "2026-01",
    "{ordinal}": "1",
    "{name}": "a" * 32,
    "{hit}": "1",
    "{session}": "a" * 26,
    "{document}": "a" * 32,
    "{other}": "b" * 26,
}
ROLES: tuple[Role, ...] = get_args(Role)
DONE_BY_PEOPLE = {
    "POST /v1/onboardings/{id}/screening/hits/{hit}/judgement",
    "POST /v1/onboardings/{id}/documents/{document}/refusal",
    "POST /v1/onboardings/{id}/documents/{document}/acceptance",
    "POST /v1/identity-sessions/{session}/verified",
    "POST /v1/identity-sessions/{session}/failed",
    "POST /v1/reviews/{id}/claim",
    "POST /v1/reviews/{id}/release",
    "POST /v1/reviews/{id}/comments",
    "POST /v1/reviews/{id}/approve",
    "POST /v1/reviews/{id}/reject",
    "POST /v1/reviews/{id}/duplicates/{other}",
    "POST /v1/accounts/{account}/opening",
    "POST /v1/accounts/{account}/opening/approve",
    "POST /v1/accounts/{account}/opening/refuse",
    "POST /v1/matches/{id}/unmatch",
    "POST /v1/statements/{id}/withdraw",
    "POST /v1/statements/{id}/reinstate",
    *(
        f"POST /v1/accounts/{{account}}/periods/{{month}}/{done}"
        for done in ("close", "lock", "reopen")
    ),
}


async def test_every_operation_of_the_api_is_in_the_table(house: House) -> None:
    async with process.options(house.settings, house.client) as options:
        routes = iter_route_contexts(create_app(options).routes)
        there = {
            f"{method} {path}"
            for route in routes
            if (path := getattr(route, "path", "")).startswith("/v1/")
            for method in route.methods or ()
        }
    assert there == set(MAY)


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_do_what_the_table_says_and_nothing_else(
    gateway: Gateway, house: House, role: Role
) -> None:
    id_ = await house.apply()
    door = await door_of(gateway, role, id_)
    may = set()
    for operation in MAY:
        answer = await ask(door, operation, id_)
        assert answer.status_code < 500, operation
        if answer.status_code == 403:
            problem(answer, 403, "role-missing")
        else:
            may.add(operation)
    assert may == {operation for operation, roles in MAY.items() if role in roles}


async def test_a_service_does_nothing_that_is_for_people_whatever_its_roles(house: House) -> None:
    give_key(house, "robot", kind="service", tenant=None)
    id_ = await house.apply()
    refused = set()
    async with gateway_of(house) as gateway:
        for operation in MAY:
            answer = await ask(Door(gateway.http, "robot"), operation, id_)
            if answer.status_code == 403:
                problem(answer, 403, "not-a-person")
                refused.add(operation)
    assert refused == DONE_BY_PEOPLE


async def test_an_applicant_meets_no_onboarding_but_their_own(
    gateway: Gateway, house: House
) -> None:
    mine, other = await house.apply(), await house.apply()
    door = await door_of(gateway, "applicant", mine)
    theirs = [operation for operation, roles in MAY.items() if "applicant" in roles]
    assert theirs
    for operation in theirs:
        assert "{id}" in operation, "an applicant's operations are about one onboarding"
        answer = await ask(door, operation, other)
        assert answer.status_code == 404, operation


async def ask(door: Door, operation: str, id_: str) -> httpx.Response:
    """Do something about an onboarding, as far as the door goes: what is sent is empty."""
    method, path = operation.split(" ")
    path = path.replace("{id}", f"{id_}-1" if "/reviews" in path else id_)
    for name, value in OTHERS.items():
        path = path.replace(name, value)
    if method == "GET":
        return await door.send(method, path)
    if path.endswith("/documents"):
        return await door.send(method, path, {"Content-Type": "application/pdf"}, content=b"%PDF-")
    if path == "/v1/statements":
        return await door.send(method, path, {"Content-Type": "text/csv"}, content=b"Date")
    return await door.send(method, path, json={})


async def door_of(gateway: Gateway, role: Role, id_: str) -> Door:
    """A caller with this role and no other."""
    if role != "applicant":
        return Door(gateway.http, API_KEYS[role])
    made = await gateway.service.post(f"/v1/onboardings/{id_}/status-token", {})
    return Door(gateway.http, made.json()["token"])
