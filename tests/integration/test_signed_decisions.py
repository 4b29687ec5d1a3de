"""Decisions with a signature that is not over exactly them change nothing, whoever sends them.

They are sent as somebody would who reaches Temporal past the gateway, and has read a history.
"""

from __future__ import annotations

import itertools
import json
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from gateway.actors import Signer
from tests.house import House
from tests.integration.test_worker import Handle, prove_identity, started, until
from workers import keys
from workflows.actor import Actor, SignedActor
from workflows.decisions import Resolution
from workflows.onboarding.messages import Withdrawal
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.progress import Progress

OLGA = Actor(name="olga-operator", kind="person", roles=("operator",))
STEP = "billing.create_tax_id"
BAD_TAX_IDS = (f"XX{number}" for number in itertools.count())
"""Each once: two applicants with one tax id would be put before a reviewer."""
# Notices go out beside the story, and may be on their way still.
CHANGES = ("decisions", "requests WHERE step <> 'process.notify'", "audit")


def retry(by: SignedActor) -> Resolution:
    return Resolution(reason="looked into it", by=by, step=STEP, action="retry")


def withdrawal(by: SignedActor) -> Withdrawal:
    return Withdrawal(reason="changed their mind", by=by)


async def parked(house: House) -> Handle:
    _, handle = await started(house, tax_id={"type": "eu_vat", "value": next(BAD_TAX_IDS)})
    await prove_identity(house, handle)
    await until(handle, lambda progress: progress.attention)
    return handle


async def sent_before(handle: Handle) -> Resolution:
    """The resolution that a history shows, signature and all."""
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            accepted = event.workflow_execution_update_accepted_event_attributes
            given = accepted.accepted_request.input
            if given.name == "resolve":
                return Resolution.model_validate(json.loads(given.args.payloads[0].data))
    raise AssertionError("nobody resolved anything")


async def is_refused(handle: Handle, update: Any, decision: Any, update_id: str) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(update, decision, id=update_id)
    cause = refused.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == "ActorRefused"
    return cause.message


async def state_of(house: House, *handles: Handle) -> list[Any]:
    """All that a decision could change."""
    kept: list[Any] = [await house.rows(f"SELECT * FROM {table} ORDER BY 1") for table in CHANGES]
    kept += [await handle.query(CustomerOnboarding.progress) for handle in handles]
    return kept


async def test_a_copied_or_altered_signature_decides_nothing(house: House) -> None:
    signer = Signer(*keys.signing_key(house.settings))
    resolve, withdraw = CustomerOnboarding.resolve, CustomerOnboarding.withdraw
    async with house.working(max_cached_workflows=10):
        one, other = await parked(house), await parked(house)

        def parked_again(progress: Progress) -> bool:
            return bool(progress.attention) and progress.attention[0].since > since

        since = (await one.query(CustomerOnboarding.progress)).attention[0].since
        genuine = signer.sign(retry, workflow_id=one.id, update="resolve", by=OLGA)
        await one.execute_update("resolve", genuine, id=genuine.by.update_id)
        await until(one, parked_again)
        copied = await sent_before(one)
        assert copied == genuine
        fresh = signer.sign(retry, workflow_id=one.id, update="resolve", by=OLGA)
        before = await state_of(house, one, other)

        new_id, renamed_id = str(uuid4()), str(uuid4())
        renamed = copied.by.model_copy(update={"update_id": renamed_id})
        abort = fresh.model_copy(update={"action": "abort"})
        why = [
            await is_refused(one, resolve, copied, new_id),
            await is_refused(one, resolve, retry(renamed), renamed_id),
            await is_refused(other, resolve, copied, copied.by.update_id),
            await is_refused(one, resolve, abort, fresh.by.update_id),
            await is_refused(other, withdraw, withdrawal(fresh.by), fresh.by.update_id),
        ]
        assert "another request" in why[0]
        assert all("not ours" in text for text in why[1:])

        assert await state_of(house, one, other) == before
        taken = signer.sign(withdrawal, workflow_id=one.id, update="withdraw", by=OLGA)
        await one.execute_update("withdraw", taken, id=taken.by.update_id)
        assert await one.result() == "withdrawn", "a genuine one still counts"
