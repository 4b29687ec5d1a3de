"""The directory by SCIM: what is sent, and what its failures and lost answers become."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.capabilities import Sent
from connectors.errors import ConnectorError, Refused, Unanswered
from connectors.http_api import HttpApi
from connectors.scim.directory import ScimDirectory
from simulators.front import ApiFaultKind
from tests.integration.connectors.conftest import IMPATIENT_SECONDS, directory_of
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


@pytest.mark.parametrize("kind", ["drop_after_commit", "timeout_after_commit"])
async def test_an_answer_that_got_lost_is_made_up_for(
    world: SimulatorHandle, kind: ApiFaultKind
) -> None:
    await world.directory.fault(kind, method="POST", path=USERS)
    async with directory_of(world, IMPATIENT_SECONDS) as directory:
        with pytest.raises(Unanswered) as lost:
            await _create(directory)
        assert lost.value.type == "directory.connection"
        user = await _create(directory)
    assert [each["id"] for each in await _users(world)] == [user]
    assert (await world.directory.counters()).executed("POST", USERS) == 1


async def test_a_request_that_comes_late_is_taken_for_ours(world: SimulatorHandle) -> None:
    """The first is still under way when the second has looked and found nothing."""
    await world.directory.fault("slow_before_commit", method="POST", path=USERS, seconds=1.0)
    async with directory_of(world, IMPATIENT_SECONDS) as impatient:
        with pytest.raises(Unanswered):
            await _create(impatient)
    await world.directory.fault("slow_before_commit", method="POST", path=USERS, seconds=1.5)
    async with directory_of(world) as directory:
        user = await _create(directory)
    assert [each["id"] for each in await _users(world)] == [user]
    counters = await world.directory.counters()
    assert (counters.executed("POST", USERS), counters.of("POST", USERS, "refused")) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "type_", "pause"),
    [
        ("error_500", "directory.server", None),
        ("error_503", "directory.server", None),
        ("rate_limit_429", "directory.rate_limit", timedelta(seconds=7)),
        ("drop_before", "directory.connection", None),
    ],
)
async def test_what_may_pass_is_no_refusal(
    scim_directory: ScimDirectory,
    world: SimulatorHandle,
    kind: ApiFaultKind,
    type_: str,
    pause: timedelta | None,
) -> None:
    await world.directory.fault(kind, seconds=7)
    with pytest.raises(Unanswered) as failed:
        await _create(scim_directory)
    assert (failed.value.type, failed.value.retry_after) == (type_, pause)
    assert await _create(scim_directory)


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


async def test_a_wrong_address_does_not_look_like_gone(world: SimulatorHandle) -> None:
    async with directory_of(world) as directory:
        user = await _create(directory)
    http = HttpApi("directory.connection", f"{world.directory.url}/nowhere", world.directory.token)
    with pytest.raises(Refused):
        await ScimDirectory(http).delete_user(user)
    with pytest.raises(Refused):
        await ScimDirectory(http).remove_member(group_id="any", user_id=user)
    await http.close()


def _sent(key: str) -> Sent:
    return Sent(key, datetime.now(UTC))
