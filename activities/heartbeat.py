"""Telling Temporal that long work goes on, while it does, and how far it is."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

from pydantic import BaseModel
from temporalio import activity

EVERY = 1.0
"""Seconds. A policy's heartbeat is several times as long; Temporal hears of it less often."""


Place = TypeVar("Place", bound=BaseModel)


@contextlib.asynccontextmanager
async def heartbeating() -> AsyncIterator[None]:
    """Say every few seconds that the activity is alive: for work that nobody sees inside of.

    Where Temporal answers that it is not wanted any more, it is cancelled as any activity is.
    """
    async with _every_few_seconds(activity.heartbeat):
        yield


class Progress(Generic[Place]):
    """How far an activity is that goes on, after a crash, where it was.

    Outside of activities nobody is told.
    """

    def __init__(self, place: Place) -> None:
        self.place = place

    def tell(self) -> None:
        """Say how far it is now: once what is done so far is committed."""
        if activity.in_activity():
            activity.heartbeat(self.place.model_dump(mode="json"))


@contextlib.asynccontextmanager
async def going_on(start: Place) -> AsyncIterator[Progress[Place]]:
    """`heartbeating` from where the attempt before was, else from `start`."""
    before = activity.info().heartbeat_details if activity.in_activity() else ()
    progress = Progress(type(start).model_validate(before[0]) if before else start)
    async with _every_few_seconds(progress.tell):
        yield progress


@contextlib.asynccontextmanager
async def _every_few_seconds(tell: Callable[[], None]) -> AsyncIterator[None]:
    async def beat() -> None:
        while True:
            tell()
            await asyncio.sleep(EVERY)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating
