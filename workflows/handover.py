"""How what came in at the door reaches Temporal: signups are started, events are told.

Both can be done twice: a signup has one process for good, an event is known by its id.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution as Run
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from workflows import search_attributes
from workflows.events import (
    DOCUMENT_RECEIVED,
    EMAIL_CONFIRMED,
    HIT_JUDGED,
    Event,
    NotTaken,
)
from workflows.onboarding.confirmation import EmailConfirmed
from workflows.onboarding.documents import DocumentsChanged
from workflows.onboarding.life import ListChanged, life_of
from workflows.onboarding.messages import (
    TASK_QUEUE,
    IdentityChanged,
    Start,
    Started,
    tenant_of,
    workflow_id,
)
from workflows.onboarding.screening import HitJudged
from workflows.onboarding.workflow import CustomerOnboarding

PATIENCE = timedelta(seconds=4)
"""How long Temporal, or a worker through it, has to answer."""

_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def temporal_answers(patience: timedelta = PATIENCE) -> AsyncIterator[None]:
    """Raise NotTaken for everything that shows that Temporal, or a worker, does not answer."""
    try:
        # Calls carry the same limit; this one is for what takes several.
        async with asyncio.timeout(patience.total_seconds() + 0.5):
            yield
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        raise NotTaken("Temporal, or every worker, does not answer in time") from error
    except RPCError as error:
        if error.status in _ITS_ANSWER:
            raise
        _log.info("Temporal does not take it: %s", error.status.name)
        raise NotTaken("Temporal does not answer") from error
    except RuntimeError as error:
        if not str(error).startswith(_CONNECTS_LATE):
            raise
        raise NotTaken("Temporal cannot be reached") from error


_CONNECTS_LATE = "Failed client connect"
"""How a client that connects at its first call says that it could not."""


_ITS_ANSWER = frozenset(
    {
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.ALREADY_EXISTS,
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.UNAUTHENTICATED,
    }
)
"""Not FAILED_PRECONDITION: that is how the server says that a workflow's task keeps failing."""


async def start_onboarding(client: Client, start: Start) -> Started | None:
    """Start the onboarding of a stored application, and hear from it at once.

    None where it has come to its end before. Raises NotTaken while Temporal or every worker is
    down; the process may have been started nevertheless.
    """
    operation = WithStartWorkflowOperation(CustomerOnboarding.run, start, **_options(start))
    try:
        async with temporal_answers():
            return await client.execute_update_with_start_workflow(
                CustomerOnboarding.started,
                start_workflow_operation=operation,
                rpc_timeout=PATIENCE,
            )
    except WorkflowAlreadyStartedError:
        return None


async def hand_over_onboarding(client: Client, start: Start) -> None:
    """Have Temporal take over a stored application; nothing happens where it has it already.

    Raises NotTaken while Temporal is down.
    """
    try:
        async with temporal_answers():
            await client.start_workflow(
                CustomerOnboarding.run, start, rpc_timeout=PATIENCE, **_options(start)
            )
    except WorkflowAlreadyStartedError:
        return


async def bring_back(client: Client, start: Start, run_id: str) -> str:
    """Let an onboarding whose run was ended from outside go on; the answer is its stage.

    The server resets the run to its last point: what it made, and how to undo it, is known again.
    Where there is no such point, or its history has expired, it starts anew; its request keys make
    what was done count. Nothing happens where it runs again, or has come to its end.

    Raises NotTaken while Temporal is down.
    """
    id_ = workflow_id(start.tenant, start.application_id)
    return await _bring_back(client, id_, run_id, partial(_start_anew, client, start))


async def bring_life_back(client: Client, id_: str, run_id: str) -> str:
    """Let the life of a customer whose run was ended from outside go on; the answer is its stage.

    What it had repaired, and under which keys, only its history knows: it cannot start anew.

    Raises HistoryExpired, NotTaken while Temporal is down.
    """

    async def refuse() -> None:
        raise HistoryExpired

    return await _bring_back(client, id_, run_id, refuse)


class HistoryExpired(Exception):
    """Temporal has forgotten the run that was to go on."""


async def go_on(
    client: Client, id_: str, run_id: str, start_anew: Callable[[], Awaitable[None]]
) -> WorkflowExecution:
    """Let a run that was ended from outside go on from its last point, or start anew without one.

    Nothing happens where it runs again, or has come to its end. Raises RPCError.
    """
    if await _was_ended_from_outside(client, id_):
        point = await _last_point(client, id_, run_id)
        if point is None:
            await start_anew()
        else:
            await _reset(client, id_, run_id, point, "ended from outside")
    return await client.get_workflow_handle(id_).describe()


async def _bring_back(
    client: Client, id_: str, run_id: str, start_anew: Callable[[], Awaitable[None]]
) -> str:
    async with temporal_answers(2 * PATIENCE):
        described = await go_on(client, id_, run_id, start_anew)
        if described.status == WorkflowExecutionStatus.RUNNING:
            # What was said while nobody listened is made up for by one more look at all of it.
            process = client.get_workflow_handle(id_, result_type=str)
            event_id = f"brought-back/{run_id}"
            confirmed = EmailConfirmed(event_id=event_id)
            await process.signal(CustomerOnboarding.email_confirmed, confirmed)
            changed = IdentityChanged(event_id=event_id, session_id="")
            await process.signal(CustomerOnboarding.identity_changed, changed)
            came = DocumentsChanged(event_id=event_id)
            await process.signal(CustomerOnboarding.documents_changed, came)
            judged = HitJudged(event_id=event_id)
            await process.signal(CustomerOnboarding.hit_judged, judged)
    return described.typed_search_attributes.get(search_attributes.STAGE) or "received"


async def free(client: Client, id_: str) -> tuple[str, str]:
    """Let a process whose workflow task keeps failing go on from its last point.

    The server ends the failing run and goes on in a new one, under the same workflow id. The answer
    is the run that was ended, and the stage. Nothing that was said to the process is lost: what
    came in after the point is told again.

    Raises NotFailing, also where there is no such process; NotTaken while Temporal is down.
    """
    async with temporal_answers(2 * PATIENCE):
        described = await latest_run(client, id_)
        if described is None or not is_failing(described):
            raise NotFailing
        run_id = described.run_id
        point = await _last_point(client, id_, run_id)
        if point is None:
            raise NotFailing
        await _reset(client, id_, run_id, point, "its workflow task kept failing")
    return run_id, described.typed_search_attributes.get(search_attributes.STAGE) or "received"


class NotFailing(Exception):
    """The process goes on by itself, or has come to its end, or is none."""


def is_failing(run: WorkflowExecution | None) -> bool:
    """Whether a run goes on no more because its workflow task keeps failing."""
    if run is None:
        return False
    running = run.status == WorkflowExecutionStatus.RUNNING
    return running and run.typed_search_attributes.get(search_attributes.PROBLEMS) is not None


async def latest_run(client: Client, id_: str) -> WorkflowExecution | None:
    """The latest run of a process; None where Temporal knows none.

    Raises NotTaken while Temporal is down.
    """
    try:
        async with temporal_answers():
            return await client.get_workflow_handle(id_).describe(rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        raise


async def _reset(client: Client, id_: str, run_id: str, point: int, why: str) -> None:
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=Run(workflow_id=id_, run_id=run_id),
            reason=f"{why}; brought back by an operator",
            workflow_task_finish_event_id=point,
            request_id=f"bring-back/{run_id}",  # twice is once
        )
    )


async def _was_ended_from_outside(client: Client, id_: str) -> bool:
    described = await latest_run(client, id_)
    if described is None:
        return True  # and Temporal has forgotten it since
    going_on = (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED)
    return described.status not in going_on


async def _last_point(client: Client, id_: str, run_id: str) -> int | None:
    """The last event of a run's history that it can go on from; None where there is none."""
    history = client.get_workflow_handle(id_, run_id=run_id).fetch_history_events()
    try:
        return point_to_go_on_from([event async for event in history])
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return None


def point_to_go_on_from(events: Iterable[HistoryEvent]) -> int | None:
    """The end of the last workflow task that a history can be replayed up to, as a reset wants it.

    That is the last one that was completed. Where it has accepted an update that was not completed,
    it is the one that accepted it: an answer that was cut off cannot always be replayed, so the
    update comes in anew. A history without a completed task begins again with its first one.
    """
    first = last = None
    open_updates: dict[int, int] = {}
    for event in events:
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                last = event.event_id
            case (
                EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
                | EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT
            ):
                first = first or event.event_id
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED if last is not None:
                open_updates[event.event_id] = last
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
                completed = event.workflow_execution_update_completed_event_attributes
                open_updates.pop(completed.accepted_event_id, None)
    return min(open_updates.values(), default=last or first)


async def _start_anew(client: Client, start: Start) -> None:
    policy = {"id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY}
    with contextlib.suppress(WorkflowAlreadyStartedError):
        await client.start_workflow(CustomerOnboarding.run, start, **(_options(start) | policy))


async def hand_over_event(client: Client, event: Event) -> str | None:
    """Tell the process that an event concerns; the answer says why nobody was told.

    Raises NotTaken while Temporal is down.
    """
    if why := event.nobody_waits:
        return why
    if event.workflow_id is None or tenant_of(event.workflow_id) is None:
        return "names no process of ours"
    if event.type == HIT_JUDGED:
        judged = HitJudged(event_id=event.event_id)
        return await _tell_both(client, event.workflow_id, "hit_judged", judged)
    if event.type == DOCUMENT_RECEIVED:
        came = DocumentsChanged(event_id=event.event_id)
        return await _tell_both(client, event.workflow_id, "documents_changed", came)
    process = client.get_workflow_handle(event.workflow_id, result_type=str)
    try:
        async with temporal_answers():
            if event.type == EMAIL_CONFIRMED:
                confirmed = EmailConfirmed(event_id=event.event_id)
                await process.signal(
                    CustomerOnboarding.email_confirmed, confirmed, rpc_timeout=PATIENCE
                )
            else:
                changed = IdentityChanged(event_id=event.event_id, session_id=event.object_id)
                await process.signal(
                    CustomerOnboarding.identity_changed, changed, rpc_timeout=PATIENCE
                )
    except RPCError as error:
        if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
            return "the process is not running"
        raise NotTaken("Temporal refused the event") from error
    return None


async def _tell_both(
    client: Client, onboarding: str, signal: str, hint: HitJudged | DocumentsChanged
) -> str | None:
    """Tell the onboarding, and whoever watches over the customer: both run for a moment.

    In this order, so that one of them hears of it: the second begins before the first has ended.
    Raises NotTaken while Temporal is down.
    """
    heard = False
    for process in (onboarding, life_of(onboarding)):
        handle = client.get_workflow_handle(process, result_type=str)
        try:
            async with temporal_answers():
                await handle.signal(signal, hint, rpc_timeout=PATIENCE)
            heard = True
        except RPCError as error:
            if error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
                raise NotTaken("Temporal refused the event") from error
    return None if heard else "the process is not running"


async def tell_of_list(client: Client, process: str, list_version: str) -> bool:
    """Tell the life of a customer that the list has another version; False where it does not run.

    Raises NotTaken while Temporal is down.
    """
    life = client.get_workflow_handle(process, result_type=str)
    try:
        async with temporal_answers():
            changed = ListChanged(list_version=list_version)
            await life.signal("list_changed", changed, rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


def _options(start: Start) -> dict[str, Any]:
    """What every start of an onboarding has in common. Any: the SDK's options are of many types."""
    return {
        "id": workflow_id(start.tenant, start.application_id),
        "task_queue": TASK_QUEUE,
        "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
        "id_reuse_policy": WorkflowIDReusePolicy.REJECT_DUPLICATE,
        "static_summary": f"Onboarding for {start.tenant}",
        "search_attributes": TypedSearchAttributes(
            [
                SearchAttributePair(search_attributes.TENANT, start.tenant),
                SearchAttributePair(search_attributes.STAGE, "received"),
            ]
        ),
    }
