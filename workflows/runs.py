"""The runs of a process at Temporal: how the latest stands, and how one that is stuck goes on.

A run is stuck where it was ended from outside, or where its workflow task keeps failing. The server
resets it to its last point, in a new run under the same workflow id.
"""

from collections.abc import Awaitable, Callable, Iterable

from temporalio.api.common.v1 import WorkflowExecution as Run
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from workflows import search_attributes
from workflows.patience import PATIENCE, temporal_answers


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


def is_failing(run: WorkflowExecution | None) -> bool:
    """Whether a run goes on no more because its workflow task keeps failing."""
    if run is None:
        return False
    running = run.status == WorkflowExecutionStatus.RUNNING
    return running and run.typed_search_attributes.get(search_attributes.PROBLEMS) is not None


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
