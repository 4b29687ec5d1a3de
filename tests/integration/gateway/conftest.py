"""A gateway in front of the house, and callers of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client

from gateway.app import create_app
from tests.house import API_KEYS, FORM, TENANT, House
from workers import gateway as process

__all__ = ["FORM", "TENANT"]


class Door:
    """The gateway as a caller with a key sees it."""

    def __init__(self, http: httpx.AsyncClient, key: str) -> None:
        self._http = http
        self._key = key

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self._send("GET", path, params=params)

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return await self._send("POST", path, json=body, headers=headers)

    async def sign_up(self, key: str | None = None, **form: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key or str(uuid4())}
        return await self._send("POST", "/v1/onboardings", json=FORM | form, headers=headers)

    async def _send(
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
async def gateway_of(house: House, client: Client | None = None) -> AsyncIterator[Gateway]:
    """A gateway of `house`; perhaps with another client for Temporal."""
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
