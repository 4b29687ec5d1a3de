"""Uploads: streamed into the spool, hashed on the way, and looked at to see what they are."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import puremagic
from starlette.requests import ClientDisconnect, Request

from database.spool import Part, Spool
from gateway.bodies import DOCUMENT_TYPES
from gateway.problems import FieldError, Problem, unavailable


@contextlib.asynccontextmanager
async def received(request: Request, spool: Spool) -> AsyncIterator[Part]:
    """The body of `request` in the spool; gone afterwards, unless it was kept.

    Raises Problem: 422 where it is empty, 400 where it was cut off, 503 where the disk fails.
    """
    async with on_disk():
        part = await asyncio.to_thread(spool.begin)
    try:
        async with on_disk():
            async for piece in request.stream():
                await asyncio.to_thread(part.write, piece)
        if part.size == 0:
            empty = [FieldError(field="body", message="is empty")]
            raise Problem(422, "invalid", "The file is empty.", errors=empty)
        yield part
    except ClientDisconnect:
        raise Problem(400, "cut-off", "The body has not come in full.") from None
    finally:
        await asyncio.to_thread(part.close)


@contextlib.asynccontextmanager
async def on_disk() -> AsyncIterator[None]:
    """Raises Problem (503) where the spool cannot be written."""
    try:
        yield
    except OSError:
        raise unavailable("The folder for uploads") from None


def media_type(part: Part) -> str:
    """What a file is, by how it begins: never what it was called. Raises Problem (415)."""
    try:
        found: str = puremagic.magic_string(part.head)[0].mime_type
    except (puremagic.PureError, ValueError, IndexError):
        found = ""
    if found not in DOCUMENT_TYPES:
        raise Problem(
            415,
            "unsupported-media-type",
            "Only PDF, PNG and JPEG are taken in, and the file is none of them, whatever its name "
            "says.",
        )
    return found
