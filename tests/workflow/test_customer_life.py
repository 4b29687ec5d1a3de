"""A customer is watched over for years; what is not as it should be is put right or asked about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import pytest

from tests.patience import SOON
from tests.workflow.conftest import Begin, BeginLife, Life
from tests.workflow.reviewing import approval, rejection
from tests.workflow.scripted import (
    Scripted,
    production_policy,
    refused,
    resolution,
    withdrawal,
)
from tests.workflow.scripted_life import (
    MADE,
    ScriptedLife,
    compare_now,
    life_policy,
    offboarding,
)
from workflows.onboarding import customer_life
from workflows.onboarding.customer_life import CustomerLife
from workflows.onboarding.life import ListChanged
from workflows.onboarding.life_policy import CustomerReviewPolicy, Thing
from workflows.onboarding.life_steps import ComparisonSteps, LifeSteps
from workflows.onboarding.messages import IdentityChanged, IdentityStatus
from workflows.onboarding.review import OpenReview
from workflows.onboarding.rules import ScreeningStatus
from workflows.onboarding.steps import CrmSteps, DirectorySteps
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.progress import Progress

YEAR = timedelta(days=365)


async def until(condition: Callable[[], Any], seconds: float = SOON) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def compare(one: Life) -> None:
    """Have the systems compared now, and wait until all three were looked at."""
    before = len(one.world.compared)
    await one.decide(CustomerLife.compare_now, compare_now())
    await until(lambda: len(one.world.compared) >= before + 3)


async def leave(one: Life) -> None:
    await one.decide(CustomerLife.offboard, offboarding())
    assert await asyncio.wait_for(one.handle.result(), SOON) == "offboarded"


def parked(thing: str) -> Callable[[Any], bool]:
    return lambda progress: any(
        each.step.startswith(f"life.put_before/{thing}") for each in progress.attention
    )


async def answer(one: Life, action: Any) -> None:
    """Decide about the one thing that waits."""
    progress = await one.until(lambda progress: progress.attention)
    decided = resolution(LifeSteps.put_before, action)
    asked = decided.model_copy(update={"step": progress.attention[0].step})
    await one.decide(CustomerLife.resolve, asked)


@pytest.mark.slow
async def test_over_six_years_runs_follow_each_other_and_no_key_is_used_by_two(
    life: BeginLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customer_life, "ENOUGH", 60)
    world = ScriptedLife(life_policy(compare_every=timedelta(days=250)))
    async with life(world, skip_time=True, sandboxed=False) as one:
        await until(lambda: len(world.proofs) == 1, 40)
        world.gone.add("user")
        await until(lambda: ("user", "repaired") in world.found, 40)
        await until(lambda: len(world.proofs) == 2, 40)
        await leave(one)
        lengths = [len(history.events) async for history in one.histories]
    assert len(lengths) >= 3
    most = max(lengths) - 60
    assert most + 1000 < 2000, f"{lengths}: what is begun before a new run must leave room"
    assert {key: runs for key, runs in world.runs.items() if len(runs) > 1} == {}
    assert world.stages == [
        "active",
        *("reverifying", "active") * 2,
        "offboarded",
    ]


@pytest.mark.parametrize("thing", get_args(Thing))
async def test_what_is_gone_is_made_anew_or_asked_about(life: BeginLife, thing: Thing) -> None:
    world = ScriptedLife()
    world.gone.add(thing)
    by_itself = thing in life_policy().repairs
    async with life(world) as one:
        await compare(one)
        if not by_itself:
            progress = await one.until(parked(thing))
            assert progress.attention[0].choices == ("retry", "skip")
            assert thing in world.gone, "nothing is done before somebody decides"
            await answer(one, "retry")
        await until(lambda: world.found == [(thing, "repaired")])
        assert thing not in world.gone
        await compare(one)
        assert world.found == [(thing, "repaired")], "once is enough"


async def test_whoever_is_made_anew_is_put_into_the_group_and_taken_out_at_the_end(
    life: BeginLife,
) -> None:
    world = ScriptedLife()
    async with life(world) as one:
        for number in (1, 2):
            world.gone.add("user")
            await compare(one)
            await until(lambda n=number: len(world.found) == n)  # type: ignore[misc]
        process = one.handle.id
        for number in (1, 2):
            assert world.made[f"{process}/directory.create_user/repair-{number}"]
            assert world.made[f"{process}/directory.join_group/repair-{number}"]
        await leave(one)
    assert [key for key in world.made if "directory" in key] == []


async def test_what_differs_is_asked_about_and_left_if_somebody_says_so(life: BeginLife) -> None:
    world = ScriptedLife()
    world.differing["contact"] = ("name",)
    async with life(world) as one:
        await compare(one)
        progress = await one.until(parked("contact"))
        assert progress.attention[0].reason.type == "customer.mend"
        await answer(one, "skip")
        await until(lambda: world.found == [("contact", "left")])
        await compare(one)
        assert len(world.asked) == 1, "what was left is not asked about again"
        world.differing["contact"] = ("email", "name")
        await compare(one)
        await until(lambda: len(world.asked) == 2)
        await answer(one, "skip")
        await until(lambda: len(world.found) == 2)
        world.differing.clear()
        await compare(one)
        world.differing["contact"] = ("name",)
        await compare(one)
        await until(lambda: len(world.asked) == 3)


async def test_what_somebody_says_is_right_again_is_looked_at_at_once(life: BeginLife) -> None:
    world = ScriptedLife()
    world.differing["user"] = ("active",)
    async with life(world) as one:
        await compare(one)
        await one.until(parked("user"))
        compared = len(world.compared)
        await answer(one, "retry")
        await until(lambda: len(world.compared) >= compared + 3)
        await until(lambda: len(world.asked) == 2)
        world.differing.clear()
        await answer(one, "retry")
        await until(lambda: world.found == [("user", "mended")] * 2)
        assert not (await one.progress()).attention


async def test_what_waits_in_one_system_holds_up_no_other(life: BeginLife) -> None:
    world = ScriptedLife()
    world.differing["contact"] = ("name",)
    async with life(world) as one:
        await compare(one)
        await one.until(parked("contact"))
        world.gone.add("user")
        await one.decide(CustomerLife.compare_now, compare_now())
        await until(lambda: world.found == [("user", "repaired")])
        assert world.compared.count("crm") == 1
        assert world.compared.count("directory") == 2


async def test_who_asks_while_a_system_is_compared_has_it_compared_once_more(
    life: BeginLife,
) -> None:
    world = ScriptedLife()
    released = world.hold(ComparisonSteps.compare_crm)
    async with life(world) as one:
        await one.decide(CustomerLife.compare_now, compare_now())
        await asyncio.wait_for(world.reached["crm.compare"].wait(), SOON)
        await one.decide(CustomerLife.compare_now, compare_now())
        await until(lambda: world.compared.count("billing") == 2)
        assert world.compared.count("crm") == 0
        released.set()
        await until(lambda: world.compared.count("crm") == 2)


async def test_a_repair_that_is_refused_parks_and_is_left_if_skipped(life: BeginLife) -> None:
    world = ScriptedLife()
    world.gone.add("user")
    world.fail(DirectorySteps.create_user, refused("directory.conflict"))
    async with life(world) as one:
        await compare(one)
        progress = await one.until(lambda progress: progress.attention)
        assert progress.attention[0].step == "directory.create_user/repair-1"
        skip = resolution(DirectorySteps.create_user, "skip", part="repair-1")
        await one.decide(CustomerLife.resolve, skip)
        await until(lambda: world.found == [("user", "left")])
        assert "directory.join_group" not in world.calls


async def test_a_system_without_an_answer_is_passed_over_until_it_was_so_too_often(
    life: BeginLife,
) -> None:
    world = ScriptedLife(life_policy(unseen=2))
    world.fail_while(ComparisonSteps.compare_crm, lambda: True)
    short = world.policy.budgets.read.model_copy(update={"all_tries": timedelta(seconds=1)})
    world.policy = world.policy.model_copy(
        update={"budgets": world.policy.budgets.model_copy(update={"read": short})}
    )
    async with life(world) as one:
        for _ in range(2):
            await one.decide(CustomerLife.compare_now, compare_now())
            await asyncio.sleep(1.5)
        progress = await one.until(lambda progress: progress.attention)
        assert [each.step for each in progress.attention] == ["crm.compare"]
        assert len(world.notices) == 1
        assert world.compared.count("billing") == 2


async def test_a_new_run_asks_again_about_what_was_parked_and_numbers_its_notices_on(
    life: BeginLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customer_life, "ENOUGH", 60)
    world = ScriptedLife()
    world.gone.add("user")
    world.differing["contact"] = ("name",)
    world.fail_while(DirectorySteps.create_user, lambda: True)
    short = world.policy.budgets.remote.model_copy(update={"all_tries": timedelta(seconds=1)})
    world.policy = world.policy.model_copy(
        update={"budgets": world.policy.budgets.model_copy(update={"remote": short})}
    )
    async with life(world, sandboxed=False) as one:
        first = one.handle.first_execution_run_id
        async with asyncio.timeout(SOON):
            while (await one.handle.describe()).run_id == first:
                await one.decide(CustomerLife.compare_now, compare_now())
                await asyncio.sleep(0.3)
        progress = await one.until(lambda progress: len(progress.attention) == 2)
        repair = "directory.create_user/repair-1"
        assert repair in [each.step for each in progress.attention]
        world.failing.clear()
        retry = resolution(DirectorySteps.create_user, "retry", part="repair-1")
        await one.decide(CustomerLife.resolve, retry)
        await until(lambda: world.found == [("user", "repaired")])
        await until(lambda: len(world.notices) == 4)
        await leave(one)
    shared = [key.removeprefix(one.handle.id) for key, runs in world.runs.items() if len(runs) > 1]
    assert shared == [f"/{repair}"], "a request that was under way keeps its key"
    assert [key for key in world.made if "directory" in key] == []


async def test_offboarding_takes_access_away_and_keeps_what_must_be_kept(life: BeginLife) -> None:
    world = ScriptedLife()
    async with life(world) as one:
        await one.until(lambda progress: progress.waiting)
        await leave(one)
    onboarding = one.handle.id.replace("customer/", "onboarding/")
    customer = f"{onboarding}/billing.create_customer"
    assert world.made == {customer: "by the onboarding"}
    assert world.closed_in_billing == {customer}
    undone = [call for call in world.calls if call in MADE]
    assert undone == list(reversed(MADE))
    assert world.stages[-1] == "offboarded"
    assert world.kept_for[-1] == life_policy().keep_for
    assert [kept.update for kept in world.decisions] == ["offboard"]


async def test_offboarding_parks_while_a_system_is_down_and_goes_on(life: BeginLife) -> None:
    world = ScriptedLife()
    world.fail(CrmSteps.archive_contact, refused("crm.auth"))
    async with life(world) as one:
        await one.until(lambda progress: progress.waiting)
        taken = await one.decide(CustomerLife.offboard, offboarding())
        assert taken.stopping == "to be offboarded"
        progress = await one.until(lambda progress: progress.attention)
        assert [each.step for each in progress.attention] == ["crm.archive_contact"]
        assert "offboarded" not in world.stages
        retry = resolution(CrmSteps.archive_contact, "retry")
        await one.decide(CustomerLife.resolve, retry)
        assert await one.handle.result() == "offboarded"
    assert len(world.made) == 1


async def test_whoever_leaves_while_a_repair_is_under_way_leaves_nothing_of_it(
    life: BeginLife,
) -> None:
    world = ScriptedLife()
    world.gone.add("user")
    world.differing["contact"] = ("name",)
    released = world.hold(DirectorySteps.create_user)
    async with life(world) as one:
        await one.decide(CustomerLife.compare_now, compare_now())
        await one.until(parked("contact"))
        await asyncio.wait_for(world.reached["directory.create_user"].wait(), SOON)
        await one.decide(CustomerLife.offboard, offboarding())
        assert "directory.delete_user" not in world.calls
        released.set()
        assert await one.handle.result() == "offboarded"
    assert len(world.made) == 1, "the customer in billing"


async def test_a_cancellation_from_outside_changes_nothing(life: BeginLife) -> None:
    world = ScriptedLife()
    async with life(world) as one:
        await one.until(lambda progress: progress.waiting)
        await one.handle.cancel()
        await compare(one)
        await leave(one)


async def test_a_proof_that_is_not_given_in_time_is_asked_about(life: BeginLife) -> None:
    within = timedelta(days=1)
    world = ScriptedLife(life_policy(compare_every=10 * YEAR, reverify_within=within))
    world.identity = IdentityStatus(status="requires_input")
    async with life(world, skip_time=True) as one:
        await until(lambda: [each.question for each in world.asked] == ["not_proved"], 60)
        assert world.calls.count("identity.close_session") == 1
        world.identity = IdentityStatus(status="verified")
        await answer(one, "retry")
        await until(lambda: len(world.proofs) == 1, 40)
        assert world.proofs[0].outcome == "verified"
        assert len(world.mails) == 2
        await leave(one)


async def test_somebody_may_do_without_a_proof_until_the_next_is_due(life: BeginLife) -> None:
    within = timedelta(days=1)
    world = ScriptedLife(life_policy(compare_every=10 * YEAR, reverify_within=within))
    world.identity = IdentityStatus(status="requires_input")
    async with life(world, skip_time=True) as one:
        await until(lambda: world.asked, 40)
        await answer(one, "skip")
        await until(lambda: world.proofs, 20)
        assert world.proofs[0].outcome == "accepted"
        assert world.proofs[0].reverify_at - world.proofs[0].proved_at == timedelta(days=1096)
        await one.until(lambda progress: progress.stage == "active")


async def test_what_is_heard_of_a_proof_is_looked_at_at_once(life: BeginLife) -> None:
    world = ScriptedLife(life_policy(compare_every=10 * YEAR))
    world.identity = IdentityStatus(status="requires_input")
    async with life(world) as one:
        await one.pass_time(timedelta(days=1097))
        await one.until(lambda progress: progress.stage == "reverifying")
        await until(lambda: world.mails)
        world.identity = IdentityStatus(status="verified", report_id="vr_2")
        hint = IdentityChanged(event_id="evt_1", session_id="vs_1")
        await one.handle.signal("identity_changed", hint)
        await one.until(lambda progress: progress.stage == "active")
        await leave(one)
    kept = [key for key in world.made if "identity" in key]
    assert len(kept) == 1, "what proves it is kept"


async def test_a_session_that_nobody_came_to_is_closed_when_they_leave(life: BeginLife) -> None:
    world = ScriptedLife(life_policy(compare_every=10 * YEAR))
    world.identity = IdentityStatus(status="requires_input")
    async with life(world) as one:
        await one.pass_time(timedelta(days=1097))
        await until(lambda: world.mails)
        await leave(one)
    assert [key for key in world.made if "identity" in key] == []


async def test_a_changed_policy_concerns_those_who_are_customers_already(life: BeginLife) -> None:
    world = ScriptedLife()
    async with life(world) as one:
        await compare(one)
        world.life = life_policy(repairs=())
        world.gone.add("contact")
        await compare(one)
        await one.until(parked("contact"))


async def test_the_same_decision_is_not_taken_twice(life: BeginLife) -> None:
    world = ScriptedLife()
    async with life(world) as one:
        await one.until(lambda progress: progress.waiting)
        asked = compare_now()
        for _ in range(2):
            await one.decide(CustomerLife.compare_now, asked)
        await until(lambda: len(world.compared) == 3)
        await leave(one)
        late = offboarding()
        with pytest.raises(Exception, match="completed"):
            await one.decide(CustomerLife.offboard, late)


async def tell_of_list(one: Life, version: str) -> None:
    await one.handle.signal("list_changed", ListChanged(list_version=version))


def screened(world: ScriptedLife, status: ScreeningStatus) -> None:
    """What the list says of the customer from now on."""
    world.screened = world.screened.model_copy(update={"status": status})


async def test_a_new_version_of_the_list_is_asked_once_and_the_same_one_not(
    life: BeginLife,
) -> None:
    world = ScriptedLife()
    async with life(world) as one:
        for version in ("list-1", "list-2", "list-2", "list-3"):
            await tell_of_list(one, version)
            await asyncio.sleep(0.3)
        await until(lambda: world.screenings == [("clear", "list-2"), ("clear", "list-3")])
        assert world.calls.count("screening.screen") == 2
        await leave(one)


def under_review(progress: Progress) -> bool:
    return progress.waiting is not None and progress.waiting.what == "a review"


async def test_whoever_may_be_on_the_list_is_put_before_reviewers_who_let_them_stay(
    life: BeginLife,
) -> None:
    world = ScriptedLife()
    world.excluded = ("sven-sales",)
    screened(world, "possible")
    async with life(world) as one:
        await tell_of_list(one, "list-2")
        await one.until(under_review)
        await compare(one)
        assert not (await one.progress()).attention, "it is not an operator's to decide"
        involved = approval("sven-sales")
        assert await one.why_not(CustomerLife.approve, involved) == "Excluded"
        screened(world, "accepted")
        await one.decide(CustomerLife.approve, approval())
        await until(lambda: [status for status, _ in world.screenings] == ["possible", "accepted"])
        assert [closed.verdict.outcome for closed in world.closed] == ["approved"]
        opened = [each for each in world.requests if isinstance(each, OpenReview)]
        assert [each.process for each in opened] == [one.handle.id]
        assert opened[0].terms.reasons == ("screening/possible",)
        await leave(one)


@pytest.mark.parametrize("status", ["possible", "confirmed"])
async def test_whom_reviewers_turn_down_has_to_leave(
    life: BeginLife, status: ScreeningStatus
) -> None:
    world = ScriptedLife()
    screened(world, status)
    async with life(world) as one:
        await tell_of_list(one, "list-2")
        await one.until(under_review)
        assert "offboarded" not in world.stages, "nobody has to leave before people said so"
        await one.decide(CustomerLife.reject, rejection())
        assert await asyncio.wait_for(one.handle.result(), SOON) == "offboarded"
    assert [kept.update for kept in world.decisions] == ["reject"]


async def test_when_nobody_decides_in_time_an_operator_is_asked(life: BeginLife) -> None:
    world = ScriptedLife()
    screened(world, "possible")
    async with life(world) as one:
        await tell_of_list(one, "list-2")
        await one.until(under_review)
        await one.pass_time(timedelta(hours=41))
        progress = await one.until(lambda progress: progress.attention)
        assert progress.attention[0].reason.type == "customer.hits"
        assert [reminder.escalated for reminder in world.reminded] == [False, True]
        await answer(one, "retry")
        await one.until(under_review)
        screened(world, "accepted")
        await one.decide(CustomerLife.approve, approval(review=2))
        await until(lambda: world.screenings[-1] == ("accepted", "list-2"))
        outcomes = [(closed.review_id[-2:], closed.verdict.outcome) for closed in world.closed]
        assert outcomes == [("-1", "expired"), ("-2", "approved")]


async def test_a_review_goes_over_into_the_next_run(
    life: BeginLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customer_life, "ENOUGH", 60)
    world = ScriptedLife(life_policy(review=two_approvers()))
    screened(world, "possible")
    async with life(world, sandboxed=False) as one:
        await tell_of_list(one, "list-2")
        await one.until(lambda progress: progress.waiting and "review" in progress.waiting.what)
        await one.decide(CustomerLife.approve, approval())
        first = one.handle.first_execution_run_id
        async with asyncio.timeout(SOON):
            while (await one.handle.describe()).run_id == first:
                await one.decide(CustomerLife.compare_now, compare_now())
                await asyncio.sleep(0.3)
        assert await one.why_not(CustomerLife.approve, approval()) == "AgreedAlready"
        screened(world, "accepted")
        await one.decide(CustomerLife.approve, approval("ruth-reviewer"))
        await until(lambda: world.screenings[-1] == ("accepted", "list-2"))
        await leave(one)
    assert [closed.verdict.outcome for closed in world.closed] == ["approved"]
    assert {key for key, runs in world.runs.items() if len(runs) > 1} == set()


def two_approvers() -> CustomerReviewPolicy:
    terms = life_policy().review
    assert terms is not None
    return terms.model_copy(update={"approvers": 2})


async def test_where_no_policy_has_them_reviewed_an_operator_is_shown_who_may_be_on_the_list(
    life: BeginLife,
) -> None:
    world = ScriptedLife(life_policy(review=None))
    screened(world, "possible")
    async with life(world) as one:
        await tell_of_list(one, "list-2")
        progress = await one.until(lambda progress: progress.attention)
        assert progress.attention[0].reason.type == "customer.hits"
        await compare(one)
        screened(world, "accepted")
        await answer(one, "retry")
        await until(lambda: [status for status, _ in world.screenings] == ["possible", "accepted"])
        assert not (await one.progress()).attention


async def test_where_no_policy_has_them_reviewed_whoever_is_on_the_list_is_offboarded(
    life: BeginLife,
) -> None:
    world = ScriptedLife(life_policy(review=None))
    screened(world, "confirmed")
    async with life(world) as one:
        await tell_of_list(one, "list-2")
        assert await asyncio.wait_for(one.handle.result(), SOON) == "offboarded"
    assert world.screenings == [("confirmed", "list-2")]
    assert world.stages[-1] == "offboarded"


async def test_without_a_policy_for_it_nobody_is_screened(life: BeginLife) -> None:
    world = ScriptedLife()
    world.policy = world.policy.model_copy(update={"screening": None})
    async with life(world) as one:
        await tell_of_list(one, "list-2")
        await compare(one)
        assert world.screenings == []


async def test_an_onboarding_that_ends_active_leaves_a_life_that_outlives_it(
    onboarding: Begin,
) -> None:
    world = Scripted(production_policy())
    async with onboarding(world) as one:
        hint = IdentityChanged(event_id="evt_1", session_id="vs_1")
        await one.handle.signal(CustomerOnboarding.identity_changed, hint)
        assert await one.handle.result() == "active"
        process = one.handle.id.replace("onboarding/", "customer/")
        begun = one.environment.client.get_workflow_handle(process)
        described = await begun.describe()
        assert described.workflow_type == "CustomerLife"
        assert described.status is not None
        assert described.status.name == "RUNNING"
        [first, *_] = (await begun.fetch_history()).events
        payload = first.workflow_execution_started_event_attributes.input.payloads[0]
        [given] = await one.environment.client.data_converter.decode([payload])
        assert {made["undo"] for made in given["made"]} == set(MADE)
        assert given["accounts"]["user_id"] == "user_1"
        await begun.terminate("test over")


async def test_an_onboarding_that_is_withdrawn_leaves_no_life(onboarding: Begin) -> None:
    world = Scripted(production_policy())
    async with onboarding(world) as one:
        await one.until(lambda progress: progress.waiting)
        await one.decide(CustomerOnboarding.withdraw, withdrawal())
        assert await one.handle.result() == "withdrawn"
        events = (await one.handle.fetch_history()).events
    assert not [
        e for e in events if e.HasField("start_child_workflow_execution_initiated_event_attributes")
    ]
