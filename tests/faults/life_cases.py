"""Cases of what is done about a customer after the onboarding."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from database import customers
from database.connection import transaction
from tests.faults.intents import Bench, Case, Intent, into, named
from tests.faults.provisioning_cases import create_customer
from tests.house import TENANT
from workflows.onboarding.life import (
    CUSTOMER_LIFE,
    AskForProof,
    Difference,
    RecordDifference,
    RecordLife,
    RecordProof,
    RecordScreening,
    TakeUp,
    customer_workflow_id,
)
from workflows.onboarding.life_steps import LifeSteps, ProofLetterSteps
from workflows.onboarding.steps import BillingSteps
from workflows.request_key import Request
from workflows.step import Undo
from workflows.upkeep import UpkeepSteps

CASES: dict[str, Case] = {}
case = into(CASES)

AT = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
AFTER = timedelta(days=1096)


async def _customer(bench: Bench) -> tuple[str, str]:
    """A new customer and the id of the process that watches over them."""
    application = await bench.house.apply()
    process = customer_workflow_id(TENANT, application)
    async with transaction(bench.house.engine) as connection:
        await customers.take_up(
            connection,
            id_=application,
            tenant=TENANT,
            workflow_id=process,
            since=AT,
            risk="medium",
            proved_at=AT,
            reverify_at=AT + AFTER,
        )
    return application, process


@case(LifeSteps.take_up)
async def _(bench: Bench) -> Intent:
    application, process = await _customer(bench)
    request = TakeUp(
        request_key=named(LifeSteps.take_up, process, "1"),
        application_id=application,
        tenant=TENANT,
        workflow_id=process,
        since=AT,
        risk="high",
        proved_at=AT,
        reverify_at=AT,
    )
    # What it does is to note the time: done again, it would move it.
    sql = """customers c JOIN requests r ON r.workflow_id = c.workflow_id
             WHERE c.id = :id AND c.risk = 'high'
               AND c.compared_at BETWEEN r.created_at AND r.settled_at"""
    return Intent(request, lambda: bench.count(sql, id=application))


@case(LifeSteps.record_stage)
async def _(bench: Bench) -> Intent:
    application, process = await _customer(bench)
    request = RecordLife(
        request_key=named(LifeSteps.record_stage, process, "offboarded-2"),
        application_id=application,
        stage="offboarded",
        keep_for=AFTER,
    )
    return Intent(request, _audited(bench, process, "customer.stage"))


@case(LifeSteps.record_proof)
async def _(bench: Bench) -> Intent:
    application, process = await _customer(bench)
    request = RecordProof(
        request_key=named(LifeSteps.record_proof, process, "reverify-1"),
        application_id=application,
        outcome="verified",
        proved_at=AT + AFTER,
        reverify_at=AT + 2 * AFTER,
    )
    return Intent(request, _audited(bench, process, "customer.proof"))


@case(LifeSteps.record_screening)
async def _(bench: Bench) -> Intent:
    application, process = await _customer(bench)
    request = RecordScreening(
        request_key=named(LifeSteps.record_screening, process, "again-1"),
        application_id=application,
        status="clear",
        list_version="2",
    )
    return Intent(request, _audited(bench, process, "customer.screening"))


@case(UpkeepSteps.tell_of_lists)
async def _(bench: Bench) -> Intent:
    application, process = await _customer(bench)
    # Nobody works on it: what it is told stays in its history.
    await bench.house.client.start_workflow(
        CUSTOMER_LIFE, "nothing", id=process, task_queue="nobody-works-here"
    )
    sql = "customers WHERE id = :id AND list_told IS NOT NULL"
    return Intent(Request(), lambda: bench.count(sql, id=application))


@case(LifeSteps.record_difference)
async def _(bench: Bench) -> Intent:
    application, process = await _customer(bench)
    request = RecordDifference(
        request_key=named(LifeSteps.record_difference, process, "user-1"),
        application_id=application,
        difference=Difference(thing="user", how="missing"),
        outcome="repaired",
    )
    return Intent(request, _audited(bench, process, "customer.difference"))


@case(ProofLetterSteps.ask_for_proof)
async def _(bench: Bench) -> Intent:
    application, process = await _customer(bench)
    key = named(ProofLetterSteps.ask_for_proof, process, "reverify-1")

    async def received() -> int:
        return len(await bench.house.outside.messages(to=f"{application}@example.com"))

    return Intent(AskForProof(request_key=key, application_id=application, until=AT), received)


@case(BillingSteps.close_customer)
async def _(bench: Bench) -> Intent:
    made = await create_customer(bench)
    await bench.act(BillingSteps.create_customer)(made.request)
    onboarding = made.request.request_key.rsplit("/", 1)[0]

    async def closed() -> int:
        return sum(
            customer["metadata"].get("state") == "closed"
            for customer in await bench.customers(onboarding)
        )

    key = named(BillingSteps.close_customer, onboarding.replace("onboarding/", "customer/"))
    return Intent(Undo(request_key=key, of=made.request.request_key), closed)


def _audited(bench: Bench, process: str, event: str) -> Callable[[], Awaitable[int]]:
    sql = "audit WHERE workflow_id = :id AND event = :event"
    return lambda: bench.count(sql, id=process, event=event)
