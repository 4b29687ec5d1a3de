"""yente in miniature answers as the API is described, and keeps what it was given."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.simulated import SimulatorHandle
from tests.simulated_api import SimulatedApi

EXAMPLE: dict[str, Any] = {"schema": "Person", "properties": {"name": "Vasko Drenov"}}
MATCH = "/match/default"
NEW: dict[str, Any] = {
    "id": "inv-950",
    "schema": "Person",
    "caption": "Tomislav Erfunden",
    "properties": {"name": ["Tomislav Erfunden"], "topics": ["sanction"]},
}


@pytest.fixture
async def yente(shared_world: SimulatorHandle) -> SimulatedApi:
    await shared_world.yente.reset()
    return shared_world.yente


async def match(api: SimulatedApi, query: dict[str, Any]) -> httpx.Response:
    return await api.request("POST", MATCH, json={"queries": {"q": query}})


async def test_an_example_is_answered_with_scored_entities(yente: SimulatedApi) -> None:
    answer = (await match(yente, EXAMPLE)).json()["responses"]["q"]
    assert answer["status"] == 200
    assert answer["total"] == {"value": 1, "relation": "eq"}
    assert answer["query"] == {"schema": "Person", "properties": {"name": ["Vasko Drenov"]}}
    (entity,) = answer["results"]
    assert (entity["id"], entity["score"], entity["match"]) == ("inv-001", 1.0, True)
    assert entity["properties"]["birthDate"] == ["1961-04-17"]
    assert entity["properties"]["country"] == ["bg"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/match/elsewhere", {"queries": {"q": EXAMPLE}}, 404),
        (MATCH, {"queries": {"q": {"properties": {"name": "Banana"}}}}, 422),
        (MATCH, {"queries": {"q": {"schema": "Fruit", "properties": {"name": "Banana"}}}}, 400),
        (MATCH, {"queries": {}}, 400),
        (MATCH, {"queries": {str(n): EXAMPLE for n in range(101)}}, 400),
        (MATCH, {}, 422),
    ],
)
async def test_what_cannot_be_matched_is_refused_as_yente_does(
    yente: SimulatedApi, path: str, body: dict[str, Any], status: int
) -> None:
    answer = await yente.request("POST", path, json=body)
    assert answer.status_code == status
    assert "detail" in answer.json()


async def test_the_catalog_has_a_version_that_changes_with_the_entities(
    yente: SimulatedApi,
) -> None:
    async def version() -> str:
        catalog = (await yente.request("GET", "/catalog")).json()
        (dataset,) = (one for one in catalog["datasets"] if one["name"] == "default")
        return str(dataset["index_version"])

    before = await version()
    assert await version() == before
    await yente.control("entities", NEW)
    assert await version() != before
    await yente.reset()
    assert await version() == before


async def test_who_has_no_key_gets_nothing(yente: SimulatedApi) -> None:
    for told in ({}, {"Authorization": f"Bearer {yente.token}"}, {"Authorization": "ApiKey no"}):
        async with httpx.AsyncClient(base_url=yente.url, headers=told) as anybody:
            assert (await anybody.get("/catalog")).status_code == 401


@pytest.mark.slow
async def test_what_it_was_given_is_there_after_kill_9(own_world: SimulatorHandle) -> None:
    await own_world.yente.control("entities", NEW)
    await own_world.kill()
    await own_world.start()
    found = (await match(own_world.yente, NEW)).json()["responses"]["q"]["results"]
    assert [one["id"] for one in found] == ["inv-950"]
