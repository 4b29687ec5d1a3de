"""The chores that pick up what fell through at the door."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from connectors.capabilities import EventFeed, Screening
from database import customers, documents, inbox, lost_runs, watermarks
from database.connection import transaction
from database.handover import drain_inbox, drain_onboardings
from database.spool import Spool
from workflows.handover import hand_over_event, hand_over_onboarding, tell_of_list
from workflows.request_key import Request
from workflows.step import implements
from workflows.upkeep import Report, UpkeepSteps

_OVERLAP = timedelta(minutes=5)
"""Events and closed runs become visible late: each sweep looks back over the last one's end."""
_FIRST_LOOK_BACK = timedelta(days=1)
_BATCH = 200
_AT_ONCE = 16
_TELLING_SECONDS = 90.0
"""So long a run tells customers of a new list: less than a chore may take."""
LEFT_BEHIND_SECONDS = 3600.0
"""An upload this old that nobody wants was cut off by a crash."""


class UpkeepActivities(UpkeepSteps):
    """The chores, on our database, Temporal, Stripe's events, the spool, and lists of persons."""

    def __init__(
        self,
        engine: AsyncEngine,
        client: Client,
        events: EventFeed,
        spool: Spool,
        lists: Screening,
    ) -> None:
        self._engine = engine
        self._client = client
        self._events = events
        self._spool = spool
        self._lists = lists

    @implements(UpkeepSteps.hand_over)
    async def hand_over(self, request: Request) -> Report:
        """Start what was stored and not started; hand over what waits in the inbox."""
        begin = partial(hand_over_onboarding, self._client)
        tell = partial(hand_over_event, self._client)
        started = await drain_onboardings(self._engine, begin, limit=_BATCH)
        handed_over = await drain_inbox(self._engine, tell, limit=_BATCH)
        return Report(found=started + handed_over)

    @implements(UpkeepSteps.sweep)
    async def sweep(self, request: Request) -> Report:
        """Take in the events since the last sweep; those that came by webhook are there already."""
        begun = datetime.now(UTC)
        async with transaction(self._engine) as connection:
            swept = await watermarks.read(connection, "stripe_events")
        since = (swept or begun - _FIRST_LOOK_BACK) - _OVERLAP
        events = [event async for event in self._events.since(since)]
        async with transaction(self._engine) as connection:
            found = await inbox.take_in(connection, events)
            await watermarks.move(connection, "stripe_events", begun)
        return Report(found=found)

    @implements(UpkeepSteps.find_lost_runs)
    async def find_lost_runs(self, request: Request) -> Report:
        """List runs that Temporal or somebody ended without their process coming to an end."""
        begun = datetime.now(UTC)
        async with transaction(self._engine) as connection:
            looked = await watermarks.read(connection, "lost_runs")
        since = (looked or begun - _FIRST_LOOK_BACK) - _OVERLAP
        query = (
            "WorkflowType IN ('CustomerOnboarding', 'CustomerLife', 'ReconcileAccount')"
            " AND ExecutionStatus IN ('Terminated', 'TimedOut', 'Failed', 'Canceled')"
            f" AND CloseTime > '{since.isoformat()}'"
        )
        found = 0
        async for run in self._client.list_workflows(query):
            latest = await self._client.get_workflow_handle(run.id).describe()
            if latest.run_id != run.run_id:  # reset or begun anew: the process goes on
                continue
            lost = lost_runs.LostRun(
                workflow_id=run.id,
                run_id=run.run_id,
                workflow_type=run.workflow_type,
                status=run.status.name.lower() if run.status else "unknown",
                ended_at=run.close_time or begun,
            )
            async with transaction(self._engine) as connection:
                found += await lost_runs.keep(connection, lost)
        async with transaction(self._engine) as connection:
            await watermarks.move(connection, "lost_runs", begun)
        return Report(found=found)

    @implements(UpkeepSteps.sweep_spool)
    async def sweep_spool(self, request: Request) -> Report:
        """Delete uploads that were cut off, and documents whose onboarding ended without them."""
        async with transaction(self._engine) as connection:
            for id_ in await documents.left_behind(connection):
                await documents.gone(connection, id_)
        parts = await asyncio.to_thread(self._spool.drop_old_parts, LEFT_BEHIND_SECONDS)
        old = await asyncio.to_thread(lambda: list(self._spool.old(LEFT_BEHIND_SECONDS)))
        async with transaction(self._engine) as connection:
            wanted = await documents.wanted(connection, old)
        unwanted = [id_ for id_ in old if id_ not in wanted]
        for id_ in unwanted:
            await asyncio.to_thread(self._spool.drop, id_)
        return Report(found=parts + len(unwanted))

    @implements(UpkeepSteps.tell_of_lists)
    async def tell_of_lists(self, request: Request) -> Report:
        """Tell customers' processes of the list's version; whom it is told already is left alone.

        Page by page, until each was tried once or the time of a run is up: the next one goes on
        with those whose turn it is. One that does not run is left to whoever sees to lost runs, and
        is told when it is back.
        """
        version, found = (await self._lists.current()).version, 0
        async with transaction(self._engine) as connection:
            begun = await customers.now(connection)
        until = time.monotonic() + _TELLING_SECONDS
        while True:
            async with transaction(self._engine) as connection:
                waiting = await customers.to_tell(
                    connection, version, not_since=begun, limit=_BATCH
                )
            if not waiting:
                break
            told = await self._tell_of_list(waiting, version)
            async with transaction(self._engine) as connection:
                await customers.told(
                    connection, version, told=told, tried=[one["id"] for one in waiting]
                )
            found += len(told)
            if time.monotonic() > until:
                break
        return Report(found=found)

    async def _tell_of_list(self, waiting: Sequence[RowMapping], version: str) -> list[str]:
        """Tell these customers' processes, several at once; the ids of those who heard it."""
        free = asyncio.Semaphore(_AT_ONCE)

        async def tell(process: str) -> bool:
            async with free:
                return await tell_of_list(self._client, process, version)

        heard = await asyncio.gather(*(tell(one["workflow_id"]) for one in waiting))
        return [one["id"] for one, told in zip(waiting, heard, strict=True) if told]
