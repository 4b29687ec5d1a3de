"""What Temporal has of a process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from temporalio.client import Client, WorkflowFailureError

_PATIENCE = 10.0


@dataclass(frozen=True)
class WorkflowRun:
    """A run at Temporal: how it stands, and what it returned."""

    status: str
    result: str | None


async def runs_of(temporal: Client, process: str) -> list[WorkflowRun]:
    """Each run of a process; one that is about to complete is given a little time for it."""
    runs = []
    async for run in temporal.list_workflows(f"WorkflowId = '{process}'"):
        handle = temporal.get_workflow_handle(run.id, run_id=run.run_id, result_type=str)
        try:
            async with asyncio.timeout(_PATIENCE):
                runs.append(WorkflowRun("completed", await handle.result(follow_runs=False)))
        except (TimeoutError, WorkflowFailureError):
            status = (await handle.describe()).status
            runs.append(WorkflowRun(status.name.lower() if status else "unknown", None))
    return runs


async def workers_of(temporal: Client, process: str) -> list[str]:
    """Which workers carried a process, by its history, in the order of their appearance."""
    workers: dict[str, None] = {}
    async for event in temporal.get_workflow_handle(process).fetch_history_events():
        for started in (
            event.workflow_task_started_event_attributes,
            event.activity_task_started_event_attributes,
        ):
            # Empty where the event is of another type.
            if started.identity:
                workers[started.identity] = None
    return list(workers)
