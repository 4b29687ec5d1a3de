"""Telling Temporal that long work goes on, while it does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from temporalio import activity

EVERY = 5.0
"""Seconds. A policy's heartbeat is several times as long."""


@contextlib.asynccontextmanager
async def heartbeating() -> AsyncIterator[None]:
    """Say every few seconds that the activity is alive: for work that nobody sees inside of.

    Where Temporal answers that it is not wanted any more, it is cancelled as any activity is.
    """

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(EVERY)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating
