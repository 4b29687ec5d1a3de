"""The directory by a tenant API: what is sent, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.capabilities import Sent
from connectors.errors import ConnectorError, Refused
from connectors.http_api import HttpApi
from connectors.tenant_api.directory import TenantDirectory
from tests.simulated import SimulatorHandle

USERS = "/v1/users"


async def _create(directory: TenantDirectory, key: str = "prd_1") -> str:
    return await directory.create_user(key, name="Ada Lovelace", email="ada@example.com")


async def _items(world: SimulatorHandle, path: str = USERS) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.tenants.request("GET", path)).json()["items"]
    return found


async def test_a_user_carries_our_key_and_is_in_the_group_once(
    tenant_directory: TenantDirectory, world: SimulatorHandle
) -> None:
    user = await _create(tenant_directory)
    assert await _items(world) == [
        {"id": user, "external_id": "prd_1", "email": "ada@example.com", "name": "Ada Lovelace"}
    ]
    group = await tenant_directory.create_group("prd_g", name="acme")
    for _ in range(2):
        await tenant_directory.add_member(group_id=group, user_id=user)
    assert await _items(world, f"/v1/groups/{group}/members") == [{"id": user}]


async def test_a_wrong_token_and_a_wrong_address_are_refusals(world: SimulatorHandle) -> None:
    url = world.tenants.url
    for base, token, type_ in (
        (f"{url}/v1", "wrong", "directory.auth"),
        (f"{url}/nowhere", world.tenants.token, "directory.invalid_request"),
    ):
        http = HttpApi("directory.connection", base, token)
        with pytest.raises(Refused) as refused:
            await TenantDirectory(http).find_user(Sent("prd_1", datetime.now(UTC)))
        assert refused.value.type == type_
        await http.close()


@pytest.mark.parametrize(
    ("email", "type_"),
    [("no address", "directory.invalid_request"), ("ADA@example.com", "directory.conflict")],
)
async def test_no_failure_repeats_who_applied(
    tenant_directory: TenantDirectory, email: str, type_: str
) -> None:
    await _create(tenant_directory)
    with pytest.raises(ConnectorError) as failed:
        await tenant_directory.create_user("prd_2", name="Ada Lovelace", email=email)
    assert failed.value.type == type_
    assert "address (" not in failed.value.text
    assert "example" not in failed.value.text
    assert "Ada" not in failed.value.text


async def test_what_was_made_survives_a_power_cut(
    tenant_directory: TenantDirectory, world: SimulatorHandle
) -> None:
    user = await _create(tenant_directory)
    await world.kill()
    await world.start()
    assert await tenant_directory.find_user(Sent("prd_1", datetime.now(UTC))) == user
