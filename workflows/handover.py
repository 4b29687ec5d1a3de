"""How what came in at the door reaches Temporal: signups are started, events are told.

Both can be done twice: a signup has one process for good, an event is known by its id.
"""

import contextlib
from typing import Any

from pydantic import BaseModel
from temporalio.client import Client, WithStartWorkflowOperation
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
from workflows.patience import PATIENCE, temporal_answers


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


async def start_anew(client: Client, start: Start) -> None:
    """Start an onboarding whose run was ended from outside and cannot go on from any point.

    Nothing happens where it runs, or has come to its end. Raises RPCError.
    """
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
    concerned = [event.workflow_id]
    if event.type in (HIT_JUDGED, DOCUMENT_RECEIVED):
        # The onboarding, and whoever watches over the customer, both run for a moment. In this
        # order one of them hears of it: the second begins before the first has ended.
        concerned.append(life_of(event.workflow_id))
    signal, hint = _hint(event)
    heard = [await tell(client, process, signal, hint) for process in concerned]
    return None if any(heard) else "the process is not running"


async def tell_of_list(client: Client, process: str, list_version: str) -> bool:
    """Tell the life of a customer that the list has another version; False where it does not run.

    Raises NotTaken while Temporal is down.
    """
    return await tell(client, process, "list_changed", ListChanged(list_version=list_version))


async def tell(client: Client, process: str, signal: str, hint: BaseModel) -> bool:
    """Send a process a hint; False where none of this id runs, or none could.

    Raises NotTaken while Temporal is down.
    """
    handle = client.get_workflow_handle(process)
    try:
        async with temporal_answers():
            await handle.signal(signal, hint, rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
            return False
        raise NotTaken("Temporal refused the hint") from error
    return True


def _hint(event: Event) -> tuple[str, BaseModel]:
    """What an event is told as: the signal's name, and the hint."""
    if event.type == HIT_JUDGED:
        return "hit_judged", HitJudged(event_id=event.event_id)
    if event.type == DOCUMENT_RECEIVED:
        return "documents_changed", DocumentsChanged(event_id=event.event_id)
    if event.type == EMAIL_CONFIRMED:
        return "email_confirmed", EmailConfirmed(event_id=event.event_id)
    changed = IdentityChanged(event_id=event.event_id, session_id=event.object_id)
    return "identity_changed", changed


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
