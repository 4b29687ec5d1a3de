"""Asking a process how far it is."""

from datetime import timedelta

from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError

from workflows.events import NotTaken
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.patience import temporal_answers
from workflows.progress import Progress

_PATIENCE = timedelta(seconds=1)


async def progress_of(
    client: Client, workflow_id: str, patience: timedelta = _PATIENCE
) -> Progress | None:
    """What the process itself says; None where there is none, or no worker answers in time."""
    process = client.get_workflow_handle(workflow_id, result_type=str)
    try:
        async with temporal_answers(patience):
            return await process.query(CustomerOnboarding.progress, rpc_timeout=patience)
    except (NotTaken, RPCError, WorkflowQueryFailedError):
        return None
