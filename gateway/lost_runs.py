"""Runs that were ended from outside: an operator lets them go on, or has them taken back.

They go on from where they were: the server resets them to their last point, under the same
workflow id, so that the process still knows what it made and how to undo it.
"""

from collections.abc import Sequence

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine as Engine

from database import lost_runs
from database.connection import transaction
from gateway.callers import Caller
from gateway.decisions import Ended, NoProcess, send
from gateway.forms import ResolutionForm
from gateway.options import GatewayOptions
from gateway.problems import Problem, not_found
from workflows.actor import SignedActor
from workflows.decisions import Taken
from workflows.handover import bring_back
from workflows.onboarding.messages import Start, Withdrawal, tenant_of

__all__ = ["Engine", "resolve", "unresolved"]


async def unresolved(engine: Engine) -> Sequence[RowMapping]:
    """The lost runs that wait for somebody. Raises DatabaseDown."""
    async with transaction(engine) as connection:
        return await lost_runs.unresolved(connection)


async def resolve(options: GatewayOptions, caller: Caller, form: ResolutionForm) -> Taken:
    """Let a lost process go on, and with `abort` have it taken back. Raises Problem.

    Twice is fine: while it has not gone on it stays on the list, and it goes on once.
    """
    async with transaction(options.engine) as connection:
        lost = await lost_runs.unresolved(connection, workflow_id=form.workflow_id)
    tenant = tenant_of(form.workflow_id)
    if not lost or tenant is None:
        raise not_found("lost run")
    start = Start(application_id=form.workflow_id.rsplit("/", 1)[1], tenant=tenant)
    stage = await bring_back(options.client, start, lost[0]["run_id"])
    taken = Taken(workflow_id=form.workflow_id, stage=stage)
    if form.action == "abort":
        try:
            taken = await _take_back(options, caller, form)
        except Problem:  # it went on, but cannot be taken back any more
            await _resolved(options, caller, form, action="retry")
            raise
    await _resolved(options, caller, form, action=form.action)
    return taken


async def _resolved(
    options: GatewayOptions, caller: Caller, form: ResolutionForm, *, action: str
) -> None:
    async with transaction(options.engine) as connection:
        await lost_runs.resolve(
            connection, form.workflow_id, actor=caller.name, action=action, reason=form.reason
        )


async def _take_back(options: GatewayOptions, caller: Caller, form: ResolutionForm) -> Taken:
    def withdrawal(by: SignedActor) -> Withdrawal:
        return Withdrawal(reason=form.reason, by=by)

    signed = options.signer.sign(
        withdrawal, workflow_id=form.workflow_id, update="withdraw", by=caller.actor
    )
    try:
        return await send(options.client, form.workflow_id, "withdraw", signed)
    except Ended as ended:
        if ended.end == "withdrawn":
            return Taken(workflow_id=form.workflow_id, stage="withdrawn")
        raise Problem(409, "too-late", f"It has come to its end: {ended.end}.") from None
    except NoProcess:
        raise not_found("process") from None
