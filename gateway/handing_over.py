"""What is in the inbox goes on to Temporal as soon as it is committed."""

import asyncio
import contextlib
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from database.connection import DatabaseDown
from database.handover import drain_inbox
from workflows.handover import hand_over_event

_BATCH = 200
_LULL_SECONDS = 0.02
"""Events that come closer together are acknowledged first, and then go on together."""
_LONGEST_SECONDS = 1.0
"""How long that may keep a batch waiting."""

log = structlog.stdlib.get_logger(__name__)


async def keep_handing_over(engine: AsyncEngine, client: Client, news: asyncio.Event) -> None:
    """Drain the inbox at each piece of news, until cancelled. The schedule takes what is left."""
    tell = partial(hand_over_event, client)
    while True:
        await news.wait()
        await _lull(news)
        try:
            while await drain_inbox(engine, tell, limit=_BATCH):
                await _lull(news)
        except DatabaseDown:
            log.warning("hand-over left to the schedule", reason="our database does not answer")
        except Exception as error:  # noqa: BLE001 - a defect must not end it for good
            log.error("hand-over left to the schedule", error=type(error).__name__)  # noqa: TRY400


async def _lull(news: asyncio.Event) -> None:
    """Wait until no news have come for a moment, but not for ever."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST_SECONDS):
            while news.is_set():
                news.clear()
                await asyncio.sleep(_LULL_SECONDS)
