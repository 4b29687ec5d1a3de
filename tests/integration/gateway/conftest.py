"""A gateway in front of the house, and callers of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from gateway.app import create_app
from tests.house import API_KEYS, FORM, House
from workers import gateway as process
from workers.ports import free_port

Found = TypeVar("Found")


class Door:
    """The gateway as a caller with a key sees it."""

    def __init__(self, http: httpx.AsyncClient, key: str) -> None:
        self._http = http
        self._key = key

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.send("GET", path, params=params)

    async def post(self, path: str, body: Any, **params: Any) -> httpx.Response:
        return await self.send("POST", path, json=body, params=params)

    async def sign_up(self, key: str | None = None, **form: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key or str(uuid4())}
        return await self.send("POST", "/v1/onboardings", json=FORM | form, headers=headers)

    async def send(
        self, method: str, path: str, headers: dict[str, str] | None = None, **rest: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._key}"} | (headers or {})
        return await self._http.request(method, path, headers=headers, **rest)


class Gateway:
    """A running gateway."""

    def __init__(self, http: httpx.AsyncClient, house: House) -> None:
        self.http = http
        self.house = house
        self.service = Door(http, API_KEYS["service"])
        self.operator = Door(http, API_KEYS["operator"])
        self.admin = Door(http, API_KEYS["admin"])


@asynccontextmanager
async def gateway_of(
    house: House, *, client: Client | None = None, database_port: int | None = None
) -> AsyncIterator[Gateway]:
    """A gateway of `house`; perhaps with another way to Temporal or to the database."""
    if database_port is not None:
        elsewhere = house.settings.model_copy(update={"database_port": database_port})
        house = replace(house, settings=elsewhere)
    async with process.options(house.settings, client or house.client) as options:
        app = create_app(options)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://gateway", timeout=30) as http,
        ):
            yield Gateway(http, house)


@pytest.fixture
async def gateway(house: House) -> AsyncIterator[Gateway]:
    async with gateway_of(house) as running:
        yield running


@pytest.fixture
def key() -> str:
    """A key that no other test uses: they share a Temporal server, which never forgets."""
    return f"{uuid4()} of ada@example.com"


@pytest.fixture
async def nowhere() -> Client:
    """A client for a Temporal that does not run."""
    address = f"127.0.0.1:{free_port()}"
    return await Client.connect(address, data_converter=pydantic_data_converter, lazy=True)


@pytest.fixture
async def silence() -> AsyncIterator[int]:
    """The port of a server that takes connections and never says a word."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            pass
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def until(
    look: Callable[[], Awaitable[Found]], wanted: Callable[[Found], Any], seconds: float = 15
) -> Found:
    """Look until it is as wanted."""
    async with asyncio.timeout(seconds):
        while not wanted(found := await look()):
            await asyncio.sleep(0.05)
        return found


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that an answer is, which must be this one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["type"] == f"urn:perdure:problem:{code}"
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert told["request_id"] == answer.headers["x-request-id"]
    return told
