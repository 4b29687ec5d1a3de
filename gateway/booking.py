"""What services put into the outbox is booked as soon as it is committed."""

import asyncio
import contextlib

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import DatabaseDown, driver_of, statement
from database.journal import outbox

_BATCH = 200
_LOOK_EVERY_SECONDS = 20.0
"""How often one looks without being told: a notification may be lost with its connection."""
_AGAIN_SECONDS = 1.0

log = structlog.stdlib.get_logger(__name__)


async def keep_booking(engine: AsyncEngine) -> None:
    """Book what is put into the outbox, until cancelled. Several may: each payment is one's."""
    while True:
        try:
            await _listen(engine)
        except DatabaseDown:
            log.warning("outbox waits", reason="our database does not answer")
        except Exception as error:  # noqa: BLE001 - a defect must not end it for good
            log.error("outbox waits", error=type(error).__name__)  # noqa: TRY400
        await asyncio.sleep(_AGAIN_SECONDS)


async def _listen(engine: AsyncEngine) -> None:
    """Listen by one connection, and drain whenever there are news. Raises DatabaseDown."""
    news = asyncio.Event()
    async with statement(engine) as connection:
        driver = driver_of(connection)

        def wake(*_: object) -> None:
            news.set()

        await driver.add_listener(outbox.CHANNEL, wake)
        driver.add_termination_listener(wake)
        try:
            while not driver.is_closed():
                news.clear()
                while await outbox.drain(engine, limit=_BATCH):
                    pass
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY_SECONDS):
                        await news.wait()
        finally:
            if not driver.is_closed():
                driver.remove_termination_listener(wake)
                await driver.remove_listener(outbox.CHANNEL, wake)
    raise DatabaseDown
