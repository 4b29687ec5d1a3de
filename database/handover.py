"""What waits in our database until Temporal has taken it: signups not started, events not told.

Whatever can be handed over is; what cannot stays and is tried again. Several may drain at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from itertools import groupby

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from database import inbox, onboardings
from database.connection import transaction
from database.inbox import Waiting
from workflows.events import Event, NotTaken
from workflows.onboarding.messages import Start

log = structlog.stdlib.get_logger(__name__)

Tell = Callable[[Event], Awaitable[str | None]]
"""Hands one event over; the answer says why nobody was told. Raises NotTaken."""
Begin = Callable[[Start], Awaitable[object]]
"""Starts one onboarding. Raises NotTaken."""

_AT_ONCE = 16
_STILL_AT_THE_DOOR = timedelta(seconds=10)
"""So long the request that brought a signup may still be starting it itself."""


async def drain_onboardings(
    engine: AsyncEngine,
    begin: Begin,
    *,
    limit: int,
    older_than: timedelta = _STILL_AT_THE_DOOR,
) -> int:
    """Start up to `limit` onboardings that were stored and never started; how many were.

    Raises DatabaseDown.
    """
    async with transaction(engine) as connection:
        waiting = await onboardings.to_hand_over(connection, older_than=older_than, limit=limit)
    begun = 0
    for row in waiting:
        try:
            await begin(Start(application_id=row["id"], tenant=row["tenant"]))
        except NotTaken:
            break
        except Exception as error:  # noqa: BLE001 - one that cannot be started must not stop the rest
            log.error("not started", onboarding=row["id"], error=type(error).__name__)  # noqa: TRY400
            continue
        async with transaction(engine) as connection:
            await onboardings.handed_over(connection, row["id"])
        begun += 1
    return begun


async def drain_inbox(engine: AsyncEngine, tell: Tell, *, limit: int) -> int:
    """Hand over up to `limit` events; how many are settled.

    Events of one process go one after the other, those of different processes at the same time.
    Raises DatabaseDown; events that were claimed come back when their lease is over.
    """
    async with transaction(engine) as connection:
        claimed = await inbox.claim(connection, limit)
    if not claimed:
        return 0
    free = asyncio.Semaphore(_AT_ONCE)
    told = await asyncio.gather(*(_tell_all(events, tell, free) for events in _by_process(claimed)))
    settled: dict[int, str | None] = {}
    postponed: dict[int, str] = {}
    for event, note in (one for process in told for one in process):
        if isinstance(note, NotTaken):
            postponed[event.id] = str(note)
        else:
            settled[event.id] = note
    async with transaction(engine) as connection:
        if settled:
            await inbox.settle(connection, settled)
        if postponed:
            await inbox.postpone(connection, postponed)
    return len(settled)


async def _tell_all(
    events: Sequence[Waiting], tell: Tell, free: asyncio.Semaphore
) -> list[tuple[Waiting, str | NotTaken | None]]:
    """Tell one process its events, and what came of each. Who does not answer is asked once."""
    outcomes: list[tuple[Waiting, str | NotTaken | None]] = []
    down: NotTaken | None = None
    async with free:
        for event in events:
            try:
                outcomes.append((event, down or await tell(event)))
            except NotTaken as no:
                down = no
                outcomes.append((event, down))
    return outcomes


def _by_process(claimed: Sequence[Waiting]) -> list[list[Waiting]]:
    """The events of each process in the order in which they happened."""
    ordered = sorted(
        claimed, key=lambda event: (event.workflow_id or "", event.happened_at, event.id)
    )
    return [list(events) for _, events in groupby(ordered, key=lambda event: event.workflow_id)]
