"""What the bodies of requests may be, and how they come in."""

import asyncio
import contextlib
import json
import re
from dataclasses import dataclass, replace

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from gateway.problems import Problem

_HEARD_OUT = 16 * 1024 * 1024
_HEARD_OUT_SECONDS = 5.0


@dataclass(frozen=True)
class Body:
    """What the body of a request may be: of which types, and how many bytes."""

    types: tuple[str, ...]
    limit: int
    how: str

    @property
    def is_json(self) -> bool:
        """Whether it says something, in place of being a file."""
        return self.types == ("application/json",)


API_LIMIT = 64 * 1024
"""Bytes that the body of an API request may have, unless it is a file."""
OPENING_LIMIT = 4 * 1024 * 1024
"""The same of an opening: there are thousands of open items where many payments are taken."""
JSON = Body(
    ("application/json",),
    API_LIMIT,
    "Send the body as JSON, not compressed, with `Content-Type: application/json`.",
)
OPENING = replace(JSON, limit=OPENING_LIMIT)
OPENINGS = re.compile(r"/v1/accounts/[^/]+/opening")
DOCUMENT_TYPES = ("application/pdf", "image/png", "image/jpeg")
UPLOADS = re.compile(r"/v1/onboardings/[^/]+/documents")
STATEMENT_TYPES = (
    "application/octet-stream",
    "application/xml",
    "text/xml",
    "text/plain",
    "text/csv",
    "application/x-ofx",
)
STATEMENTS = "/v1/statements"


def document(limit: int) -> Body:
    """The file itself is the body. What it is, is looked up in it: browsers do not always know."""
    return Body(
        (*DOCUMENT_TYPES, "application/octet-stream"),
        limit,
        "Send the file itself as the body, with its type as Content-Type: application/pdf, "
        "image/png or image/jpeg.",
    )


def statement(limit: int) -> Body:
    """The file itself is the body; its format is found by its content."""
    return Body(
        STATEMENT_TYPES,
        limit,
        "Send the file itself as the body, not compressed, with "
        "`Content-Type: application/octet-stream`.",
    )


class Incoming:
    """The body of a request as it comes in, up to `limit` bytes.

    Of JSON no object may say a key twice: some readers take the first one, and some the last.
    """

    def __init__(
        self, headers: Headers, receive: Receive, limit: int, *, is_json: bool = False
    ) -> None:
        self._receive = receive
        self._said = bytearray() if is_json else None
        self._limit = limit
        self._received = 0
        announced = headers.get("content-length", "")
        self._announced = int(announced) if announced.isdecimal() else 0
        self._asks = "expect" in headers
        self._more = bool(self._announced) or "transfer-encoding" in headers

    def refuse_if_announced_too_large(self) -> None:
        """Raises Problem (413)."""
        if self._announced > self._limit:
            raise self._too_large()

    async def __call__(self) -> Message:
        """The next piece. Raises Problem: 413 where it is one too many, 400 for a key twice."""
        message = await self._next()
        if self._received > self._limit:
            raise self._too_large()
        if self._said is not None:
            self._said += message.get("body", b"")
            if not self._more:
                _refuse_repeated_keys(self._said)
        return message

    async def hear_out(self) -> None:
        """Let the body come to its end, within bounds, before it is answered.

        Who is still sending when we hang up is told that the connection broke, and never the
        answer. Who asks before sending has sent nothing yet.
        """
        if self._more and (self._received or not self._asks):
            await self._pass_over_the_rest()

    async def _pass_over_the_rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HEARD_OUT_SECONDS):
                while self._more and self._received < self._limit + _HEARD_OUT:
                    await self._next()

    async def _next(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        self._more = message.get("more_body", False)
        return message

    def _too_large(self) -> Problem:
        return Problem(
            413,
            "too-large",
            f"The body is over {self._limit} bytes.",
            headers={"Connection": "close"},
        )


def _refuse_repeated_keys(body: bytearray) -> None:
    """Raises Problem (400). What is no JSON at all is told by whoever reads it."""
    with contextlib.suppress(ValueError, RecursionError):
        json.loads(body, object_pairs_hook=_once_each)


def _once_each(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise Problem(
            400, "malformed-json", "The body says a key twice in one object: say it once."
        )
