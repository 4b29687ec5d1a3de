"""How a reconciliation is begun from outside: once, however often it is asked for."""

import contextlib
from datetime import date

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from workflows import search_attributes
from workflows.patience import PATIENCE, temporal_answers
from workflows.reconciliation.messages import (
    TASK_QUEUE,
    Days,
    Run,
    range_id,
    run_of,
    shadow_id,
)
from workflows.reconciliation.nightly import ReconcileDays
from workflows.reconciliation.workflow import ReconcileAccount, ShadowReconciliation
from workflows.runs import go_on, latest_run


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


async def is_under_way(client: Client, days: Days) -> bool:
    """Whether the days of a range are gone through now. Raises NotTaken while Temporal is down."""
    found = await latest_run(client, range_id(days.account, days.first, days.last))
    return found is not None and found.status == WorkflowExecutionStatus.RUNNING


async def start_shadow(client: Client, account: str, day: date, name: str) -> str:
    """Start trying out how a day would come out, once for each name; the id of its process.

    Raises NotTaken while Temporal is down.
    """
    id_ = shadow_id(account, day, name)
    with contextlib.suppress(WorkflowAlreadyStartedError):
        async with temporal_answers():
            await client.start_workflow(
                ShadowReconciliation.run,
                Run(account=account, day=day, ordinal=1),
                id=id_,
                task_queue=TASK_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                rpc_timeout=PATIENCE,
                static_summary=f"{account}, {day}: as it would come out",
            )
    return id_


async def bring_run_back(client: Client, id_: str, run_id: str) -> str:
    """Let a run whose process was ended from outside go on; the answer is its stage.

    Raises NotTaken while Temporal is down.
    """
    run = run_of(id_)

    async def start_anew() -> None:
        with contextlib.suppress(WorkflowAlreadyStartedError):
            await client.start_workflow(
                ReconcileAccount.run,
                run,
                id=id_,
                task_queue=TASK_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            )

    async with temporal_answers(2 * PATIENCE):
        described = await go_on(client, id_, run_id, start_anew)
    return described.typed_search_attributes.get(search_attributes.STAGE) or "received"
