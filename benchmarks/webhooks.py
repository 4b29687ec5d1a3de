"""Webhooks acknowledged by the gateway and by a bare route."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import text

from benchmarks.stack import WEBHOOK_SECRET, Stack
from database.connection import transaction

CONNECTIONS = 32
_WAITING = text("SELECT count(*) FROM inbox WHERE state = 'waiting'")
_COUNT = text("SELECT count(*) FROM inbox")
_EMPTY = text("TRUNCATE inbox")


class NotKept(Exception):
    """An event was not acknowledged, or is not there."""


@dataclass(frozen=True)
class Burst:
    """Events sent as fast as they are taken: how many a second, and the processor seconds of each.

    `handed_over_after` is how many seconds after the last acknowledgement nothing waited any more.
    """

    per_second: float
    cpu: dict[str, float]
    handed_over_after: float | None


async def events_of_an_onboarding(stack: Stack) -> list[dict[str, Any]]:
    """What Stripe tells about one customer who was onboarded, in the order it happened."""
    async with httpx.AsyncClient(
        base_url=stack.settings.stripe_api_base or "",
        headers={"Authorization": f"Bearer {stack.settings.secret('stripe_api_key')}"},
    ) as stripe:
        answer = (await stripe.get("/v1/events", params={"limit": 100})).raise_for_status()
    events: list[dict[str, Any]] = answer.json()["data"]
    last = next(one for one in events if one["type"].endswith("tax_id.created"))
    customer = last["data"]["object"]["customer"]
    process = next(
        one["data"]["object"]["metadata"]["workflow_id"]
        for one in events
        if one["type"] == "customer.created" and one["data"]["object"]["id"] == customer
    )
    of_it = [
        one
        for one in events
        if one is last or one["data"]["object"].get("metadata", {}).get("workflow_id") == process
    ]
    return of_it[::-1]


async def to_gateway(stack: Stack, events: list[dict[str, Any]], number: int) -> Burst:
    """Send events to our gateway, and wait until they have been handed over."""
    burst = await _burst(stack, stack.settings.gateway_port, events, number)
    begun = time.perf_counter()
    while await _scalar(stack, _WAITING):  # noqa: ASYNC110 - only Postgres knows
        await asyncio.sleep(0.01)
    handed_over_after = time.perf_counter() - begun
    await _check_and_empty(stack, number)
    return Burst(burst.per_second, burst.cpu, handed_over_after)


async def to_bare_route(stack: Stack, events: list[dict[str, Any]], number: int) -> Burst:
    """Send events to the bare route."""
    burst = await _burst(stack, stack.bare_port, events, number)
    await _check_and_empty(stack, number)
    return burst


async def _burst(stack: Stack, port: int, events: list[dict[str, Any]], number: int) -> Burst:
    requests = [_request(event) for event, _ in zip(cycle(events), range(number), strict=False)]
    waiting = iter(requests)
    loop = asyncio.get_running_loop()
    before, begun = stack.cpu(), time.perf_counter()
    connections = [
        (await loop.create_connection(lambda: Connection(waiting), "127.0.0.1", port))[1]
        for _ in range(CONNECTIONS)
    ]
    await asyncio.gather(*(connection.done for connection in connections))
    took = time.perf_counter() - begun
    after = stack.cpu()
    return Burst(
        number / took, {name: (after[name] - before[name]) / number for name in after}, None
    )


class Connection(asyncio.Protocol):
    """Sends one request after the other; quick enough not to be what is measured."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send_next()

    def data_received(self, data: bytes) -> None:
        """Send the next once this one is acknowledged; such answers have no body."""
        self._answer += data
        if not self._answer.endswith(b"\r\n\r\n"):
            return
        if not self._answer.startswith(b"HTTP/1.1 204"):
            self._fail(NotKept(f"not acknowledged: {self._answer[:100]!r}"))
            return
        self._answer = b""
        self._send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail, unless all was said."""
        self._fail(NotKept("the connection was closed"))

    def _send_next(self) -> None:
        request = next(self._requests, None)
        if request is not None:
            self._transport.write(request)
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()

    def _fail(self, error: NotKept) -> None:
        if not self.done.done():
            self.done.set_exception(error)


def _request(event: dict[str, Any]) -> bytes:
    """An event as Stripe sends it, under an id of its own."""
    body = json.dumps({**event, "id": f"evt_{uuid4().hex}"}, indent=2).encode()
    at = int(time.time())
    code = hmac.new(WEBHOOK_SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    head = (
        "POST /webhooks/stripe HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        "Content-Type: application/json; charset=utf-8\r\n"
        f"Stripe-Signature: t={at},v1={code}\r\n"
        "User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _check_and_empty(stack: Stack, number: int) -> None:
    if (kept := await _scalar(stack, _COUNT)) != number:
        raise NotKept(f"{kept} of {number} events are in the inbox")
    async with transaction(stack.engine) as connection:
        await connection.execute(_EMPTY)


async def _scalar(stack: Stack, query: Any) -> int:
    async with transaction(stack.engine) as connection:
        return int((await connection.execute(query)).scalar_one())
