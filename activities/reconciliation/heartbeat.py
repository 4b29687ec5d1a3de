"""How long work says that it is alive and how far it is, so that the next attempt goes on there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from pydantic import BaseModel
from temporalio import activity

_EVERY_SECONDS = 3.0

Place = TypeVar("Place", bound=BaseModel)


class Progress(Generic[Place]):
    """How far the work is. Outside an activity nobody is told."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def tell(self) -> None:
        """Say how far it is now: once what is done so far is committed."""
        if activity.in_activity():
            activity.heartbeat(self.place.model_dump(mode="json"))


@contextlib.asynccontextmanager
async def beating(start: Place) -> AsyncIterator[Progress[Place]]:
    """Tell of a place every few seconds: that of the attempt before, else `start`."""
    progress = Progress(_place_before(type(start)) or start)

    async def beat() -> None:
        while True:
            progress.tell()
            await asyncio.sleep(_EVERY_SECONDS)

    beats = asyncio.create_task(beat())
    try:
        yield progress
    finally:
        beats.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beats


def _place_before(shape: type[Place]) -> Place | None:
    if not activity.in_activity() or not activity.info().heartbeat_details:
        return None
    return shape.model_validate(activity.info().heartbeat_details[0])
