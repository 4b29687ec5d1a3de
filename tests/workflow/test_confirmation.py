"""The applicant confirms their address: in time, by hints that may be lost, by few mails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from tests.patience import SOON
from tests.workflow.conftest import Begin, Onboarding
from tests.workflow.scripted import Scripted, email_policy, refused, resend, resolution, withdrawal
from tests.workflow.test_onboarding import expiring, prove_identity
from workflows.onboarding.confirmation import ConfirmationSteps, EmailConfirmed, OpenConfirmation
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.progress import Progress


async def confirm(world: Scripted, one: Onboarding, event: str = "confirmed") -> None:
    """What the applicant does, and what the inbox tells of it."""
    world.confirmed = True
    await one.handle.signal(CustomerOnboarding.email_confirmed, EmailConfirmed(event_id=event))


async def until_so(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not condition():
            await asyncio.sleep(0.02)


def waits(progress: Progress) -> bool:
    return progress.stage == "verifying_email" and progress.waiting is not None


async def refusal(one: Onboarding) -> ApplicationError:
    """Why one more mail is refused."""
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await one.decide(CustomerOnboarding.resend_confirmation, resend())
    assert isinstance(caught.value.cause, ApplicationError)
    return caught.value.cause


async def test_identity_is_not_asked_for_before_the_address_is_confirmed(
    onboarding: Begin,
) -> None:
    world = Scripted()
    async with onboarding(world, confirms=False) as one:
        progress = await one.until(waits)
        assert progress.waiting.who == "the applicant"
        assert "identity.open_session" not in world.calls
        await confirm(world, one)
        await prove_identity(one)
        assert await one.handle.result() == "active"
    assert len(world.links) == 1


async def test_a_hint_alone_confirms_nothing(onboarding: Begin) -> None:
    world = Scripted()
    async with onboarding(world, confirms=False) as one:
        await one.until(waits)
        for event in ("evt_1", "evt_2", "evt_2"):
            hint = EmailConfirmed(event_id=event)
            await one.handle.signal(CustomerOnboarding.email_confirmed, hint)
        await until_so(lambda: world.calls.count("confirmation.read") > 0)
        await one.until(waits)
        assert "identity.open_session" not in world.calls


async def test_a_lost_hint_is_made_up_for_within_a_day(onboarding: Begin) -> None:
    world = Scripted()
    async with onboarding(world, confirms=False) as one:
        await one.until(waits)
        world.confirmed = True
        await one.pass_time(timedelta(days=1, seconds=1))
        await prove_identity(one)
        assert await one.handle.result() == "active"


async def test_who_confirmed_in_the_last_moment_is_not_expired(onboarding: Begin) -> None:
    world = Scripted(expiring(timedelta(hours=1)))
    async with onboarding(world, confirms=False) as one:
        await one.until(waits)
        world.confirmed = True
        await one.pass_time(timedelta(hours=1, seconds=1))
        await prove_identity(one)
        assert await one.handle.result() == "active"


async def test_a_mail_is_sent_again_and_it_is_kept_who_asked(onboarding: Begin) -> None:
    world = Scripted()
    async with onboarding(world, confirms=False) as one:
        progress = await one.until(waits)
        until = progress.waiting.until
        await one.pass_time(email_policy().pause)
        asked = resend("the applicant found no mail")
        taken = await one.decide(CustomerOnboarding.resend_confirmation, asked)
        assert taken.stage == "verifying_email"
        await until_so(lambda: len(world.links) == 2)
        progress = await one.until(waits)
        assert abs(progress.waiting.until - until) < timedelta(seconds=5), "no time is won"
        await confirm(world, one)
        await prove_identity(one)
        assert await one.handle.result() == "active"
    keys = [link.request_key.rpartition("/")[2] for link in world.links]
    assert keys == ["1", "2"]
    (kept,) = world.decisions
    assert kept.update == "resend_confirmation"
    assert kept.decision.reason == "the applicant found no mail"


async def test_what_a_link_rests_on_is_the_same_however_often_it_is_asked(
    onboarding: Begin,
) -> None:
    """No clock of a workflow goes into a request: a run that is reset asks for the same again."""
    world = Scripted()
    async with onboarding(world) as one:
        await prove_identity(one)
        assert await one.handle.result() == "active"
    opened = [request for request in world.requests if isinstance(request, OpenConfirmation)]
    assert [request.link_seconds for request in opened] == [24 * 60 * 60]


async def test_mails_have_a_pause_and_a_number(onboarding: Begin) -> None:
    world = Scripted()
    email = email_policy()
    async with onboarding(world, confirms=False) as one:
        await one.until(waits)
        no = await refusal(one)
        assert no.type == "TooSoon"
        assert 0 < no.details[0] <= email.pause.total_seconds()
        for number in range(1, email.resends + 1):
            await one.pass_time(email.pause)
            await one.decide(CustomerOnboarding.resend_confirmation, resend())
            await until_so(lambda mails=number + 1: len(world.links) == mails)  # type: ignore[misc]
            await one.until(waits)
        await one.pass_time(email.pause)
        assert (await refusal(one)).type == "NoMoreMails"
        await confirm(world, one)
        await prove_identity(one)
        assert await one.handle.result() == "active"
        history = await one.handle.fetch_history()
    assert len(world.links) == 1 + email.resends
    assert len(history.events) < 2000


async def test_no_mail_goes_out_when_none_is_waited_for(onboarding: Begin) -> None:
    world = Scripted()
    async with onboarding(world) as one:
        await one.until(lambda progress: progress.stage == "verifying_identity")
        no = await refusal(one)
        assert (no.type, no.message.endswith("verifying_identity")) == ("NotConfirming", True)


async def test_a_mail_that_is_refused_is_corrected_skipped_or_given_up(onboarding: Begin) -> None:
    world = Scripted()
    world.fail(ConfirmationSteps.send, refused("smtp.refused"))
    async with onboarding(world, confirms=False) as one:
        progress = await one.until(lambda progress: progress.attention)
        assert progress.attention[0].choices == ("retry", "skip", "abort")
        assert (await refusal(one)).type == "StillSending"
        retry = resolution(ConfirmationSteps.send, "retry", part="1", version=2)
        await one.decide(CustomerOnboarding.resolve, retry)
        await one.until(waits)
        await confirm(world, one)
        await prove_identity(one)
        assert await one.handle.result() == "active"
    assert [link.version for link in world.links] == [2]


async def test_an_applicant_who_waits_may_withdraw(onboarding: Begin) -> None:
    world = Scripted()
    async with onboarding(world, confirms=False) as one:
        await one.until(waits)
        await one.decide(CustomerOnboarding.withdraw, withdrawal())
        assert await one.handle.result() == "withdrawn"
    assert world.made == {}
