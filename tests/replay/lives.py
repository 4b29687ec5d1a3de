"""Customers' lives to record histories of and to replay, each against the scripted outside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.worker import Worker

from tests.patience import SOON
from tests.workflow.reviewing import approval, rejection
from tests.workflow.scripted import refused, resolution
from tests.workflow.scripted_documents import judgement
from tests.workflow.scripted_life import ScriptedLife, compare_now, life_policy, offboarding
from workers.sandbox import workflow_runner
from workflows.onboarding.customer_life import CustomerLife
from workflows.onboarding.documents import DocumentsChanged
from workflows.onboarding.life import ListChanged, Paper
from workflows.onboarding.life_steps import LifeSteps
from workflows.onboarding.messages import IdentityStatus
from workflows.onboarding.screening import HitJudged
from workflows.onboarding.steps import DirectorySteps
from workflows.step import implementations

Handle = WorkflowHandle[CustomerLife, str]
Scenario = Callable[[ScriptedLife, Handle], Awaitable[None]]

LIVES: dict[str, Scenario] = {}
OPEN = {
    "compared-and-repaired",
    "parked-by-a-difference",
    "proved-again",
    "reviewed-and-stays",
    "documents-renewed",
}
"""Lives that go on."""


def life(name: str) -> Callable[[Scenario], Scenario]:
    def note(play: Scenario) -> Scenario:
        LIVES[name] = play
        return play

    return note


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(SOON):
        while not condition():
            await asyncio.sleep(0.02)


async def decide(handle: Handle, update: Any, decision: Any) -> None:
    await handle.execute_update(update, decision, id=decision.by.update_id)


async def compare(world: ScriptedLife, handle: Handle) -> None:
    before = len(world.compared)
    await decide(handle, CustomerLife.compare_now, compare_now())
    await until(lambda: len(world.compared) >= before + 3)


async def answer(handle: Handle, action: Any) -> None:
    async with asyncio.timeout(SOON):
        while not (progress := await handle.query(CustomerLife.progress)).attention:
            await asyncio.sleep(0.02)
    decided = resolution(LifeSteps.put_before, action)
    step = progress.attention[0].step
    await decide(handle, CustomerLife.resolve, decided.model_copy(update={"step": step}))


@life("compared-and-repaired")
async def _(world: ScriptedLife, handle: Handle) -> None:
    world.gone |= {"user", "tax_id", "contact", "company"}
    await compare(world, handle)
    await until(lambda: len(world.found) == 4)


@life("parked-by-a-difference")
async def _(world: ScriptedLife, handle: Handle) -> None:
    world.gone.add("customer")
    world.differing["contact"] = ("name",)
    await compare(world, handle)
    await answer(handle, "retry")
    await until(lambda: world.found)
    await until(lambda: len(world.notices) >= 2)


@life("proved-again")
async def _(world: ScriptedLife, handle: Handle) -> None:
    await until(lambda: world.proofs)


@life("left-without-a-proof")
async def _(world: ScriptedLife, handle: Handle) -> None:
    world.identity = IdentityStatus(status="requires_input")
    await until(lambda: world.asked)
    await decide(handle, CustomerLife.offboard, offboarding())
    await handle.result()


@life("offboarded-with-a-parked-undo")
async def _(world: ScriptedLife, handle: Handle) -> None:
    world.gone.add("user")
    await compare(world, handle)
    await until(lambda: world.found)
    world.fail(DirectorySteps.delete_user, refused("directory.auth"))
    await decide(handle, CustomerLife.offboard, offboarding())
    async with asyncio.timeout(SOON):
        while not (progress := await handle.query(CustomerLife.progress)).attention:
            await asyncio.sleep(0.02)
    retry = resolution(DirectorySteps.delete_user, "retry")
    step = progress.attention[0].step
    await decide(handle, CustomerLife.resolve, retry.model_copy(update={"step": step}))
    await handle.result()


@life("reviewed-and-stays")
async def _(world: ScriptedLife, handle: Handle) -> None:
    world.screened = world.screened.model_copy(update={"status": "possible", "hits": 1})
    await handle.signal(CustomerLife.list_changed, ListChanged(list_version="list-2"))
    await waits_for(handle, "a review")
    world.screened = world.screened.model_copy(update={"status": "accepted"})
    await handle.signal(CustomerLife.hit_judged, HitJudged(event_id="screening/1/2"))
    await decide(handle, CustomerLife.approve, approval())
    await until(lambda: world.screenings[-1] == ("accepted", "list-2"))


@life("offboarded-by-reviewers")
async def _(world: ScriptedLife, handle: Handle) -> None:
    world.screened = world.screened.model_copy(update={"status": "confirmed", "hits": 1})
    await handle.signal(CustomerLife.hit_judged, HitJudged(event_id="screening/1/2"))
    await waits_for(handle, "a review")
    await decide(handle, CustomerLife.reject, rejection())
    await handle.result()


@life("documents-renewed")
async def _(world: ScriptedLife, handle: Handle) -> None:
    soon = (datetime.now(UTC) + timedelta(days=3)).date()
    world.papers = (Paper(kind="identity_document", valid_until=soon),)
    await compare(world, handle)
    await until(lambda: world.letters)
    document = world.deliver("identity_document", soon + timedelta(days=3650))
    await handle.signal(CustomerLife.documents_changed, DocumentsChanged(event_id=document))
    await until(lambda: world.documents[document].state == "stored")
    await decide(handle, CustomerLife.judge_document, judgement(document))
    await until(lambda: world.asked_for is not None and not world.asked_for.kinds)


async def waits_for(handle: Handle, what: str) -> None:
    async with asyncio.timeout(SOON):
        while True:
            waiting = (await handle.query(CustomerLife.progress)).waiting
            if waiting is not None and waiting.what == what:
                return
            await asyncio.sleep(0.02)


def world_of(name: str) -> ScriptedLife:
    """The outside that a life plays against: in production's time, but for what is due at once."""
    if name not in ("proved-again", "left-without-a-proof"):
        return ScriptedLife()
    soon = timedelta(seconds=1)
    after = life_policy().reverify_after.model_copy(update={"medium": soon})
    return ScriptedLife(life_policy(reverify_after=after, reverify_within=soon))


async def record_life(client: Client, name: str) -> WorkflowHistory:
    """Play a life and return its history."""
    world = world_of(name)
    async with Worker(
        client,
        task_queue=name,
        workflows=[CustomerLife],
        activities=implementations(world),
        workflow_runner=workflow_runner(),
        identity="worker",
    ):
        handle = await client.start_workflow(
            CustomerLife.run,
            world.state("application"),
            id=f"customer/acme/{name}",
            task_queue=name,
        )
        await LIVES[name](world, handle)
        await asyncio.sleep(0.2)
        return await handle.fetch_history()
