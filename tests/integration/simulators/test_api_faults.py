"""What stands before the directories and the CRM: who may ask, and faults that keep their word."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from simulators.front import ApiFaultKind
from tests.patience import SOON
from tests.simulated_api import SimulatedApi

CONTACTS = "/crm/v3/objects/contacts"


@dataclass
class System:
    """One simulated API, and how something new is made there."""

    api: SimulatedApi
    path: str
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def create(self, **given: Any) -> httpx.Response:
        name = f"{next(self.numbers)}"
        body = {
            "directory": {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": f"{name}@example.com",
            },
            "tenants": {"external_id": name, "email": f"{name}@example.com", "name": name},
            "crm": {"properties": {"email": f"{name}@example.com"}, "associations": []},
        }[self.api.name]
        return await self.api.request("POST", self.path, json=body, **given)

    async def there(self) -> int:
        """How many there are."""
        answer = (await self.api.request("GET", self.path)).raise_for_status().json()
        return len(answer.get("Resources") or answer.get("results") or answer.get("items") or ())

    async def struck(self) -> None:
        """Wait until no fault waits any more."""
        async with asyncio.timeout(SOON):
            while await self.api.faults():
                await asyncio.sleep(0.01)


@pytest.fixture(params=["directory", "tenants", "crm"])
def system(
    request: pytest.FixtureRequest,
    directory: SimulatedApi,
    tenants: SimulatedApi,
    crm: SimulatedApi,
) -> System:
    return {
        "directory": System(directory, "/v2/Users"),
        "tenants": System(tenants, "/v1/users"),
        "crm": System(crm, CONTACTS),
    }[request.param]


@pytest.mark.parametrize("authorization", [None, "wrong", "Bearer", "Bearer wrong", "Basic {}"])
async def test_who_has_no_token_gets_nothing(system: System, authorization: str | None) -> None:
    api = system.api
    told = {"Authorization": authorization.format(api.token)} if authorization else {}
    async with httpx.AsyncClient(base_url=api.url, headers=told) as anybody:
        for method in ("GET", "POST"):
            assert (await anybody.request(method, system.path)).status_code == 401
    assert (await api.counters()).of("GET", system.path, "refused") == 1
    assert await system.there() == 0


@pytest.mark.parametrize(
    ("kind", "status"), [("error_500", 500), ("error_503", 503), ("rate_limit_429", 429)]
)
async def test_an_error_answers_before_anything_ran(
    system: System, kind: ApiFaultKind, status: int
) -> None:
    await system.api.fault(kind, method="POST", seconds=7)
    answer = await system.create()
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("7" if status == 429 else None)
    assert await system.there() == 0
    counters = await system.api.counters()
    assert counters.of("POST", system.path, "faulted") == 1
    assert counters.executed("POST", system.path) == 0
    assert (await system.create()).status_code == 201


@pytest.mark.parametrize(("kind", "made"), [("drop_before", 0), ("drop_after_commit", 1)])
async def test_a_dropped_connection_loses_the_answer(
    system: System, kind: ApiFaultKind, made: int
) -> None:
    await system.api.fault(kind, method="POST")
    with pytest.raises(httpx.TransportError):
        await system.create()
    assert await system.there() == made
    assert (await system.api.counters()).executed("POST", system.path) == made
    assert (await system.create()).status_code == 201


async def test_a_time_out_comes_after_the_commit(system: System) -> None:
    await system.api.fault("timeout_after_commit", method="POST")
    with pytest.raises(httpx.ReadTimeout):
        await system.create(timeout=0.3)
    assert await system.there() == 1


async def test_a_held_answer_ends_without_one(system: System) -> None:
    await system.api.fault("timeout_after_commit", method="POST", seconds=0.1)
    begin = time.monotonic()
    with pytest.raises(httpx.TransportError):
        await system.create()
    assert time.monotonic() - begin >= 0.1
    assert await system.there() == 1


@pytest.mark.parametrize(("kind", "made"), [("slow_before_commit", 0), ("slow_after_commit", 1)])
async def test_a_slow_answer_comes_whole(system: System, kind: ApiFaultKind, made: int) -> None:
    await system.api.fault(kind, method="POST", seconds=1.5)
    begin = time.monotonic()
    creating = asyncio.create_task(system.create())
    await system.struck()
    assert await system.there() == made
    assert not creating.done()
    assert (await creating).status_code == 201
    assert time.monotonic() - begin >= 1.5
    assert await system.there() == 1


async def test_what_the_client_gave_up_on_is_done_all_the_same(system: System) -> None:
    await system.api.fault("slow_before_commit", method="POST", seconds=1.5)
    with pytest.raises(httpx.ReadTimeout):
        await system.create(timeout=0.15)
    assert await system.there() == 0
    async with asyncio.timeout(SOON):
        while not await system.there():
            await asyncio.sleep(0.02)


async def test_a_fault_strikes_so_many_times_where_it_matches(system: System) -> None:
    await system.api.fault("error_500", path=f"{system.path[:-2]}*", method="POST", times=2)
    await system.api.fault("error_503", path="/elsewhere")
    assert await system.there() == 0
    assert [(await system.create()).status_code for _ in range(3)] == [500, 500, 201]
    assert [fault["kind"] for fault in await system.api.faults()] == ["error_503"]


async def test_an_outage_lasts_until_it_is_cleared(system: System) -> None:
    await system.api.outage()
    assert {(await system.create()).status_code for _ in range(3)} == {503}
    await system.api.clear_faults()
    assert (await system.create()).status_code == 201
    assert await system.there() == 1


async def test_an_unknown_fault_is_refused(system: System) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="422"):
        await system.api.fault("moon")  # type: ignore[arg-type]
    assert await system.api.faults() == []


async def test_a_reset_forgets_records_counts_and_faults(system: System) -> None:
    await system.create()
    await system.api.outage()
    await system.api.reset()
    assert (await system.api.counters()).counts == ()
    assert await system.there() == 0
    assert (await system.create()).status_code == 201
