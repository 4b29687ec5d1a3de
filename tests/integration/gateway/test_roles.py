"""Who may do what: every cell of the table, asked over HTTP."""

from __future__ import annotations

from typing import get_args

import pytest
from fastapi.routing import iter_route_contexts

from gateway.app import create_app
from gateway.roles import MAY
from tests.house import API_KEYS, House
from tests.integration.gateway.conftest import Door, Gateway, problem
from workers import gateway as process
from workflows.actor import Role

ROLES: tuple[Role, ...] = get_args(Role)


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
        method, path = operation.split(" ")
        filled = path.replace("{id}", f"{id_}-1" if "/reviews" in path else id_)
        filled = filled.replace("{hit}", "1")
        answer = await door.send(method, filled, json={} if method == "POST" else None)
        assert answer.status_code < 500, operation
        if answer.status_code == 403:
            problem(answer, 403, "role-missing")
        else:
            may.add(operation)
    assert may == {operation for operation, roles in MAY.items() if role in roles}


async def door_of(gateway: Gateway, role: Role, id_: str) -> Door:
    """A caller with this role and no other."""
    if role != "applicant":
        return Door(gateway.http, API_KEYS[role])
    made = await gateway.service.post(f"/v1/onboardings/{id_}/status-token", {})
    return Door(gateway.http, made.json()["token"])
