"""What is in the inbox goes on to Temporal as soon as it is committed."""

import asyncio
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from database.connection import DatabaseDown
from database.handover import drain_inbox
from workflows.handover import hand_over_event

_BATCH = 500
_GATHER_SECONDS = 0.02
"""What arrives in so short a time goes on together: half the work for our database."""

log = structlog.stdlib.get_logger(__name__)


async def keep_handing_over(engine: AsyncEngine, client: Client, news: asyncio.Event) -> None:
    """Drain the inbox at each piece of news, until cancelled. The schedule takes what is left."""
    tell = partial(hand_over_event, client)
    while True:
        await news.wait()
        await asyncio.sleep(_GATHER_SECONDS)
        news.clear()
        try:
            while await drain_inbox(engine, tell, limit=_BATCH):
                pass
        except DatabaseDown:
            log.warning("hand-over left to the schedule", reason="our database does not answer")
        except Exception as error:  # noqa: BLE001 - a defect must not end it for good
            log.error("hand-over left to the schedule", error=type(error).__name__)  # noqa: TRY400
