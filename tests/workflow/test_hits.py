"""A hit that is judged after the decision: what was decided on other grounds is void."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from tests.patience import SOON
from tests.workflow.conftest import Begin, BeginLife, Onboarding
from tests.workflow.reviewing import approval, rejection
from tests.workflow.scripted import Scripted, production_policy, refused
from tests.workflow.scripted_documents import ScriptedDocuments
from tests.workflow.scripted_life import ScriptedLife
from tests.workflow.test_changes import parts
from tests.workflow.test_customer_life import compare, leave, screened, under_review, until
from tests.workflow.test_decision import ADDRESS, asked_for_documents, decided, reviewed
from tests.workflow.test_onboarding import prove_identity
from workflows.onboarding.customer_life import CustomerLife
from workflows.onboarding.life import customer_workflow_id
from workflows.onboarding.rules import ScreeningStatus
from workflows.onboarding.screening import HitJudged
from workflows.onboarding.steps import (
    ApplicationSteps,
    BillingSteps,
    DirectorySteps,
    NoticeSteps,
    ReviewSteps,
)
from workflows.onboarding.workflow import CustomerOnboarding


async def judged(one: Onboarding, status: ScreeningStatus, *, exposed: bool = False) -> None:
    """Somebody judges a hit: this is how they stand from now on."""
    told = {"status": status, "politically_exposed": exposed}
    one.world.screened = one.world.screened.model_copy(update=told)
    await one.handle.signal("hit_judged", HitJudged(event_id="screening/7/2"))


async def rejected(one: Onboarding) -> None:
    assert await asyncio.wait_for(one.handle.result(), SOON) == "rejected"
    made = [key.rpartition("/")[2] for key in one.world.made]
    assert made == ["identity.open_session"], "nothing else is left outside"


async def looked(world: Scripted) -> None:
    await asyncio.wait_for(world.reached["screening.look"].wait(), SOON)


def turned_down_next(world: Scripted) -> None:
    world.decided = decided("rejected")


async def test_a_hit_confirmed_while_documents_are_awaited_is_decided_about(
    onboarding: Begin,
) -> None:
    world = ScriptedDocuments()
    world.decided = decided(documents=ADDRESS)
    async with onboarding(world) as one:
        await prove_identity(one)
        await asked_for_documents(one)
        turned_down_next(world)
        await judged(one, "confirmed")
        await rejected(one)
    assert parts(world, "application.decide") == ["", "round-2"]
    assert world.calls.count("identity.open_session") == 1, "who they are still stands"


async def test_a_hit_confirmed_after_the_last_approval_is_decided_about(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.decided = decided("review")
    closing = world.hold(ReviewSteps.close)
    async with onboarding(world) as one:
        await reviewed(one)
        await one.decide(CustomerOnboarding.approve, approval())
        await asyncio.wait_for(world.reached["review.close"].wait(), SOON)
        turned_down_next(world)
        await judged(one, "confirmed")
        closing.set()
        await rejected(one)
    assert "provisioning" not in world.stages


async def test_what_is_judged_while_people_review_is_theirs_to_mind(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.decided = decided("review")
    world.screened = world.screened.model_copy(update={"status": "possible"})
    async with onboarding(world) as one:
        await reviewed(one)
        await judged(one, "accepted")
        assert (await one.progress()).stage == "reviewing"
        await one.decide(CustomerOnboarding.approve, approval())
        assert await one.handle.result() == "active"
    assert parts(world, "application.decide") == [""]


async def test_a_hit_confirmed_while_accounts_are_made_has_them_taken_back(
    onboarding: Begin,
) -> None:
    world = ScriptedDocuments()
    making = world.hold(BillingSteps.create_tax_id)
    async with onboarding(world) as one:
        await prove_identity(one)
        await asyncio.wait_for(world.reached["billing.create_tax_id"].wait(), SOON)
        turned_down_next(world)
        await judged(one, "confirmed")
        await looked(world)
        making.set()
        await rejected(one)
    passed = list(zip(world.stages, world.stages[1:], strict=False))
    assert ("provisioning", "validating") in passed
    assert "welcoming" not in world.stages


async def test_a_parked_step_is_given_up_for_it(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.fail(DirectorySteps.create_user, refused("directory.conflict"))
    async with onboarding(world) as one:
        await prove_identity(one)
        await one.until(lambda progress: progress.attention)
        turned_down_next(world)
        await judged(one, "confirmed")
        await rejected(one)


async def test_accounts_that_were_taken_back_are_made_anew_under_other_keys(
    onboarding: Begin,
) -> None:
    world = ScriptedDocuments()
    making = world.hold(BillingSteps.create_tax_id)
    async with onboarding(world) as one:
        await prove_identity(one)
        await asyncio.wait_for(world.reached["billing.create_tax_id"].wait(), SOON)
        again = world.hold(ApplicationSteps.validate)
        world.reached["application.validate"].clear()
        await judged(one, "confirmed")
        await looked(world)
        making.set()
        await asyncio.wait_for(world.reached["application.validate"].wait(), SOON)
        await judged(one, "accepted")
        again.set()
        assert await asyncio.wait_for(one.handle.result(), SOON) == "active"
        made = {key.removeprefix(f"{one.handle.id}/") for key in world.made}
    assert made == {
        "identity.open_session",
        *(
            f"{step}/again-1"
            for step in (
                "billing.create_customer",
                "billing.create_tax_id",
                "directory.create_user",
                "directory.join_group",
                "crm.create_contact",
                "crm.create_company",
            )
        ),
    }


async def test_who_turns_out_to_hold_public_office_is_decided_about_once_more(
    onboarding: Begin,
) -> None:
    world = ScriptedDocuments()
    world.decided = decided(documents=ADDRESS)
    async with onboarding(world) as one:
        await prove_identity(one)
        await asked_for_documents(one)
        world.decided = decided("review")
        await judged(one, "clear", exposed=True)
        await one.until(lambda progress: progress.stage == "reviewing")


async def test_a_judgement_that_says_nothing_worse_changes_nothing(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.decided = decided(documents=ADDRESS)
    world.screened = world.screened.model_copy(update={"status": "possible"})
    async with onboarding(world) as one:
        await prove_identity(one)
        await asked_for_documents(one)
        await judged(one, "accepted")
        await looked(world)
        progress = await one.until(lambda progress: progress.waiting)
        assert progress.stage == "awaiting_documents"
    assert parts(world, "application.decide") == [""]


async def test_what_is_judged_from_the_welcome_on_is_handed_to_who_watches_over_them(
    onboarding: Begin,
) -> None:
    world = Scripted(production_policy())
    welcoming = world.hold(NoticeSteps.welcome)
    async with onboarding(world) as one:
        await prove_identity(one)
        await asyncio.wait_for(world.reached["notice.welcome"].wait(), SOON)
        await judged(one, "confirmed")
        welcoming.set()
        assert await one.handle.result() == "active"
        client = one.environment.client
        application = one.handle.id.rpartition("/")[2]
        life = client.get_workflow_handle(customer_workflow_id("acme", application))
        [first, *_] = (await life.fetch_history()).events
        payload = first.workflow_execution_started_event_attributes.input.payloads[0]
        [given] = await client.data_converter.decode([payload])
        await life.terminate("test over")
    assert given["hits_judged"] is True


async def test_a_customer_whose_hit_is_confirmed_is_put_before_reviewers(life: BeginLife) -> None:
    world = ScriptedLife()
    async with life(world) as one:
        await compare(one)
        await judged(one, "confirmed")
        await one.until(under_review)
        assert world.screenings == [("confirmed", "list-1")]
        assert "screening.screen" not in world.calls, "the list has nothing new to say"
        await one.decide(CustomerLife.reject, rejection())
        assert await asyncio.wait_for(one.handle.result(), SOON) == "offboarded"


async def test_a_customer_may_stay_once_the_hit_is_judged_otherwise(life: BeginLife) -> None:
    world = ScriptedLife()
    async with life(world) as one:
        await compare(one)
        await judged(one, "confirmed")
        await one.until(under_review)
        await judged(one, "accepted")
        await one.decide(CustomerLife.approve, approval())
        await until(lambda: world.screenings[-1] == ("accepted", "list-1"))
        screened(world, "clear")
        await leave(one)
    assert len(world.closed) == 1


async def test_a_judgement_that_lets_a_customer_stay_opens_no_review(life: BeginLife) -> None:
    world = ScriptedLife()
    async with life(world) as one:
        await compare(one)
        await judged(one, "accepted")
        await until(lambda: world.screenings == [("accepted", "list-1")])
        await one.pass_time(timedelta(minutes=1))
        await leave(one)
    assert "review.open" not in world.calls
