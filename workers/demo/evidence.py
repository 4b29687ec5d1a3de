"""What is there after the play: outside, in our database, at Temporal.

Nothing here comes from what the play remembers but which onboardings it was about.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import Client

from database.connection import engine_for, transaction
from workers.demo.callers import Callers, Waiting
from workers.demo.cases import Case, case_of
from workers.demo.cast import Applicant, Run
from workers.demo.crm import RecordInCrm
from workers.demo.directory import GroupInDirectory, UserInDirectory
from workers.demo.memory import Memory
from workers.demo.outside import (
    ABOUT_DOCUMENTS,
    TO_CONFIRM,
    CustomerAtStripe,
    Letter,
    Outside,
    SessionAtStripe,
    TaxIdAtStripe,
)
from workers.demo.show import Row
from workers.demo.temporal import WorkflowRun, runs_of, workers_of
from workers.settings import Settings
from workflows.onboarding.application import Onboarding
from workflows.request_key import outside_key

_PATIENCE = 10.0
_PAUSE = 0.2

_ONBOARDING = text("SELECT stage FROM onboardings WHERE workflow_id = :workflow_id")
_SIGNUPS = text("SELECT count(DISTINCT id) FROM applications WHERE form->>'email' = :email")
_CONFIRMED = text("SELECT count(*) FROM confirmations WHERE id = :id")
_LEDGER = text("""
    SELECT key, step, state, generation, result, token IS NOT NULL AS held,
           created_at AS began, settled_at
    FROM requests WHERE workflow_id = :workflow_id ORDER BY created_at
""")
_TRAIL = text("""
    SELECT details->>'stage' FROM audit
    WHERE workflow_id = :workflow_id AND event = 'onboarding.stage' ORDER BY id
""")
_DECISIONS = text("""
    SELECT kind, actor, actor_kind, reason, signature IS NOT NULL AS signed, decided_at
    FROM decisions WHERE workflow_id = :workflow_id ORDER BY id
""")
_INBOX = text("SELECT id FROM inbox WHERE source = 'stripe' AND event_id = :event ORDER BY id")


@dataclass(frozen=True)
class LedgerRow:
    """A row of the request ledger: `held` says that somebody is at it.

    What was undone was settled when that was so.
    """

    key: str
    step: str
    state: str
    generation: int
    result: dict[str, Any] | None  # Any: each step's own
    held: bool
    began: datetime
    settled_at: datetime | None


@dataclass(frozen=True)
class DecisionRow:
    """A decision that was kept; `signed` says that the gateway vouched for a person."""

    kind: str
    actor: str
    actor_kind: str
    reason: str
    signed: bool
    decided_at: datetime


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
    """All that there is of one applicant. `memberships` has each place in a group by its id.

    `asked` are the letters about documents, `letters` all others but `confirmations`.
    """

    applicant: Applicant
    workflow_id: str
    customers: tuple[Customer, ...]
    users: tuple[UserInDirectory, ...]
    memberships: tuple[str, ...]
    contacts: tuple[RecordInCrm, ...]
    companies: tuple[RecordInCrm, ...]
    confirmations: tuple[Letter, ...]
    confirmed: int
    asked: tuple[Letter, ...]
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
    case: Case


@dataclass(frozen=True)
class Evidence:
    """All that there is.

    `events` are those whose webhooks were made to go astray, oldest first; `waiting` is what the
    attention list has, `faults` what still goes wrong. `groups` are those of the tenants,
    `stranger` is the user that somebody else made. `memory` is what the play saw on its way, `run`
    which performance it was.
    """

    run: Run
    found: tuple[Found, ...]
    memory: Memory
    groups: tuple[GroupInDirectory, ...]
    stranger: UserInDirectory | None
    events: tuple[Event, ...]
    waiting: tuple[Waiting, ...]
    faults: int


@dataclass(frozen=True)
class _There:
    """What the systems have since the play began, whoever it belongs to."""

    customers: Sequence[CustomerAtStripe]
    sessions: Sequence[SessionAtStripe]
    users: Sequence[UserInDirectory]
    groups: Sequence[GroupInDirectory]
    contacts: Sequence[RecordInCrm]
    companies: Sequence[RecordInCrm]
    notices: Sequence[Letter]

    def besides(self, marks: set[str], process: str) -> _There:
        """The same, without what carries the mark of another process."""
        return replace(
            self,
            customers=[one for one in self.customers if one.metadata.get("workflow_id") != process],
            users=[one for one in self.users if one.mark not in marks],
            contacts=[one for one in self.contacts if one.told.mark not in marks],
            companies=[one for one in self.companies if one.told.mark not in marks],
        )


class Investigation:
    """Looks at everything that a run may have left."""

    def __init__(
        self, run: Run, settings: Settings, outside: Outside, callers: Callers, temporal: Client
    ) -> None:
        self._run = run
        self._settings = settings
        self._outside = outside
        self._callers = callers
        self._temporal = temporal

    async def of(self, rows: Sequence[Row], memory: Memory) -> Evidence:
        """What there is of these applicants and of nobody else."""
        there = await self._there(rows, memory.since)
        engine = engine_for(self._settings.database_url, application="perdure-demo", size=2)
        try:
            async with transaction(engine) as connection:
                known = [row for row in rows if row.onboarding is not None]
                found = [await self._found(row, connection, there, known) for row in known]
                events = await self._events(connection, found, memory)
        finally:
            await engine.dispose()
        return Evidence(
            run=self._run,
            found=tuple(found),
            memory=memory,
            groups=tuple(there.groups),
            stranger=next((one for one in there.users if one.id in _strangers(memory)), None),
            events=tuple(events),
            waiting=tuple(await self._callers.waiting()),
            faults=await self._outside.faults(),
        )

    async def _there(self, rows: Sequence[Row], since: int) -> _There:
        outside = self._outside
        tenants = {row.onboarding.tenant for row in rows if row.onboarding is not None}
        groups = [await outside.directory.groups(tenant) for tenant in sorted(tenants)]
        return _There(
            customers=await outside.customers(since),
            sessions=await outside.sessions(since),
            users=await outside.directory.users(since),
            groups=[group for of_tenant in groups for group in of_tenant],
            contacts=await outside.crm.contacts(since),
            companies=await outside.crm.companies(since),
            notices=await outside.letters(to=self._settings.operators_email, subject="Parked"),
        )

    async def _found(
        self, row: Row, connection: AsyncConnection, there: _There, known: Sequence[Row]
    ) -> Found:
        assert row.onboarding is not None
        process, application = row.onboarding.workflow_id, row.applicant.application
        runs = await runs_of(
            self._temporal, process
        )  # first: what it writes is written once it has completed

        async def asked(query: Any, process: str = process) -> Sequence[RowMapping]:
            return (await connection.execute(query, {"workflow_id": process})).mappings().all()

        ledger = [LedgerRow(**one) for one in await asked(_LEDGER)]
        for other in _of_the_same(row, known):
            others = [LedgerRow(**one) for one in await asked(_LEDGER, other.workflow_id)]
            there = there.besides(_marks(others), other.workflow_id)
        # By our mark, by address or by name: one that lost its mark must not be overlooked.
        name, email, marks = application.name, application.email, _marks(ledger)
        customers = [
            one
            for one in there.customers
            if one.email == email or one.metadata.get("workflow_id") == process
        ]
        users = [
            one
            for one in there.users
            if one.mark in marks or one.name == email or one.display_name == name
        ]
        contacts = [
            one
            for one in there.contacts
            if one.told.mark in marks or one.told.email == email or one.called == name
        ]
        companies = [one for one in there.companies if one.told.mark in marks or one.called == name]
        onboarding = row.onboarding.id
        letters = [
            letter
            for letter in await self._outside.letters(to=email)
            if not any(other.id in letter.text for other in _of_the_same(row, known))
        ]
        return Found(
            applicant=row.applicant,
            workflow_id=process,
            customers=tuple([await self._customer(one.id) for one in customers]),
            users=tuple(users),
            memberships=tuple(_memberships(there.groups, users, ledger)),
            contacts=tuple(contacts),
            companies=tuple(companies),
            confirmations=tuple(one for one in letters if one.subject == TO_CONFIRM),
            confirmed=await connection.scalar(_CONFIRMED, {"id": onboarding}) or 0,
            asked=tuple(one for one in letters if ABOUT_DOCUMENTS in one.subject),
            letters=tuple(one for one in letters if not _of_course(one)),
            notices=tuple(one for one in there.notices if process in one.text),
            sessions=tuple(one for one in there.sessions if one.client_reference_id == onboarding),
            signups=await connection.scalar(_SIGNUPS, {"email": email}) or 0,
            stage=await connection.scalar(_ONBOARDING, {"workflow_id": process}),
            trail=tuple(await connection.scalars(_TRAIL, {"workflow_id": process})),
            ledger=tuple(ledger),
            decisions=tuple(DecisionRow(**one) for one in await asked(_DECISIONS)),
            runs=tuple(runs),
            workers=tuple(await workers_of(self._temporal, process)),
            case=await case_of(
                connection, self._callers.reviewers, id_=onboarding, process=process
            ),
        )

    async def _customer(self, customer: str) -> Customer:
        return Customer(customer, tuple(await self._outside.tax_ids(customer)))

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


def _marks(ledger: Iterable[LedgerRow]) -> set[str]:
    """What carries our mark carries one of these, in whichever generation it was made."""
    return {
        outside_key(row.key, generation)
        for row in ledger
        for generation in range(1, row.generation + 1)
    }


def _memberships(
    groups: Iterable[GroupInDirectory],
    users: Iterable[UserInDirectory],
    ledger: Iterable[LedgerRow],
) -> list[str]:
    """Places in groups: of users that are there, and of those that we made and are not."""
    theirs = {one.id for one in users} | {
        (row.result or {}).get("user_id") for row in ledger if row.step == "directory.create_user"
    }
    return [group.id for group in groups for member in group.members if member.user in theirs]


def _of_the_same(row: Row, known: Iterable[Row]) -> list[Onboarding]:
    """The other onboardings of an applicant: what was appealed against, and the appeal."""
    email = row.applicant.application.email
    same = (one for one in known if one.applicant.application.email == email and one is not row)
    return [one.onboarding for one in same if one.onboarding is not None]


def _of_course(letter: Letter) -> bool:
    """Whether a letter is one of those that are told apart."""
    return letter.subject == TO_CONFIRM or ABOUT_DOCUMENTS in letter.subject


def _strangers(memory: Memory) -> set[str]:
    return {one.id for one in memory.stranger}
