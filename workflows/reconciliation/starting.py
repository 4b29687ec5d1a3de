"""How a reconciliation is begun from outside: once, however often it is asked for."""

import contextlib

from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from workflows.handover import PATIENCE, temporal_answers
from workflows.reconciliation.messages import TASK_QUEUE, Days, Run, range_id
from workflows.reconciliation.nightly import ReconcileDays
from workflows.reconciliation.workflow import ReconcileAccount


async def start_run(client: Client, run: Run) -> None:
    """Start the process of a run that was given out; nothing happens where it runs already.

    Raises NotTaken while Temporal is down: asked again, the same run is given out again.
    """
    with contextlib.suppress(WorkflowAlreadyStartedError):
        async with temporal_answers():
            await client.start_workflow(
                ReconcileAccount.run,
                run,
                id=run.workflow_id,
                task_queue=TASK_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                rpc_timeout=PATIENCE,
                static_summary=f"{run.account}, {run.day}",
            )


async def start_range(client: Client, days: Days) -> str:
    """Start going through the days of a range; the id of its process.

    Nothing happens where it is gone through already. Raises NotTaken while Temporal is down.
    """
    id_ = range_id(days.account, days.first, days.last)
    with contextlib.suppress(WorkflowAlreadyStartedError):
        async with temporal_answers():
            await client.start_workflow(
                ReconcileDays.run,
                days,
                id=id_,
                task_queue=TASK_QUEUE,
                rpc_timeout=PATIENCE,
                static_summary=f"{days.account}, {days.first} to {days.last}",
            )
    return id_
