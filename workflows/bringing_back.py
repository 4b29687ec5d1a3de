"""How an onboarding, or the life of a customer, goes on whose run was ended from outside."""

from collections.abc import Awaitable, Callable
from functools import partial

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecutionStatus

from workflows import search_attributes
from workflows.handover import start_anew, tell
from workflows.onboarding.confirmation import EmailConfirmed
from workflows.onboarding.documents import DocumentsChanged
from workflows.onboarding.life import is_customer
from workflows.onboarding.messages import IdentityChanged, Start, workflow_id
from workflows.onboarding.screening import HitJudged
from workflows.patience import PATIENCE, temporal_answers
from workflows.runs import go_on


async def bring_back(client: Client, start: Start, run_id: str) -> str:
    """Let an onboarding whose run was ended from outside go on; the answer is its stage.

    The server resets the run to its last point: what it made, and how to undo it, is known again.
    Where there is no such point, or its history has expired, it starts anew; its request keys make
    what was done count. Nothing happens where it runs again, or has come to its end.

    Raises NotTaken while Temporal is down.
    """
    id_ = workflow_id(start.tenant, start.application_id)
    return await _bring_back(client, id_, run_id, partial(start_anew, client, start))


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


async def _bring_back(
    client: Client, id_: str, run_id: str, anew: Callable[[], Awaitable[None]]
) -> str:
    async with temporal_answers(2 * PATIENCE):
        described = await go_on(client, id_, run_id, anew)
        if described.status == WorkflowExecutionStatus.RUNNING:
            # What was said while nobody listened is made up for by one more look at all of it.
            for signal, hint in _hints(id_, f"brought-back/{run_id}").items():
                await tell(client, id_, signal, hint)
    return described.typed_search_attributes.get(search_attributes.STAGE) or "received"


def _hints(id_: str, event_id: str) -> dict[str, BaseModel]:
    """That everything may have changed that the process listens to, by the names of its signals."""
    hints: dict[str, BaseModel] = {
        "identity_changed": IdentityChanged(event_id=event_id, session_id=""),
        "documents_changed": DocumentsChanged(event_id=event_id),
        "hit_judged": HitJudged(event_id=event_id),
    }
    if is_customer(id_):
        return hints
    return {"email_confirmed": EmailConfirmed(event_id=event_id), **hints}
