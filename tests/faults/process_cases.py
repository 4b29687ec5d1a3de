"""Cases of the effects that make up a process, and of the chores around it."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime

from tests.faults.intents import Bench, Case, Intent, into, named
from tests.house import TENANT
from tests.workflow.scripted import signed
from workflows.actor import Decision
from workflows.decisions import Notice, ProcessSteps, RecordDecision
from workflows.onboarding.confirmation import ConfirmationSteps, OpenConfirmation, SendConfirmation
from workflows.onboarding.decision import Decide
from workflows.onboarding.duplicates import DuplicateSteps, Relate
from workflows.onboarding.messages import (
    ForApplication,
    OpenSession,
    RecordStage,
    Reject,
    Start,
    Validate,
    Welcome,
)
from workflows.onboarding.steps import ApplicationSteps, IdentitySteps, NoticeSteps
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.progress import Reason
from workflows.request_key import Request
from workflows.step import Undo
from workflows.upkeep import UpkeepSteps

CASES: dict[str, Case] = {}
case = into(CASES)


@case(ApplicationSteps.receive)
async def _(bench: Bench) -> Intent:
    application, process = await bench.applied()
    key = named(ApplicationSteps.receive, process)
    # What it does is to note the hand-over: done again, it would move the time.
    sql = """onboardings o JOIN requests r ON r.workflow_id = o.workflow_id
             WHERE o.id = :id AND o.handed_over_at BETWEEN r.created_at AND r.settled_at"""
    return Intent(
        ForApplication(request_key=key, application_id=application),
        lambda: bench.count(sql, id=application),
    )


@case(ApplicationSteps.validate)
async def _(bench: Bench) -> Intent:
    application, process = await bench.applied()
    request = Validate(
        request_key=named(ApplicationSteps.validate, process),
        application_id=application,
        countries=("FR",),
        currencies=("EUR",),
        policy_version="1",
    )
    return Intent(request, lambda: bench.count("decisions WHERE workflow_id = :id", id=process))


@case(ApplicationSteps.decide)
async def _(bench: Bench) -> Intent:
    application, process = await bench.applied()
    key = named(ApplicationSteps.decide, process)
    request = Decide(request_key=key, application_id=application, identity="verified")
    return Intent(request, lambda: bench.count("decisions WHERE workflow_id = :id", id=process))


@case(ApplicationSteps.record_stage)
async def _(bench: Bench) -> Intent:
    application, process = await bench.applied()
    key = named(ApplicationSteps.record_stage, process, "validating")
    request = RecordStage(request_key=key, application_id=application, stage="validating")
    sql = "audit WHERE workflow_id = :id AND event = 'onboarding.stage'"
    return Intent(request, lambda: bench.count(sql, id=process))


@case(ConfirmationSteps.open)
async def _(bench: Bench) -> Intent:
    application, process = await bench.applied()
    key = named(ConfirmationSteps.open, process, "1")
    request = OpenConfirmation(request_key=key, application_id=application, link_seconds=60)
    sql = "audit WHERE workflow_id = :id AND event = 'confirmation.opened'"
    return Intent(request, lambda: bench.count(sql, id=process))


@case(ConfirmationSteps.send)
async def _(bench: Bench) -> Intent:
    application, process = await bench.applied()
    key = named(ConfirmationSteps.send, process, "1")

    async def received() -> int:
        return len(await bench.house.outside.messages(to=f"{application}@example.com"))

    request = SendConfirmation(request_key=key, application_id=application, until=4_000_000_000)
    return Intent(request, received)


@case(IdentitySteps.open_session)
async def open_session(bench: Bench) -> Intent:
    application, process = await bench.applied()
    key = named(IdentitySteps.open_session, process)

    async def opened() -> int:
        return len(await bench.sessions(process))

    return Intent(OpenSession(request_key=key, application_id=application), opened)


@case(IdentitySteps.close_session)
async def _(bench: Bench) -> Intent:
    made = await open_session(bench)
    session = await bench.act(IdentitySteps.open_session)(made.request)
    process = made.request.request_key.rsplit("/", 1)[0]
    outside = bench.house.outside

    async def closed() -> int:
        answer = await outside._http.get(
            f"{outside.stripe_url}/v1/events",
            params={"type": "identity.verification_session.redacted", "limit": 100},
            auth=(outside.api_key, ""),
        )
        events = answer.json()["data"]
        return sum(1 for event in events if event["data"]["object"]["id"] == session.session_id)

    key = named(IdentitySteps.close_session, process)
    return Intent(Undo(request_key=key, of=made.request.request_key), closed)


@case(NoticeSteps.welcome)
async def _(bench: Bench) -> Intent:
    application, process = await bench.applied()
    key = named(NoticeSteps.welcome, process)

    async def received() -> int:
        return len(await bench.house.outside.messages(to=f"{application}@example.com"))

    return Intent(Welcome(request_key=key, application_id=application), received)


@case(NoticeSteps.reject)
async def _(bench: Bench) -> Intent:
    application, process = await bench.applied()
    key = named(NoticeSteps.reject, process)

    async def received() -> int:
        return len(await bench.house.outside.messages(to=f"{application}@example.com"))

    request = Reject(
        request_key=key,
        application_id=application,
        codes=("not_accepted",),
        appeal_until=datetime.now(UTC),
    )
    return Intent(request, received)


@case(DuplicateSteps.relate)
async def _(bench: Bench) -> Intent:
    application, process = await bench.applied()
    other, _ = await bench.applied()
    await bench.house.rows(
        "INSERT INTO duplicates (onboarding, other, alike) VALUES (:one, :other, '{name}')",
        one=application,
        other=other,
    )
    request = Relate(
        request_key=named(DuplicateSteps.relate, process, "1"),
        application_id=application,
        other=other,
        relation="link",
    )
    sql = "audit WHERE workflow_id = :id AND event = 'duplicates.related'"
    return Intent(request, lambda: bench.count(sql, id=process))


@case(ProcessSteps.notify)
async def _(bench: Bench) -> Intent:
    _, process = await bench.applied()
    notice = Notice(
        request_key=named(ProcessSteps.notify, process, "1"),
        workflow_id=process,
        step=f"billing.{secrets.token_hex(4)}",
        summary="Create the customer",
        owner="operator",
        reason=Reason(kind="refused", type="stripe.card", text="no"),
    )

    async def received() -> int:
        return len(await bench.house.outside.messages(subject=notice.step))

    return Intent(notice, received)


@case(ProcessSteps.record_decision)
async def _(bench: Bench) -> Intent:
    _, process = await bench.applied()
    update = secrets.token_hex(8)
    request = RecordDecision(
        request_key=named(ProcessSteps.record_decision, process, update),
        workflow_id=process,
        update="withdraw",
        content={},
        decision=Decision(reason="moved away", by=signed(update)),
    )
    return Intent(request, lambda: bench.count("decisions WHERE update_id = :id", id=update))


@case(UpkeepSteps.hand_over)
async def _(bench: Bench) -> Intent:
    application, process = await bench.applied()
    await bench.house.rows(
        "UPDATE onboardings SET created_at = now() - interval '1 hour' WHERE id = :id",
        id=application,
    )

    async def started() -> int:
        query = f"WorkflowId = '{process}'"
        for _ in range(50):  # lists are a little behind
            if found := [run async for run in bench.house.client.list_workflows(query)]:
                return len(found)
            await asyncio.sleep(0.05)
        return 0

    return Intent(Request(), started)


@case(UpkeepSteps.sweep)
async def _(bench: Bench) -> Intent:
    opened = await open_session(bench)
    session = await bench.act(IdentitySteps.open_session)(opened.request)
    await bench.house.outside.submit_identity(session.session_id, "verified")
    sql = "inbox WHERE object_id = :id AND type = 'identity.verification_session.verified'"
    return Intent(Request(), lambda: bench.count(sql, id=session.session_id))


@case(UpkeepSteps.find_lost_runs)
async def _(bench: Bench) -> Intent:
    application, process = await bench.applied()
    handle = await bench.house.client.start_workflow(
        CustomerOnboarding.run,
        Start(application_id=application, tenant=TENANT),
        id=process,
        task_queue="nobody-works-here",
    )
    await handle.terminate("from outside")
    query = f"WorkflowId = '{process}' AND ExecutionStatus = 'Terminated'"
    for _ in range(100):
        if [run async for run in bench.house.client.list_workflows(query)]:
            break
        await asyncio.sleep(0.05)
    return Intent(Request(), lambda: bench.count("lost_runs WHERE workflow_id = :id", id=process))
