"""Whoever starts the gateway learns what it lacks."""

from __future__ import annotations

import time

from temporalio.client import Client

from tests.house import House
from tests.integration.gateway.conftest import Gateway, gateway_of, problem
from workers.ports import free_port


async def test_it_is_ready_when_everything_answers(gateway: Gateway) -> None:
    assert (await gateway.http.get("/healthz")).json() == {"status": "alive"}
    assert (await gateway.http.get("/readyz")).json() == {"status": "ready"}


async def test_it_is_alive_and_says_what_is_missing(house: House, nowhere: Client) -> None:
    async with gateway_of(house, client=nowhere, database_port=free_port()) as gateway:
        assert (await gateway.http.get("/healthz")).status_code == 200
        told = problem(await gateway.http.get("/readyz"), 503, "not-ready")
    assert {error["field"] for error in told["errors"]} == {"database", "temporal"}


async def test_a_database_that_hangs_is_said_to(house: House, silence: int) -> None:
    async with gateway_of(house, database_port=silence) as gateway:
        begun = time.monotonic()
        told = problem(await gateway.http.get("/readyz"), 503, "not-ready")
        assert time.monotonic() - begun < 10
    assert told["errors"] == [{"field": "database", "message": "does not answer"}]


async def test_migrations_of_another_release_are_said(gateway: Gateway, house: House) -> None:
    for other in ("0000", "9999"):
        await house.rows("UPDATE alembic_version SET version_num = :other", other=other)
        told = problem(await gateway.http.get("/readyz"), 503, "not-ready")
        assert [error["field"] for error in told["errors"]] == ["migrations"]
    await house.rows("DELETE FROM alembic_version")
    problem(await gateway.http.get("/readyz"), 503, "not-ready")
