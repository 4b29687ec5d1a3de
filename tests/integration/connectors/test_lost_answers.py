"""What becomes of faults on the way to each system that is reached over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from connectors.errors import Unanswered
from connectors.hubspot.crm import HubSpotCrm
from connectors.scim.directory import ScimDirectory
from connectors.tenant_api.directory import TenantDirectory
from simulators.front import ApiFaultKind
from tests.integration.connectors.conftest import IMPATIENT_SECONDS, connection
from tests.simulated import SimulatorHandle
from tests.simulated_api import SimulatedApi


@dataclass(frozen=True)
class Reached:
    """One system: what its codes begin with, and how something is made there, and counted."""

    capability: str
    api: SimulatedApi
    make: Callable[[float], Awaitable[str]]
    """Make the same as before, with so many seconds of patience."""
    sent_to: str
    kept_at: str
    kept_as: str

    async def kept(self) -> list[str]:
        answer = await self.api.request("GET", self.kept_at)
        return [each["id"] for each in answer.json()[self.kept_as]]


def scim(world: SimulatorHandle) -> Reached:
    async def make(patience: float) -> str:
        async with connection(world.directory, "/v2", patience) as http:
            return await ScimDirectory(http).create_user("prd_1", name="Ada", email=ADDRESS)

    return Reached("directory", world.directory, make, "/v2/Users", "/v2/Users", "Resources")


def tenant_api(world: SimulatorHandle) -> Reached:
    async def make(patience: float) -> str:
        async with connection(world.tenants, "/v1", patience) as http:
            return await TenantDirectory(http).create_user("prd_1", name="Ada", email=ADDRESS)

    return Reached("directory", world.tenants, make, "/v1/users", "/v1/users", "items")


def hubspot(world: SimulatorHandle) -> Reached:
    async def make(patience: float) -> str:
        async with connection(world.crm, timeout=patience) as http:
            return await HubSpotCrm(http).create_contact(
                "prd_1", email=ADDRESS, country="DE", name="Ada", company=None
            )

    contacts = "/crm/v3/objects/contacts"
    return Reached("crm", world.crm, make, f"{contacts}/batch/upsert", contacts, "results")


ADDRESS = "ada@example.com"
DIRECTORIES = [scim, tenant_api]
ALL = [*DIRECTORIES, hubspot]


@pytest.fixture(params=ALL, ids=lambda system: system.__name__)
def system(request: pytest.FixtureRequest, world: SimulatorHandle) -> Reached:
    found: Reached = request.param(world)
    return found


@pytest.mark.parametrize("kind", ["drop_after_commit", "timeout_after_commit"])
async def test_an_answer_that_got_lost_is_made_up_for(system: Reached, kind: ApiFaultKind) -> None:
    await system.api.fault(kind, method="POST", path=system.sent_to)
    with pytest.raises(Unanswered) as lost:
        await system.make(IMPATIENT_SECONDS)
    assert lost.value.type == f"{system.capability}.connection"
    made = await system.make(30)
    assert await system.kept() == [made]


@pytest.mark.parametrize("system", DIRECTORIES, indirect=True, ids=lambda system: system.__name__)
async def test_a_request_that_comes_late_is_taken_for_ours(system: Reached) -> None:
    """The first is still under way when the second has looked and found nothing."""
    path = system.sent_to
    await system.api.fault("slow_before_commit", method="POST", path=path, seconds=2)
    with pytest.raises(Unanswered):
        await system.make(IMPATIENT_SECONDS)
    await system.api.fault("slow_before_commit", method="POST", path=path, seconds=2.5)
    made = await system.make(30)
    assert await system.kept() == [made]
    counters = await system.api.counters()
    assert (counters.executed("POST", path), counters.of("POST", path, "refused")) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "code", "pause"),
    [
        ("error_500", "server", None),
        ("error_503", "server", None),
        ("rate_limit_429", "rate_limit", timedelta(seconds=7)),
        ("drop_before", "connection", None),
    ],
)
async def test_what_may_pass_is_no_refusal(
    system: Reached, kind: ApiFaultKind, code: str, pause: timedelta | None
) -> None:
    await system.api.fault(kind, seconds=7 if pause else None)
    with pytest.raises(Unanswered) as failed:
        await system.make(30)
    assert failed.value.type == f"{system.capability}.{code}"
    assert failed.value.retry_after == pause
    assert await system.make(30)
