"""The time-skipping server, and onboardings that run on it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pytest
from temporalio.client import WorkflowHandle, WorkflowHistory, WorkflowUpdateFailedError
from temporalio.common import SearchAttributes
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.patience import SOON
from tests.workflow.scripted import Scripted
from tests.workflow.scripted_life import ScriptedLife
from workers.converter import CONVERTER
from workers.sandbox import workflow_runner
from workflows import search_attributes
from workflows.attention import Attended
from workflows.onboarding.confirmation import EmailConfirmed
from workflows.onboarding.customer_life import CustomerLife
from workflows.onboarding.life import customer_workflow_id
from workflows.onboarding.messages import Start
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.progress import Progress
from workflows.step import implementations

Handle = WorkflowHandle[Any, str]


@pytest.fixture(scope="session")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A real server whose workflows each have a clock of their own, which skips idle time."""
    temporal = Path(sys.executable).parent / "temporal"
    async with await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=str(temporal),
        data_converter=CONVERTER,
        search_attributes=search_attributes.ALL,
        dev_server_log_level="error",
        dev_server_extra_args=[
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
        ],
    ) as environment:
        yield environment


async def progress_of(handle: WorkflowHandle[Any, Any]) -> Progress:
    """The progress. A query that comes while its run leaves the worker's memory is lost."""
    while True:
        try:
            return await handle.query(Attended.progress, rpc_timeout=timedelta(seconds=2))
        except RPCError as error:
            if error.status not in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
                raise


class Onboarding:
    """One onboarding in a scripted world, and time that passes when the test says so."""

    def __init__(self, environment: WorkflowEnvironment, world: Scripted, handle: Handle) -> None:
        self.environment, self.world, self.handle = environment, world, handle

    async def pass_time(self, time: timedelta) -> None:
        await self.environment.fast_forward(self.handle, time)

    async def until(self, condition: Callable[[Any], bool], seconds: float = SOON) -> Any:
        """Wait until the progress is as described, and return it."""
        async with asyncio.timeout(seconds):
            while not condition(progress := await self.progress()):
                await asyncio.sleep(0.02)
        return progress

    async def progress(self) -> Progress:
        return await progress_of(self.handle)

    async def decide(self, update: Any, decision: Any) -> Any:
        return await self.handle.execute_update(update, decision, id=decision.by.update_id)

    async def why_not(self, update: Any, decision: Any) -> str | None:
        """The type of the error that answers a decision which must not be taken."""
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await self.decide(update, decision)
        assert isinstance(failed.value.cause, ApplicationError)
        return failed.value.cause.type

    async def attributes_when(
        self, condition: Callable[[SearchAttributes], bool]
    ) -> SearchAttributes:
        """The search attributes once they are as described: the server shows them later."""
        async with asyncio.timeout(SOON):
            while not condition(found := (await self.handle.describe()).search_attributes):
                await asyncio.sleep(0.02)
        return found


class Life(Onboarding):
    """One customer in a scripted world."""

    world: ScriptedLife

    @property
    def histories(self) -> AsyncIterator[WorkflowHistory]:
        """The histories of all its runs, the first one first."""
        return self._histories()

    async def _histories(self) -> AsyncIterator[WorkflowHistory]:
        run = self.handle.first_execution_run_id
        while run:
            client = self.environment.client
            history = await client.get_workflow_handle(self.handle.id, run_id=run).fetch_history()
            yield history
            last = history.events[-1]
            run = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id


class BeginLife(Protocol):
    """Starts the life of a customer: `async with life(world) as one`."""

    def __call__(
        self, world: ScriptedLife, *, skip_time: bool = False, sandboxed: bool = True
    ) -> AbstractAsyncContextManager[Life]: ...


@pytest.fixture
def life(skipping: WorkflowEnvironment) -> BeginLife:
    """Start a customer's life. What a test changed in our code is seen outside the sandbox only."""

    @asynccontextmanager
    async def start(
        world: ScriptedLife, *, skip_time: bool = False, sandboxed: bool = True
    ) -> AsyncIterator[Life]:
        queue, application = str(uuid4()), uuid4().hex[:26]
        async with Worker(
            skipping.client,
            task_queue=queue,
            workflows=[CustomerLife],
            activities=implementations(world),
            max_cached_workflows=100,
            workflow_runner=workflow_runner() if sandboxed else UnsandboxedWorkflowRunner(),
        ):
            with nullcontext() if skip_time else skipping.with_time_skipping_disabled():
                handle = await skipping.client.start_workflow(
                    CustomerLife.run,
                    world.state(application),
                    id=customer_workflow_id("acme", application),
                    task_queue=queue,
                )
            try:
                yield Life(skipping, world, handle)
            finally:
                with suppress(RPCError):  # it may have come to its end
                    await handle.terminate("test over")

    return start


class Begin(Protocol):
    """Starts an onboarding: `async with onboarding(world) as one`.

    Its applicant has pressed the button in the mail before anybody looks, unless `confirms` is
    False. `story` is a workflow of the same name that tells a part of it.
    """

    def __call__(
        self,
        world: Scripted,
        *,
        skip_time: bool = False,
        confirms: bool = True,
        story: type = CustomerOnboarding,
    ) -> AbstractAsyncContextManager[Onboarding]: ...


@pytest.fixture
def onboarding(skipping: WorkflowEnvironment) -> Begin:
    """Start an onboarding."""

    @asynccontextmanager
    async def start(
        world: Scripted,
        *,
        skip_time: bool = False,
        confirms: bool = True,
        story: type = CustomerOnboarding,
    ) -> AsyncIterator[Onboarding]:
        queue = str(uuid4())
        world.confirmed = confirms
        async with Worker(
            skipping.client,
            task_queue=queue,
            workflows=[story],
            activities=implementations(world),
            max_cached_workflows=100,
            workflow_runner=workflow_runner(),
        ):
            application = uuid4().hex[:26]
            identifier = f"onboarding/acme/{application}"

            async def begin() -> Handle:
                return await skipping.client.start_workflow(
                    CustomerOnboarding.run,
                    Start(application_id=application, tenant="acme"),
                    id=identifier,
                    task_queue=queue,
                    start_signal="email_confirmed" if confirms else None,
                    start_signal_args=[EmailConfirmed(event_id="confirmed")] if confirms else [],
                )

            if skip_time:
                handle = await begin()
            else:
                with skipping.with_time_skipping_disabled():
                    handle = await begin()
            yield Onboarding(skipping, world, handle)

    return start
