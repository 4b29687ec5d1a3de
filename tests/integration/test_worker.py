"""Onboardings by the real worker: real Postgres, real Temporal, real HTTP and SMTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from database import confirmations, onboardings
from database.connection import transaction
from tests.house import TENANT, House
from tests.integration.gateway.conftest import gateway_of
from tests.patience import SOON
from workflows.handover import hand_over_onboarding
from workflows.onboarding.confirmation import EmailConfirmed
from workflows.onboarding.confirmation_link import Link
from workflows.onboarding.messages import IdentityChanged, Start, workflow_id
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.progress import Progress

Handle = WorkflowHandle[CustomerOnboarding, str]


async def started(house: House, **form: Any) -> tuple[str, Handle]:
    """An onboarding of somebody who has confirmed their address when first asked."""
    application = await house.apply(**form)
    process = workflow_id(TENANT, application)
    async with transaction(house.engine) as connection:
        await confirmations.confirm(connection, Link(application, 1, 0), process)
    await hand_over_onboarding(house.client, Start(application_id=application, tenant=TENANT))
    handle: Handle = house.client.get_workflow_handle(process, result_type=str)
    await handle.signal(CustomerOnboarding.email_confirmed, EmailConfirmed(event_id="confirmed"))
    return application, handle


async def until(
    handle: Handle, condition: Callable[[Progress], Any], seconds: float = SOON
) -> Progress:
    async with asyncio.timeout(seconds):
        while True:
            progress = await handle.query(CustomerOnboarding.progress)
            if condition(progress):
                return progress
            await asyncio.sleep(0.05)


async def prove_identity(house: House, handle: Handle) -> str:
    """Do what the applicant does, and tell the process as the inbox would."""
    await until(handle, lambda progress: progress.waiting)
    sql = "SELECT result FROM requests WHERE workflow_id = :id AND step = 'identity.open_session'"
    rows = await house.rows(sql, id=handle.id)
    session = str(rows[0]["result"]["session_id"])
    await house.outside.submit_identity(session, "verified")
    hint = IdentityChanged(event_id=f"evt_{session}", session_id=session)
    await handle.signal(CustomerOnboarding.identity_changed, hint)
    return session


async def at_stripe(
    house: House, path: str, process: str, *, of: str | None = None
) -> list[dict[str, Any]]:
    """What Stripe has of a process: objects, or the objects of its events of one type."""
    outside = house.outside
    query = {"limit": "100"} | ({"type": of} if of else {})
    answer = await outside._http.get(
        outside.stripe_url + path, params=query, auth=(outside.api_key, "")
    )
    data: list[dict[str, Any]] = answer.json()["data"]
    objects = [one["data"]["object"] for one in data] if of else data
    return [one for one in objects if one["metadata"].get("workflow_id") == process]


async def test_a_customer_is_onboarded_once_with_everything_that_belongs_to_one(
    house: House,
) -> None:
    async with house.working():
        application, handle = await started(house)
        await prove_identity(house, handle)
        assert await handle.result() == "active"
    customers = await at_stripe(house, "/v1/customers", handle.id)
    assert len(customers) == 1
    assert customers[0]["name"].startswith("Żółta Łódź 有限公司")
    mails = await house.outside.messages(to=f"{application}@example.com")
    assert [mail.subject for mail in mails] == ["Confirm your e-mail address", "Welcome"]
    row = (await house.rows("SELECT * FROM onboardings"))[0]
    assert row["stage"] == "active"
    assert row["ended_at"] is not None
    stages = await house.rows(
        "SELECT details->>'stage' AS s FROM audit WHERE event LIKE 'onb%' ORDER BY id"
    )
    assert [stage["s"] for stage in stages] == [
        "validating",
        "verifying_email",
        "verifying_identity",
        "screening",
        "deciding",
        "provisioning",
        "welcoming",
        "active",
    ]


async def test_a_country_that_we_do_not_serve_is_rejected_with_its_code(house: House) -> None:
    async with house.working():
        _, handle = await started(house, country="AQ")
        assert await handle.result() == "rejected"
    decision = (await house.rows("SELECT * FROM decisions"))[0]
    assert decision["content"] == {"outcome": "rejected", "codes": ["country_not_served"]}


@pytest.mark.parametrize(
    "fault", ["drop_after_commit", "timeout_after_commit", "error_500_after_commit"]
)
async def test_a_withdrawal_in_the_moment_of_a_create_leaves_nothing_behind(
    house: House, fault: Any
) -> None:
    """Stripe makes the customer and loses the answer; meanwhile the applicant withdraws."""
    async with house.working():
        application, handle = await started(house)
        await until(handle, lambda progress: progress.waiting)
        await house.outside.fault(fault, method="POST", path="/v1/customers", times=50, seconds=4)
        await prove_identity(house, handle)
        await until(handle, lambda progress: progress.stage == "provisioning")
        await asyncio.sleep(0.2)
        await handle.cancel()
        assert await asyncio.wait_for(handle.result(), SOON) == "withdrawn"
    made = await at_stripe(house, "/v1/events", handle.id, of="customer.created")
    assert len(made) == 1, "Stripe did make the customer"
    assert await at_stripe(house, "/v1/customers", handle.id) == []
    sessions = await at_stripe(house, "/v1/identity/verification_sessions", handle.id)
    assert all(session["redaction"] for session in sessions)
    assert await house.outside.messages(to=f"{application}@example.com", subject="Welcome") == []
    states = {row["step"]: row["state"] for row in await house.rows("SELECT * FROM requests")}
    assert states["billing.create_customer"] == "undone"
    assert states["identity.open_session"] == "undone"


async def test_an_outage_of_stripe_parks_and_tells_the_operators_once(house: House) -> None:
    async with house.working():
        _, handle = await started(house)
        await until(handle, lambda progress: progress.waiting)
        await house.outside.clear_messages()
        await house.outside.fault("error_503", path="/v1/customers*", times=None)
        await prove_identity(house, handle)
        progress = await until(handle, lambda progress: progress.attention)
        assert progress.attention[0].step == "billing.create_customer"
        assert progress.attention[0].reason.type == "stripe.server"
        await asyncio.sleep(0.5)
        notices = await house.outside.messages(to=house.settings.operators_email)
        assert len(notices) == 1
        assert "billing.create_customer" in notices[0].subject
        assert "example.com" not in notices[0].text.replace("perdure", "")
        await house.outside.clear_faults()
        await handle.cancel()
        assert await handle.result() == "withdrawn"


async def test_an_applicant_has_a_link_that_works_after_each_failed_try(house: House) -> None:
    """A link is good for one attempt."""

    async def kept() -> str:
        return str((await house.rows("SELECT identity_link FROM onboardings"))[0]["identity_link"])

    async def attempt(outcome: str) -> str:
        """What the applicant does at the page, and what the process is told of it."""
        link = await kept()
        answer = await house.outside._http.post(link, data={"outcome": outcome})
        assert answer.status_code == 303, answer.text
        hint = IdentityChanged(event_id=f"evt_{outcome}_{link[-8:]}", session_id="vs_1")
        await handle.signal(CustomerOnboarding.identity_changed, hint)
        return link

    async with house.working():
        _, handle = await started(house)
        await until(handle, lambda progress: progress.waiting)
        used = [await kept()]
        for _ in range(2):
            used.append(await attempt("failed"))
            assert (await house.outside._http.get(used[-1])).status_code == 410
            async with asyncio.timeout(SOON):
                while await kept() == used[-1]:
                    await asyncio.sleep(0.05)
        used.append(await attempt("verified"))
        assert await handle.result() == "active"
        history = (await handle.fetch_history()).to_json()
    ledger = str(await house.rows("SELECT * FROM requests"))
    for link in used:
        token = link.rpartition("/")[2]
        assert token not in history + ledger
    assert await kept() == "None"


async def test_histories_hold_ids_and_not_what_an_applicant_told_us(house: House) -> None:
    canary = "Canary Q. Applicant"
    async with house.working():
        application, handle = await started(house, name=canary)
        await until(handle, lambda progress: progress.waiting)
        await house.outside.fault("error_500_before", method="POST", path="/v1/customers", times=1)
        link = (await house.rows("SELECT identity_link FROM onboardings"))[0]["identity_link"]
        assert link.startswith(house.outside.stripe_url), "where the applicant is to be sent"
        await prove_identity(house, handle)
        assert await handle.result() == "active"
        history = b"".join(one.SerializeToString() for one in (await handle.fetch_history()).events)
    assert (await house.rows("SELECT identity_link FROM onboardings"))[0]["identity_link"] is None
    assert application.encode() in history
    (told,) = await house.rows("SELECT form ->> 'email' AS email FROM applications")
    for secret in (canary, told["email"], "DE123456789", link):
        assert secret.encode() not in history
    kept = await house.rows("SELECT * FROM requests")
    for secret in (canary, "DE123456789", link):
        assert secret not in str(kept)
    assert timedelta(0) < kept[0]["settled_at"] - kept[0]["created_at"] < timedelta(minutes=1)


async def test_a_defect_in_a_step_of_our_own_is_put_before_somebody(house: House) -> None:
    """An application that some other service stored, without what ours always has."""
    application = await house.apply()
    await house.rows("UPDATE applications SET form = form - 'currency'")
    process = workflow_id(TENANT, application)
    async with house.working():
        await hand_over_onboarding(house.client, Start(application_id=application, tenant=TENANT))
        handle = house.client.get_workflow_handle(process, result_type=str)
        progress = await until(handle, lambda progress: progress.attention, 40)
        assert progress.attention[0].step == "application.validate"
        assert progress.attention[0].reason.type == "KeyError"
        await handle.cancel()
        assert await handle.result() == "withdrawn"


async def test_a_process_that_parks_before_it_knows_its_policy_tells_the_operators(
    house: House,
) -> None:
    await house.outside.clear_messages()
    nothing = Start(application_id="a" * 26, tenant=TENANT)
    async with house.working():
        await hand_over_onboarding(house.client, nothing)
        process = workflow_id(TENANT, nothing.application_id)
        handle = house.client.get_workflow_handle(process, result_type=str)
        progress = await until(handle, lambda progress: progress.attention)
        assert progress.attention[0].reason.type == "NoApplication"
        async with asyncio.timeout(SOON):
            while not await house.outside.messages(to=house.settings.operators_email):
                await asyncio.sleep(0.1)
        await handle.cancel()
        assert await handle.result() == "withdrawn"


async def test_the_answer_to_a_step_that_needs_nothing_any_more_is_nothing(house: House) -> None:
    """An operator takes a refused tax id out of the application and retries."""
    async with house.working():
        application, handle = await started(
            house, tax_id={"type": "eu_vat", "value": "DE00000000000000"}
        )
        await prove_identity(house, handle)
        await until(handle, lambda progress: progress.attention)
        (parked,) = (await handle.query(CustomerOnboarding.progress)).attention
        form = {"tax_id": None}
        async with transaction(house.engine) as connection:
            await onboardings.revise(
                connection,
                id_=application,
                version=1,
                changes=form,
                created_by="t",
                event="test",
                made_for={parked.step: parked.since},
            )
        async with gateway_of(house) as gateway:
            answer = await gateway.operator.post(
                "/v1/attention/resolve",
                {
                    "workflow_id": handle.id,
                    "step": "billing.create_tax_id",
                    "action": "retry",
                    "version": 2,
                    "reason": "they have none",
                },
            )
            assert answer.status_code == 202, answer.text
        assert await asyncio.wait_for(handle.result(), SOON) == "active"
