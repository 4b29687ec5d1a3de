"""Reconciliations, shadows, ranges and nights to record histories of and to replay.

Each plays against scripted books, on a server that skips idle time, unless somebody is to act
meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.worker import Worker

from tests.patience import SOON
from tests.replay.lives import decide, until
from tests.workflow.conftest import progress_of
from tests.workflow.scripted import refused, resolution
from tests.workflow.scripted_reconciliation import ScriptedBooks, run_withdrawal
from workers.reconciliation import WORKFLOWS
from workers.sandbox import workflow_runner
from workflows.reconciliation.books import Status
from workflows.reconciliation.messages import END_OF, Days, Night, Run, range_id, shadow_id
from workflows.reconciliation.nightly import Nightly, ReconcileDays
from workflows.reconciliation.steps import GatherSteps, PostSteps, ProofSteps, ShadowSteps
from workflows.reconciliation.workflow import ReconcileAccount, ShadowReconciliation
from workflows.step import bulk_queue, declaration_of, implementations

DAY = date(2026, 3, 2)
LAST = DAY + timedelta(days=2)

Handle = WorkflowHandle[Any, Any]  # Any: of whichever of the four workflows
Clock = Callable[[], AbstractContextManager[None]]


@dataclass
class Begin:
    """Starts what a scenario is about, once."""

    client: Client
    name: str
    clock: Clock
    handle: Handle | None = None

    @property
    def queue(self) -> str:
        return f"books-{self.name}"

    async def __call__(self, *, by_hand: bool = False) -> Handle:
        """Start it; `by_hand` where somebody acts meanwhile: then no time is skipped."""
        story, input_, id_ = started(self.name)
        with self.clock() if by_hand else nullcontext():
            self.handle = await self.client.start_workflow(
                story, input_, id=id_, task_queue=self.queue
            )
        return self.handle

    async def history(self) -> WorkflowHistory:
        """The history so far; of the first run, where it went on in another."""
        assert self.handle is not None
        run = self.handle.first_execution_run_id
        return await self.client.get_workflow_handle(self.handle.id, run_id=run).fetch_history()


Scenario = Callable[[ScriptedBooks, Begin], Coroutine[Any, Any, None]]

BOOKS: dict[str, Scenario] = {}
OPEN = {"parked", "shadow-parked", "range-parked"}
"""Scenarios that leave their process running."""


def book(name: str) -> Callable[[Scenario], Scenario]:
    def note(play: Scenario) -> Scenario:
        BOOKS[name] = play
        return play

    return note


def name_of(status: Status) -> str:
    return END_OF[status].replace("_", "-")


async def attended(handle: Handle) -> None:
    """Wait until somebody must act on what the handle is of."""
    async with asyncio.timeout(SOON):
        while not (await progress_of(handle)).attention:
            await asyncio.sleep(0.02)


async def comes_out(status: Status, world: ScriptedBooks, begin: Begin) -> None:
    world.status = status
    await (await begin()).result()


async def stays_as_it_was(status: Status, world: ScriptedBooks, begin: Begin) -> None:
    world.earlier = status
    await (await begin()).result()


for _status in END_OF:
    BOOKS[name_of(_status)] = partial(comes_out, _status)
    BOOKS[f"shadow-{name_of(_status)}"] = partial(comes_out, _status)
    BOOKS[f"unchanged-{name_of(_status)}"] = partial(stays_as_it_was, _status)


@book("withdrawn")
async def _(world: ScriptedBooks, begin: Begin) -> None:
    held = world.hold(ProofSteps.prove)
    handle = await begin(by_hand=True)
    await world.reached["proof.prove"].wait()
    await decide(handle, ReconcileAccount.withdraw, run_withdrawal())
    held.set()
    await handle.result()


@book("withdrawn-by-cancellation")
async def _(world: ScriptedBooks, begin: Begin) -> None:
    held = world.hold(GatherSteps.statements)
    handle = await begin(by_hand=True)
    await world.reached["gather.statements"].wait()
    await handle.cancel()
    held.set()
    await handle.result()


@book("aborted")
async def _(world: ScriptedBooks, begin: Begin) -> None:
    world.fail(ProofSteps.prove, refused("defect"))
    handle = await begin(by_hand=True)
    await attended(handle)
    await decide(handle, ReconcileAccount.resolve, resolution(ProofSteps.prove, "abort"))
    await handle.result()


@book("retried-and-skipped")
async def _(world: ScriptedBooks, begin: Begin) -> None:
    world.status = "BREAKS"
    world.fail(GatherSteps.statements, refused("statement.refused"))
    world.fail(PostSteps.post, refused("period.locked"))
    handle = await begin(by_hand=True)
    await attended(handle)
    await decide(handle, ReconcileAccount.resolve, resolution(GatherSteps.statements, "retry"))
    await until(lambda: world.calls.count("post.post") == 1)
    await attended(handle)
    await decide(handle, ReconcileAccount.resolve, resolution(PostSteps.post, "skip"))
    await handle.result()


@book("parked")
async def _(world: ScriptedBooks, begin: Begin) -> None:
    world.fail(GatherSteps.processor, refused("stripe.permission"))
    await attended(await begin(by_hand=True))
    await until(lambda: world.notices)


@book("shadow-withdrawn")
async def _(world: ScriptedBooks, begin: Begin) -> None:
    held = world.hold(ShadowSteps.compare)
    handle = await begin(by_hand=True)
    await world.reached["shadow.compare"].wait()
    await handle.cancel()
    held.set()
    await handle.result()


@book("shadow-aborted")
async def _(world: ScriptedBooks, begin: Begin) -> None:
    world.fail(ShadowSteps.compare, refused("defect"))
    handle = await begin(by_hand=True)
    await attended(handle)
    await decide(handle, ShadowReconciliation.resolve, resolution(ShadowSteps.compare, "abort"))
    await handle.result()


@book("shadow-parked")
async def _(world: ScriptedBooks, begin: Begin) -> None:
    world.fail(ShadowSteps.compare, refused("defect"))
    await attended(await begin(by_hand=True))
    await until(lambda: world.notices)


@book("range")
async def _(world: ScriptedBooks, begin: Begin) -> None:
    world.status = "BREAKS"
    await (await begin()).result()


@book("range-busy")
async def _(world: ScriptedBooks, begin: Begin) -> None:
    world.open_runs["range-busy"] = Run(account="range-busy", day=DAY, ordinal=1)
    await (await begin()).result()


@book("range-stopped")
async def _(world: ScriptedBooks, begin: Begin) -> None:
    """Its second day is taken back, and the third is not begun."""
    first = world.hold(ProofSteps.prove)
    handle = await begin(by_hand=True)
    await world.reached["proof.prove"].wait()
    second = world.held["proof.prove"] = asyncio.Event()
    first.set()
    await until(lambda: world.calls.count("proof.prove") == 2)
    run = Run(account="range-stopped", day=DAY + timedelta(days=1), ordinal=1)
    child = begin.client.get_workflow_handle(run.workflow_id)
    await decide(child, ReconcileAccount.withdraw, run_withdrawal())
    second.set()
    await handle.result()


@book("range-parked")
async def _(world: ScriptedBooks, begin: Begin) -> None:
    world.fail(ProofSteps.prove, refused("defect"))
    await begin(by_hand=True)
    await until(lambda: world.notices)


@book("night")
async def _(world: ScriptedBooks, begin: Begin) -> None:
    world.due = {"night-one": (DAY, DAY), "night-two": (DAY, DAY), "night-three": (DAY, LAST)}
    await (await begin()).result()
    await until(lambda: len(world.ended) == 5)


@book("night-of-the-busy")
async def _(world: ScriptedBooks, begin: Begin) -> None:
    world.due = {"busy-one": (DAY, DAY)}
    world.open_runs["busy-one"] = Run(account="busy-one", day=DAY, ordinal=1)
    await (await begin()).result()


@book("night-in-parts")
async def _(world: ScriptedBooks, begin: Begin) -> None:
    world.at_most = 1
    world.due = {"part-one": (DAY, DAY), "part-two": (DAY, DAY)}
    await (await begin()).result()
    await until(lambda: len(world.ended) == 2)


def started(name: str) -> tuple[Any, Any, str]:
    """What a scenario starts: the story, its input, the id. Any: each story has its input."""
    if name.startswith("night"):
        return Nightly.run, Night(at=datetime(2026, 3, 3, 2, 30, tzinfo=UTC)), f"nightly/{name}"
    if name.startswith("range"):
        days = Days(account=name, first=DAY, last=LAST)
        return ReconcileDays.run, days, range_id(name, DAY, LAST)
    run = Run(account=name, day=DAY, ordinal=1)
    if name.startswith("shadow"):
        return ShadowReconciliation.run, run, shadow_id(name, DAY, "1")
    return ReconcileAccount.run, run, run.workflow_id


async def record_book(client: Client, name: str, by_hand: Clock = nullcontext) -> WorkflowHistory:
    """Play a scenario and return its history.

    `by_hand` has the server let time pass as it does, for what is started meanwhile.
    """
    world, begin = ScriptedBooks(), Begin(client, name, by_hand)
    steps = implementations(world)
    bulk = [one for one in steps if declaration_of(one).kind == "bulk"]
    async with (
        Worker(
            client,
            task_queue=begin.queue,
            workflows=WORKFLOWS,
            activities=[one for one in steps if one not in bulk],
            workflow_runner=workflow_runner(),
            identity="worker",
        ),
        Worker(client, task_queue=bulk_queue(begin.queue), activities=bulk, identity="worker"),
    ):
        await BOOKS[name](world, begin)
        await asyncio.sleep(0.2)
        return await begin.history()
