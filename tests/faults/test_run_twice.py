"""Every effect has one outcome, however often, at once, and through whatever crash it is asked."""

from __future__ import annotations

import asyncio
import functools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.crashing import Died, dying, until_done
from tests.house import TENANT, House
from tests.simulated import SimulatorHandle
from tests.workflow.scripted import signed
from workers import onboarding as worker
from workflows.actor import Decision
from workflows.decisions import Notice, ProcessSteps, RecordDecision
from workflows.onboarding.messages import (
    CreateCustomer,
    CreateTaxId,
    Decide,
    ForApplication,
    OpenSession,
    RecordStage,
    Start,
    Validate,
    Welcome,
    workflow_id,
)
from workflows.onboarding.steps import ApplicationSteps, BillingSteps, IdentitySteps, NoticeSteps
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.progress import Reason
from workflows.request_key import Request, request_key
from workflows.step import Undo, declaration_of
from workflows.upkeep import UpkeepSteps

Step = Callable[..., Any]
Act = Callable[[Request], Awaitable[Any]]


@dataclass
class Intent:
    """One effect to have: what is asked, and how often it happened."""

    request: Request
    happened: Callable[[], Awaitable[int]]


@dataclass
class Bench:
    """The real activities of our worker, with the real world around them."""

    house: House
    registered: dict[str, Act]

    def act(self, step: Step) -> Act:
        return self.registered[declaration_of(step).name]

    async def applied(self) -> tuple[str, str]:
        """A new application and the id of its process."""
        application = await self.house.apply()
        return application, workflow_id(TENANT, application)

    async def customers(self, process: str) -> list[dict[str, Any]]:
        """The customers at Stripe that a process made and that are still there."""
        return await self._stripe("/v1/customers", process)

    async def sessions(self, process: str) -> list[dict[str, Any]]:
        return await self._stripe("/v1/identity/verification_sessions", process)

    async def _stripe(self, path: str, process: str) -> list[dict[str, Any]]:
        outside = self.house.outside
        answer = await outside._http.get(
            outside.stripe_url + path, params={"limit": 100}, auth=(outside.api_key, "")
        )
        return [o for o in answer.json()["data"] if o["metadata"].get("workflow_id") == process]

    async def tax_ids(self, customer: str) -> list[dict[str, Any]]:
        outside = self.house.outside
        answer = await outside._http.get(
            f"{outside.stripe_url}/v1/customers/{customer}/tax_ids", auth=(outside.api_key, "")
        )
        found: list[dict[str, Any]] = answer.json().get("data", [])
        return found

    async def count(self, sql: str, **values: Any) -> int:
        return int((await self.house.rows(f"SELECT count(*) AS n FROM {sql}", **values))[0]["n"])


@pytest.fixture
async def bench(house: House) -> AsyncIterator[Bench]:
    async with worker.activities(house.settings, house.client) as registered:
        yield Bench(house, {declaration_of(act).name: act for act in registered})


# One case for each effect: how to intend it anew, and how to see how often it happened.

Case = Callable[[Bench], Awaitable[Intent]]
CASES: dict[str, Case] = {}


def case(step: Step) -> Callable[[Case], Case]:
    def note(intend: Case) -> Case:
        CASES[declaration_of(step).name] = intend
        return intend

    return note


def named(step: Step, process: str, part: str = "") -> str:
    return request_key(process, declaration_of(step).name, part)


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


@case(BillingSteps.create_customer)
async def create_customer(bench: Bench) -> Intent:
    application, process = await bench.applied()
    key = named(BillingSteps.create_customer, process)

    async def made() -> int:
        return len(await bench.customers(process))

    return Intent(CreateCustomer(request_key=key, application_id=application), made)


@case(BillingSteps.delete_customer)
async def _(bench: Bench) -> Intent:
    made = await create_customer(bench)
    customer = await bench.act(BillingSteps.create_customer)(made.request)
    process = made.request.request_key.rsplit("/", 1)[0]

    async def gone() -> int:
        return await _events(bench, "customer.deleted", customer.customer_id)

    key = named(BillingSteps.delete_customer, process)
    return Intent(Undo(request_key=key, of=made.request.request_key), gone)


@case(BillingSteps.create_tax_id)
async def create_tax_id(bench: Bench) -> Intent:
    customer = await create_customer(bench)
    made = await bench.act(BillingSteps.create_customer)(customer.request)
    process = customer.request.request_key.rsplit("/", 1)[0]
    assert isinstance(customer.request, CreateCustomer)
    request = CreateTaxId(
        request_key=named(BillingSteps.create_tax_id, process),
        application_id=customer.request.application_id,
        customer_id=made.customer_id,
    )

    async def there() -> int:
        return len(await bench.tax_ids(made.customer_id))

    return Intent(request, there)


@case(BillingSteps.delete_tax_id)
async def _(bench: Bench) -> Intent:
    made = await create_tax_id(bench)
    tax_id = await bench.act(BillingSteps.create_tax_id)(made.request)
    process = made.request.request_key.rsplit("/", 1)[0]

    async def gone() -> int:
        return await _events(bench, "customer.tax_id.deleted", tax_id.tax_id)

    key = named(BillingSteps.delete_tax_id, process)
    return Intent(Undo(request_key=key, of=made.request.request_key), gone)


@case(NoticeSteps.welcome)
async def _(bench: Bench) -> Intent:
    application, process = await bench.applied()
    key = named(NoticeSteps.welcome, process)

    async def received() -> int:
        return len(await bench.house.outside.messages(to=f"{application}@example.com"))

    return Intent(Welcome(request_key=key, application_id=application), received)


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


async def _events(bench: Bench, type_: str, object_id: str) -> int:
    """How often something happened at Stripe: once for each effect, and never for a replay."""
    outside = bench.house.outside
    answer = await outside._http.get(
        f"{outside.stripe_url}/v1/events",
        params={"type": type_, "limit": 100},
        auth=(outside.api_key, ""),
    )
    events = answer.json()["data"]
    return sum(1 for event in events if event["data"]["object"]["id"] == object_id)


AT_MOST_TWO_AFTER_A_CRASH = {"notice.welcome", "process.notify"}
"""What SMTP cannot promise: a worker that dies between acceptance and note sends once more."""

EFFECTS = sorted(CASES)


async def test_every_registered_effect_has_its_case(bench: Bench) -> None:
    effects = {name for name, act in bench.registered.items() if declaration_of(act).kind != "read"}
    assert effects == set(CASES)


@pytest.mark.parametrize("name", EFFECTS)
async def test_asked_twice_it_happens_once(bench: Bench, name: str) -> None:
    intent = await CASES[name](bench)
    first = await bench.registered[name](intent.request)
    second = await bench.registered[name](intent.request)
    assert await intent.happened() == 1
    if intent.request.request_key:
        assert first == second


@pytest.mark.parametrize("name", EFFECTS)
async def test_asked_at_once_it_happens_once(bench: Bench, name: str) -> None:
    intent = await CASES[name](bench)

    async def patiently() -> Any:
        for _ in range(400):
            try:
                return await bench.registered[name](intent.request)
            except Exception as error:
                if type(error).__name__ not in ("InProgress", "Unanswered"):
                    raise
                await asyncio.sleep(0.02)
        raise AssertionError("it never got done")

    results = await asyncio.gather(*(patiently() for _ in range(8)))
    assert await intent.happened() == 1
    if intent.request.request_key:
        assert all(result == results[0] for result in results)


@pytest.mark.parametrize("name", EFFECTS)
async def test_through_a_crash_at_every_point_it_happens_once(
    bench: Bench, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = 0
    for commit in range(1, 12):
        came_to_it = False
        for before in (True, False):
            intent = await CASES[name](bench)
            act = bench.registered[name]
            with dying(monkeypatch, commit=commit, before=before) as died:
                try:
                    await act(intent.request)
                except Died:
                    points += 1
            came_to_it = died()
            attempt = functools.partial(act, intent.request)
            first = await until_done(bench.house, attempt)
            again = await until_done(bench.house, attempt)
            happened = await intent.happened()
            where = f"died {'before' if before else 'after'} commit {commit}"
            if name in AT_MOST_TWO_AFTER_A_CRASH:
                assert 1 <= happened <= 2, where
                await _all_with_one_id(bench.house.outside, intent)
            else:
                assert happened == 1, where
            if intent.request.request_key:
                assert first == again, where
        if not came_to_it:
            break
    assert points >= 2, "a crash before and after at least one commit"


async def _all_with_one_id(outside: SimulatorHandle, intent: Intent) -> None:
    if isinstance(intent.request, Welcome):
        mails = await outside.messages(to=f"{intent.request.application_id}@example.com")
    else:
        assert isinstance(intent.request, Notice)
        mails = await outside.messages(subject=intent.request.step)
    assert len({mail.message_id for mail in mails}) == 1
