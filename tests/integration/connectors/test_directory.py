"""The directory by SCIM: what is sent, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.capabilities import Sent
from connectors.errors import ConnectorError, Refused
from connectors.http_api import HttpApi
from connectors.scim.directory import ScimDirectory
from tests.integration.connectors.conftest import connection
from tests.simulated import SimulatorHandle

USERS = "/v2/Users"


async def _create(directory: ScimDirectory, key: str = "prd_1") -> str:
    return await directory.create_user(key, name="Ada Lovelace", email="ada@example.com")


async def _users(world: SimulatorHandle) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.directory.request("GET", USERS)).json()["Resources"]
    return found


async def test_a_user_carries_our_key_and_signs_in_by_address(
    scim_directory: ScimDirectory, world: SimulatorHandle
) -> None:
    user = await _create(scim_directory)
    [made] = await _users(world)
    assert made["id"] == user
    assert (made["externalId"], made["userName"]) == ("prd_1", "ada@example.com")
    assert made["displayName"] == "Ada Lovelace"
    assert made["emails"] == [{"value": "ada@example.com", "primary": True}]
    assert made["active"] is True


async def test_members_are_in_the_group_once(
    scim_directory: ScimDirectory, world: SimulatorHandle
) -> None:
    group = await scim_directory.create_group("prd_g", name="acme")
    user = await _create(scim_directory)
    for _ in range(2):
        await scim_directory.add_member(group_id=group, user_id=user)
    found = (await world.directory.request("GET", f"/v2/Groups/{group}")).json()
    assert found["displayName"] == "acme"
    assert [member["value"] for member in found["members"]] == [user]


async def test_a_wrong_token_and_a_wrong_address_are_refusals(world: SimulatorHandle) -> None:
    url = world.directory.url
    for base, token, type_ in (
        (f"{url}/v2", "wrong", "directory.auth"),
        (f"{url}/nowhere", world.directory.token, "directory.missing"),
        (world.stripe_url, world.directory.token, "directory.invalid_request"),
    ):
        http = HttpApi("directory.connection", base, token)
        with pytest.raises(Refused) as refused:
            await ScimDirectory(http).find_user(_sent("prd_1"))
        assert refused.value.type == type_
        await http.close()


async def test_what_scim_does_not_allow_is_refused_without_repeating_it(
    scim_directory: ScimDirectory,
) -> None:
    with pytest.raises(Refused) as refused:
        await scim_directory.create_user("prd_1", name="Ada", email="no address")
    assert refused.value.type == "directory.invalid_request"
    assert "no address" not in str(refused.value)
    assert refused.value.__cause__ is None


async def test_no_failure_repeats_who_applied(
    scim_directory: ScimDirectory, world: SimulatorHandle
) -> None:
    await _create(scim_directory)
    with pytest.raises(ConnectorError) as failed:
        await _create(scim_directory, "prd_2")
    assert failed.value.type == "directory.conflict"
    assert "uniqueness" in failed.value.text
    assert "example.com" not in failed.value.text


async def test_what_was_renamed_is_still_ours(
    scim_directory: ScimDirectory, world: SimulatorHandle
) -> None:
    user = await _create(scim_directory)
    rename = {"op": "replace", "path": "userName", "value": "countess@example.com"}
    patch = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [rename],
    }
    answer = await world.directory.request("PATCH", f"{USERS}/{user}", json=patch)
    assert answer.is_success, answer.text
    assert await _create(scim_directory) == user
    assert len(await _users(world)) == 1


async def test_a_wrong_address_does_not_look_like_gone(
    scim_directory: ScimDirectory, world: SimulatorHandle
) -> None:
    user = await _create(scim_directory)
    async with connection(world.directory, "/nowhere") as http:
        for nowhere in (
            ScimDirectory(http).delete_user(user),
            ScimDirectory(http).remove_member(group_id="any", user_id=user),
        ):
            with pytest.raises(Refused):
                await nowhere


def _sent(key: str) -> Sent:
    return Sent(key, datetime.now(UTC))
