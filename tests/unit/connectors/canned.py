"""A server that gives prepared answers, byte by byte if it must."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from connectors.http_api import HttpApi
from connectors.stripe.api import StripeApi


@dataclass(frozen=True)
class Answer:
    """One answer; `pause` is how long each byte of the body takes, in seconds."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    pause: float = 0


def error(status: int, headers: Mapping[str, str] | None = None, **fields: str) -> Answer:
    """An error in Stripe's shape."""
    return Answer(status, json.dumps({"error": fields}), headers or {})


@contextlib.asynccontextmanager
async def answering(*answers: Answer, timeout: float = 5) -> AsyncIterator[StripeApi]:
    """Stripe's API at a server that gives these answers, one for each request, in order."""
    async with _server(*answers) as url:
        api = StripeApi("sk_test_canned", base_url=url, timeout=timeout)
        try:
            yield api
        finally:
            await api.close()


@contextlib.asynccontextmanager
async def serving(*answers: Answer, system: str, timeout: float = 5) -> AsyncIterator[HttpApi]:
    """The same, for a system that has no library of its own."""
    async with _server(*answers) as url:
        http = HttpApi(f"{system}.connection", url, "token", timeout=timeout)
        try:
            yield http
        finally:
            await http.close()


@contextlib.asynccontextmanager
async def _server(*answers: Answer) -> AsyncIterator[str]:
    waiting = list(answers)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await _one(waiting.pop(0), reader, writer)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _one(answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    _, found, length = request.partition("content-length: ")
    if found:
        await reader.readexactly(int(length.split()[0]))
    body = answer.body.encode("utf-8", "surrogateescape")
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "Request-Id": "req_canned",
        **answer.headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {answer.status} Canned\r\n{head}\r\n".encode())
    if not answer.pause:
        writer.write(body)
    for byte in body if answer.pause else b"":
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(answer.pause)
    await writer.drain()
