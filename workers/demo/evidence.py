"""What is there after the play: at Stripe, in the mailbox, in our database, at Temporal.

Nothing here comes from what the play remembers but which onboardings it was about.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import Client, WorkflowFailureError

from database.connection import engine_for, transaction
from workers.demo.callers import Callers, Waiting
from workers.demo.cast import Applicant
from workers.demo.outside import (
    CustomerAtStripe,
    Letter,
    Outside,
    SessionAtStripe,
    TaxIdAtStripe,
)
from workers.demo.plot import Memory
from workers.demo.show import Row
from workers.settings import Settings

_PATIENCE = 10.0
_PAUSE = 0.2

_ONBOARDING = text("SELECT stage FROM onboardings WHERE workflow_id = :workflow_id")
_SIGNUPS = text("SELECT count(DISTINCT id) FROM applications WHERE form->>'email' = :email")
_LEDGER = text("""
    SELECT key, step, state, generation, result, token IS NOT NULL AS held
    FROM requests WHERE workflow_id = :workflow_id ORDER BY created_at
""")
_TRAIL = text("""
    SELECT details->>'stage' FROM audit
    WHERE workflow_id = :workflow_id AND event = 'onboarding.stage' ORDER BY id
""")
_DECISIONS = text("""
    SELECT kind, actor, actor_kind, reason, signature IS NOT NULL AS signed
    FROM decisions WHERE workflow_id = :workflow_id ORDER BY id
""")
_INBOX = text("SELECT id FROM inbox WHERE source = 'stripe' AND event_id = :event ORDER BY id")


@dataclass(frozen=True)
class LedgerRow:
    """A row of the request ledger: `held` says that somebody is at it."""

    key: str
    step: str
    state: str
    generation: int
    result: dict[str, Any] | None  # Any: each step's own
    held: bool


@dataclass(frozen=True)
class DecisionRow:
    """A decision that was kept; `signed` says that the gateway vouched for a person."""

    kind: str
    actor: str
    actor_kind: str
    reason: str
    signed: bool


@dataclass(frozen=True)
class WorkflowRun:
    """A run at Temporal: how it stands, and what it returned."""

    status: str
    result: str | None


@dataclass(frozen=True)
class Customer:
    """A customer at Stripe with its tax ids."""

    id: str
    tax_ids: tuple[TaxIdAtStripe, ...]


@dataclass(frozen=True)
class Event:
    """An event at Stripe: how often it was delivered, and its places in our inbox."""

    id: str
    type: str
    deliveries: int
    places: tuple[int, ...]


@dataclass(frozen=True)
class Found:
    """All that there is of one applicant."""

    applicant: Applicant
    workflow_id: str
    customers: tuple[Customer, ...]
    letters: tuple[Letter, ...]
    notices: tuple[Letter, ...]
    sessions: tuple[SessionAtStripe, ...]
    signups: int
    stage: str | None
    trail: tuple[str, ...]
    ledger: tuple[LedgerRow, ...]
    decisions: tuple[DecisionRow, ...]
    runs: tuple[WorkflowRun, ...]
    workers: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """All that there is.

    `events` are those whose webhooks were made to go astray, oldest first; `waiting` is what the
    attention list has, `faults` what still goes wrong. `memory` is what the play saw on its way.
    """

    found: tuple[Found, ...]
    memory: Memory
    events: tuple[Event, ...]
    waiting: tuple[Waiting, ...]
    faults: int


class Investigation:
    """Looks at everything that a run may have left."""

    def __init__(
        self, settings: Settings, outside: Outside, callers: Callers, temporal: Client
    ) -> None:
        self._settings = settings
        self._outside = outside
        self._callers = callers
        self._temporal = temporal

    async def of(self, rows: Sequence[Row], memory: Memory) -> Evidence:
        """What there is of these applicants and of nobody else."""
        customers = await self._outside.customers(memory.since)
        sessions = await self._outside.sessions(memory.since)
        operators = self._settings.operators_email
        notices = await self._outside.letters(to=operators, subject="Parked")
        engine = engine_for(self._settings.database_url, application="perdure-demo", size=2)
        try:
            async with transaction(engine) as connection:
                found = [
                    await self._found(row, connection, customers, sessions, notices)
                    for row in rows
                    if row.onboarding is not None
                ]
                events = await self._events(connection, found, memory)
        finally:
            await engine.dispose()
        return Evidence(
            found=tuple(found),
            memory=memory,
            events=tuple(events),
            waiting=tuple(await self._callers.waiting()),
            faults=await self._outside.faults(),
        )

    async def _found(
        self,
        row: Row,
        connection: AsyncConnection,
        customers: Iterable[CustomerAtStripe],
        sessions: Iterable[SessionAtStripe],
        notices: Iterable[Letter],
    ) -> Found:
        assert row.onboarding is not None
        process, email = row.onboarding.workflow_id, row.applicant.application.email
        runs = await self._runs(process)  # first: what it writes is written once it has completed
        # By our mark or by address: one that lost its mark must not be overlooked.
        theirs = [
            one
            for one in customers
            if one.email == email or one.metadata.get("workflow_id") == process
        ]

        async def asked(query: Any) -> Sequence[RowMapping]:
            return (await connection.execute(query, {"workflow_id": process})).mappings().all()

        return Found(
            applicant=row.applicant,
            workflow_id=process,
            customers=tuple([await self._customer(one.id) for one in theirs]),
            letters=tuple(await self._outside.letters(to=email)),
            notices=tuple(one for one in notices if process in one.text),
            sessions=tuple(one for one in sessions if one.client_reference_id == row.onboarding.id),
            signups=await connection.scalar(_SIGNUPS, {"email": email}) or 0,
            stage=await connection.scalar(_ONBOARDING, {"workflow_id": process}),
            trail=tuple(await connection.scalars(_TRAIL, {"workflow_id": process})),
            ledger=tuple(LedgerRow(**one) for one in await asked(_LEDGER)),
            decisions=tuple(DecisionRow(**one) for one in await asked(_DECISIONS)),
            runs=tuple(runs),
            workers=tuple(await self._workers(process)),
        )

    async def _customer(self, customer: str) -> Customer:
        return Customer(customer, tuple(await self._outside.tax_ids(customer)))

    async def _runs(self, process: str) -> list[WorkflowRun]:
        """Every run of a process; one that is just about to complete is given the time for it."""
        runs = []
        async for run in self._temporal.list_workflows(f"WorkflowId = '{process}'"):
            handle = self._temporal.get_workflow_handle(run.id, run_id=run.run_id, result_type=str)
            try:
                async with asyncio.timeout(_PATIENCE):
                    runs.append(WorkflowRun("completed", await handle.result(follow_runs=False)))
            except (TimeoutError, WorkflowFailureError):
                status = (await handle.describe()).status
                runs.append(WorkflowRun(status.name.lower() if status else "unknown", None))
        return runs

    async def _workers(self, process: str) -> list[str]:
        """Which workers carried a process, by its history, in the order of their appearance."""
        workers: dict[str, None] = {}
        async for event in self._temporal.get_workflow_handle(process).fetch_history_events():
            for started in (
                event.workflow_task_started_event_attributes,
                event.activity_task_started_event_attributes,
            ):
                # Empty where the event is of another type.
                if started.identity:
                    workers[started.identity] = None
        return list(workers)

    async def _events(
        self, connection: AsyncConnection, found: Iterable[Found], memory: Memory
    ) -> list[Event]:
        """What happened to the identity sessions of those whose webhooks went astray."""
        theirs = {
            session.id
            for one in found
            if one.applicant.scene == "webhooks"
            for session in one.sessions
        }
        events = []
        for event in reversed(await self._outside.events(memory.since)):
            if event.data["object"].get("id") in theirs:
                deliveries = await self._delivered(event.id)
                places = await connection.scalars(_INBOX, {"event": event.id})
                events.append(Event(event.id, event.type, deliveries, tuple(places)))
        return events

    async def _delivered(self, event: str) -> int:
        """How often an event arrived; the last deliveries may still be under way."""
        limit = time.monotonic() + _PATIENCE
        while True:
            deliveries = await self._outside.deliveries(event)
            if all(one.state != "pending" for one in deliveries) or time.monotonic() > limit:
                return sum(one.state == "delivered" for one in deliveries)
            await asyncio.sleep(_PAUSE)
