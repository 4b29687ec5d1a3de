"""A customer's document expires: a new one is asked for in time, or somebody is asked."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from tests.patience import SOON
from tests.workflow.conftest import BeginLife, Life
from tests.workflow.scripted_documents import judgement
from tests.workflow.scripted_life import ScriptedLife, compare_now, life_policy
from tests.workflow.test_customer_life import answer, compare, leave, until
from workflows.onboarding import customer_life
from workflows.onboarding.customer_life import CustomerLife
from workflows.onboarding.documents import DocumentsChanged
from workflows.onboarding.life import Paper
from workflows.onboarding.rules import DocumentKind

DAY = timedelta(days=1)
PASSPORT: DocumentKind = "identity_document"


def day(days: int) -> Any:
    return (datetime.now(UTC) + days * DAY).date()


def world_with(days: int, **policy: Any) -> ScriptedLife:
    """A customer whose passport is valid for so many days more."""
    world = ScriptedLife(life_policy(compare_every=3650 * DAY, **policy))
    world.papers = (Paper(kind=PASSPORT, valid_until=day(days)),)
    return world


async def deliver(one: Life, days: int = 3000) -> str:
    """A new passport comes in at the door."""
    id_ = one.world.deliver(PASSPORT, day(days))
    await one.handle.signal(CustomerLife.documents_changed, DocumentsChanged(event_id=id_))
    await until(lambda: one.world.documents[id_].state == "stored")
    return id_


async def asked(one: Life) -> None:
    await compare(one)
    await until(lambda: one.world.letters)


async def judge(one: Life, document: str, **told: Any) -> None:
    """Judge a document as soon as the process knows that it is stored."""
    async with asyncio.timeout(SOON):
        while True:
            said = judgement(document, told.get("code"))
            said = said.model_copy(update={"valid_until": told.get("valid_until")})
            try:
                await one.decide(CustomerLife.judge_document, said)
            except WorkflowUpdateFailedError:
                await asyncio.sleep(0.1)
            else:
                return


async def is_over(one: Life) -> None:
    """Nothing of these kinds is taken in at the door any more."""
    await until(lambda: one.world.asked_for is not None and not one.world.asked_for.kinds)


async def test_a_document_is_asked_for_so_long_before_it_expires_and_replaced(
    life: BeginLife,
) -> None:
    world = world_with(40)
    async with life(world) as one:
        await compare(one)
        assert world.letters == []
        await one.pass_time(11 * DAY)
        await until(lambda: world.letters)
        request = world.asked_for
        assert request is not None
        assert (request.kinds, request.dated, request.of_customer) == ((PASSPORT,),) * 2 + (True,)
        assert request.round == 4, "not one of the onboarding's"
        letter = world.letters[0]
        assert (letter.occasion, letter.kinds) == ("expiring", (PASSPORT,))
        assert letter.until.date() == day(41)
        document = await deliver(one)
        await judge(one, document, valid_until=day(2900))
        await is_over(one)
        assert world.judged[0].process == one.handle.id
        assert world.judged[0].valid_until == day(2900)
        world.papers = (Paper(kind=PASSPORT, valid_until=day(2900)),)
        await compare(one)
        await one.pass_time(5 * DAY)
        assert len(world.letters) == 1
        await leave(one)
    assert world.states() == ["accepted"], "evidence is kept when they leave"


async def test_who_does_not_answer_is_reminded_and_then_it_is_put_before_somebody(
    life: BeginLife,
) -> None:
    times = {"ask_before": 3 * DAY, "remind_after": (DAY,), "deliver_within": 2 * DAY}
    policy = life_policy().documents
    assert policy is not None
    world = world_with(1, documents=policy.model_copy(update=times))
    async with life(world) as one:
        await asked(one)
        await one.pass_time(1.1 * DAY)
        await until(lambda: [each.occasion for each in world.letters] == ["expiring", "reminder"])
        await one.pass_time(1 * DAY)
        progress = await one.until(lambda progress: progress.attention)
        assert progress.attention[0].reason.type == "customer.documents"
        assert progress.attention[0].choices == ("retry", "skip")
        await answer(one, "retry")
        await until(lambda: len(world.letters) == 3)
        assert world.letters[2].until > world.letters[1].until
        await one.pass_time(2.1 * DAY)
        await one.until(lambda progress: progress.attention)
        await answer(one, "skip")
        await is_over(one)
        await compare(one)
        await one.pass_time(1 * DAY)
        assert len(world.letters) == 3, "what somebody left is not asked for again"


async def test_what_nobody_refuses_counts_after_the_time_to_look(life: BeginLife) -> None:
    world = world_with(5)
    async with life(world) as one:
        await asked(one)
        assert world.letters[0].until.date() > day(6), "time to find it, however late we are"
        await deliver(one)
        await one.pass_time(timedelta(hours=9))
        await is_over(one)


async def test_what_is_refused_is_asked_for_again(life: BeginLife) -> None:
    world = world_with(20)
    async with life(world) as one:
        await asked(one)
        first = await deliver(one)
        await judge(one, first, code="unreadable")
        await until(lambda: len(world.letters) == 2)
        assert [each.code for each in world.letters[1].refused] == ["unreadable"]
        second = await deliver(one)
        await judge(one, second)
        await is_over(one)
    assert world.states() == ["refused", "accepted"]


async def test_what_was_asked_for_goes_over_into_the_next_run(
    life: BeginLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customer_life, "ENOUGH", 60)
    world = world_with(20)
    async with life(world, sandboxed=False) as one:
        await asked(one)
        first = one.handle.first_execution_run_id
        while (await one.handle.describe()).run_id == first:
            await one.decide(CustomerLife.compare_now, compare_now())
            await asyncio.sleep(0.3)
        document = await deliver(one)
        await judge(one, document)
        await is_over(one)
        await leave(one)
    assert len(world.letters) == 1
    assert {key for key, runs in world.runs.items() if len(runs) > 1} == set()


async def test_without_a_policy_for_it_nobody_sees_to_documents(life: BeginLife) -> None:
    world = world_with(1, documents=None)
    async with life(world) as one:
        await compare(one)
        await one.pass_time(3 * DAY)
        assert world.letters == []
