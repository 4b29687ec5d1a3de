"""The directory by a tenant API: what is sent, and what lost answers become."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.capabilities import Sent
from connectors.errors import ConnectorError, Refused, Unanswered
from connectors.http_api import HttpApi
from connectors.tenant_api.directory import TenantDirectory
from simulators.front import ApiFaultKind
from tests.integration.connectors.conftest import IMPATIENT_SECONDS, tenants_of
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


@pytest.mark.parametrize("kind", ["drop_after_commit", "timeout_after_commit"])
async def test_an_answer_that_got_lost_is_made_up_for(
    world: SimulatorHandle, kind: ApiFaultKind
) -> None:
    await world.tenants.fault(kind, method="POST", path=USERS)
    async with tenants_of(world, IMPATIENT_SECONDS) as directory:
        with pytest.raises(Unanswered) as lost:
            await _create(directory)
        assert lost.value.type == "directory.connection"
        user = await _create(directory)
    assert [each["id"] for each in await _items(world)] == [user]
    assert (await world.tenants.counters()).executed("POST", USERS) == 1


async def test_a_request_that_comes_late_is_taken_for_ours(world: SimulatorHandle) -> None:
    """The first is still under way when the second has looked and found nothing."""
    await world.tenants.fault("slow_before_commit", method="POST", path=USERS, seconds=1.0)
    async with tenants_of(world, IMPATIENT_SECONDS) as impatient:
        with pytest.raises(Unanswered):
            await _create(impatient)
    await world.tenants.fault("slow_before_commit", method="POST", path=USERS, seconds=1.5)
    async with tenants_of(world) as directory:
        user = await _create(directory)
    assert [each["id"] for each in await _items(world)] == [user]
    counters = await world.tenants.counters()
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
    tenant_directory: TenantDirectory,
    world: SimulatorHandle,
    kind: ApiFaultKind,
    type_: str,
    pause: timedelta | None,
) -> None:
    await world.tenants.fault(kind, seconds=7)
    with pytest.raises(Unanswered) as failed:
        await _create(tenant_directory)
    assert (failed.value.type, failed.value.retry_after) == (type_, pause)
    assert await _create(tenant_directory)


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
