"""Events on their way into the inbox: many requests, one statement."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import asyncpg
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from database import inbox
from database.connection import DatabaseDown, statement
from workflows.events import Event, NotAnEvent

_MOST_AT_ONCE = 500
_MOST_WAITING = 5000
_NO_ROW_FOR_IT = (asyncpg.DataError, asyncpg.ProgramLimitExceededError)
"""What Postgres, or its driver, says of text that it cannot hold, and of ids of 100,000 letters."""

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class _Arrival:
    event: Event
    kept: asyncio.Future[None]


class InboxWriter:
    """Writes what has arrived while the last batch was written. `news` is set after each commit."""

    def __init__(self, engine: AsyncEngine, news: asyncio.Event) -> None:
        self._news = news
        self._engine = engine
        self._arrivals: list[_Arrival] = []
        self._arrived = asyncio.Event()

    async def take_in(self, event: Event) -> None:
        """Returns once the event is committed. Raises DatabaseDown, or NotAnEvent."""
        if len(self._arrivals) >= _MOST_WAITING:
            raise DatabaseDown
        arrival = _Arrival(event, asyncio.get_running_loop().create_future())
        self._arrivals.append(arrival)
        self._arrived.set()
        await arrival.kept

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._arrivals:
                await self._write(self._batches())

    def _batches(self) -> Iterator[list[_Arrival]]:
        while self._arrivals:
            batch = self._arrivals[:_MOST_AT_ONCE]
            del self._arrivals[:_MOST_AT_ONCE]
            yield batch

    async def _write(self, batches: Iterator[list[_Arrival]]) -> None:
        """Write batches by one connection, until there are no more or one cannot be written."""
        batch = next(batches, [])
        try:
            async with statement(self._engine) as connection:
                while batch:
                    await inbox.take_in(connection, [arrival.event for arrival in batch])
                    self._acknowledge(batch)
                    batch = next(batches, [])
        except DatabaseDown:
            _refuse(batch, DatabaseDown)
        except _NO_ROW_FOR_IT as error:
            # One event that Postgres cannot hold must not take the others with it.
            if len(batch) > 1:
                for arrival in batch:
                    await self._write(iter([[arrival]]))
            else:
                log.error("event not kept", error=type(error).__name__)  # noqa: TRY400
                _refuse(batch, lambda: NotAnEvent("it holds text that cannot be stored"))
        except Exception as error:  # noqa: BLE001 - a defect must not end it for good
            log.error("events not kept", error=type(error).__name__)  # noqa: TRY400
            _refuse(batch, DatabaseDown)
        except asyncio.CancelledError:
            _refuse(batch, DatabaseDown)
            raise

    def _acknowledge(self, batch: Sequence[_Arrival]) -> None:
        self._news.set()
        for arrival in batch:
            if not arrival.kept.done():  # its caller may have hung up
                arrival.kept.set_result(None)


def _refuse(batch: Sequence[_Arrival], error: Callable[[], Exception]) -> None:
    """Each with an error of its own, since each raises it."""
    for arrival in batch:
        if not arrival.kept.done():
            arrival.kept.set_exception(error())
