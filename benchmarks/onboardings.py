"""Onboardings carried out by our process and by its baselines, and what they cost."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import string
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import httpx
from sqlalchemy import text
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle

from benchmarks import plain
from benchmarks.stack import Stack
from database import onboardings
from database.connection import transaction
from workflows.handover import hand_over_onboarding
from workflows.onboarding.messages import Start, onboarding_id, workflow_id

Variant = Literal["process", "plain", "sequential"]
"""How an onboarding is carried out.

process     by our process
plain       the same activities in a plain workflow: local and at the same time where ours are
sequential  the same activities in a plain workflow, all regular ones, one after the other
"""
VARIANTS: tuple[Variant, ...] = ("process", "plain", "sequential")

TENANTS = tuple(f"benchmark-{letter}" for letter in "abcdefghijklmnop")
"""A tenant's customers are in one group, and a directory rewrites a group for each member."""
_STARTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
_SETTLING = 0.3
"""Seconds in which server and workers tidy up after the last answer: that is part of the work."""
_EFFECTS = text("""
    SELECT event AS effect, count(*) AS times FROM audit GROUP BY event
    UNION ALL SELECT 'decision', count(*) FROM decisions
    UNION ALL SELECT 'confirmation', count(*) FROM confirmations
    UNION ALL SELECT stage, count(*) FROM onboardings GROUP BY stage
""")
Handle = WorkflowHandle[Any, Any]


class NotTheSame(Exception):
    """A baseline does not do what our process does: what was measured would mean nothing."""


@dataclass(frozen=True)
class Load:
    """Many onboardings: how many a second, and the processor seconds of one by process."""

    per_second: float
    cpu: dict[str, float]

    @property
    def judged_cpu(self) -> float:
        """What counts: workers and Temporal, in seconds for one onboarding."""
        return self.cpu["worker"] + self.cpu["plain worker"] + self.cpu["temporal"]


@dataclass(frozen=True)
class Timed:
    """One onboarding alone: the seconds it took without those of its applicant, and its events."""

    seconds: float
    events: int


async def load(stack: Stack, variant: Variant, number: int, *, in_flight: int) -> Load:
    """Carry out `number` onboardings, `in_flight` at a time: as soon as one ends another begins.

    Begun all at once they would go in step, and worker and server wait for each other.
    """
    applicants = iter([await _apply(stack, tenant) for tenant in _tenants(number)])

    async def one_after_the_other() -> None:
        for applicant in applicants:
            await _carry_out(stack, variant, applicant)

    before, begun = stack.cpu(), time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(in_flight)))
    took = time.perf_counter() - begun
    await asyncio.sleep(_SETTLING)
    after = stack.cpu()
    return Load(number / took, {name: (after[name] - before[name]) / number for name in after})


async def timed(stack: Stack, variant: Variant, number: int) -> list[Timed]:
    """Carry out `number` onboardings, one after the other."""
    handles = [
        await _carry_out(stack, variant, await _apply(stack, tenant)) for tenant in _tenants(number)
    ]
    return [_timed((await handle.fetch_history()).events) for handle in handles]


async def check_sameness(stack: Stack, number: int) -> None:
    """Raise NotTheSame unless every variant has the same effects; warms everything up, too."""
    # What a tenant's customers share our process makes for the first; the baseline looks for it.
    for variant in VARIANTS[:2]:
        await load(stack, variant, len(TENANTS), in_flight=number)
    found: dict[Variant, Counter[str]] = {}
    for variant in VARIANTS:
        before = await _effects(stack)
        await load(stack, variant, number, in_flight=number)
        found[variant] = await _effects(stack) - before
    compare(found)


def compare(found: Mapping[Variant, Counter[str]]) -> None:
    """Raise NotTheSame unless every variant had the effects of our process, and as often."""
    for variant in VARIANTS:
        if differing := set(found[variant].items()) ^ set(found["process"].items()):
            raise NotTheSame(f"{variant} and our process differ in {sorted(differing)}")


@dataclass(frozen=True)
class _Applicant:
    tenant: str
    application: str


def _invented() -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(10)).capitalize()


def _tenants(number: int) -> Iterator[str]:
    """The tenants of so many applicants, one after another."""
    return itertools.islice(itertools.cycle(TENANTS), number)


async def _apply(stack: Stack, tenant: str) -> _Applicant:
    """Store an application, as the gateway does."""
    id_ = onboarding_id(tenant, secrets.token_hex(8))
    form = {
        "kind": "person",
        "name": f"{_invented()} {_invented()}",  # whoever is like another is looked at
        "email": f"{id_}@example.com",
        "country": "DE",
        "currency": "EUR",
        "tax_id": {"type": "eu_vat", "value": f"DE{secrets.randbelow(10**9):09}"},
    }
    async with transaction(stack.engine) as connection:
        await onboardings.store(connection, id_=id_, tenant=tenant, form=form, created_by=tenant)
    return _Applicant(tenant, id_)


async def _carry_out(stack: Stack, variant: Variant, applicant: _Applicant) -> Handle:
    """Start an onboarding and wait for its end."""
    process = workflow_id(applicant.tenant, applicant.application)
    if variant == "process":
        start = Start(application_id=applicant.application, tenant=applicant.tenant)
        await hand_over_onboarding(stack.client, start)
        handle: Handle = stack.client.get_workflow_handle(process)
    else:
        order = plain.Order(
            application_id=applicant.application, sequential=variant == "sequential"
        )
        handle = await stack.client.start_workflow(
            plain.PlainOnboarding.run, order, id=process, task_queue=plain.TASK_QUEUE
        )
    end = await handle.result()
    assert end == "active", f"{process} ended {end}"
    return handle


def _timed(events: Sequence[HistoryEvent]) -> Timed:
    """From the server's own clock: from the first to the last event, the waits taken out."""
    at: defaultdict[int, list[int]] = defaultdict(list)
    for event in events:
        at[event.event_type].append(event.event_time.ToNanoseconds())
    began = at[EventType.EVENT_TYPE_TIMER_STARTED]
    heard = at[EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED]
    # The applicant is waited for twice: to confirm their address, and to prove who they are.
    waited = sum(max(said - asked, 0) for asked, said in zip(began, heard, strict=True))
    return Timed(
        (events[-1].event_time.ToNanoseconds() - at[_STARTED][0] - waited) / 1e9, len(events)
    )


async def _effects(stack: Stack) -> Counter[str]:
    """What there is in our tables, the ledger apart, and what the outside was asked."""
    settings = stack.settings
    async with transaction(stack.engine) as connection:
        rows = (await connection.execute(_EFFECTS)).all()
    found = Counter({row.effect: row.times for row in rows})
    async with httpx.AsyncClient() as outside:
        for port in (
            settings.stripe_simulator_port,
            settings.directory_simulator_port,
            settings.crm_simulator_port,
        ):
            answer = await outside.get(f"http://127.0.0.1:{port}/_simulator/counters")
            for one in answer.json()["counters"]:
                found[f"{one['method']} {one['path']} {one['outcome']}"] += one["requests"]
    return found
