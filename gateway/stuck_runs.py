"""Runs that cannot go on by themselves: an operator lets them, or has them taken back.

They were ended from outside, or their workflow task keeps failing. They go on from where they were:
the server resets them to their last point, under the same workflow id, so that the process still
knows what it made and how to undo it.
"""

from collections.abc import Sequence

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from database import lost_runs
from database.connection import transaction
from gateway.callers import Caller
from gateway.decisions import Ended, NoProcess, send
from gateway.forms import ResolutionForm
from gateway.options import GatewayOptions
from gateway.problems import Problem, not_found
from gateway.processes import tenant_of_process
from workflows.actor import SignedActor
from workflows.bringing_back import HistoryExpired, bring_back, bring_life_back
from workflows.decisions import Taken
from workflows.onboarding.life import is_customer
from workflows.onboarding.messages import Start, Withdrawal
from workflows.reconciliation.messages import is_reconciliation
from workflows.reconciliation.starting import bring_run_back
from workflows.runs import NotFailing, free, is_failing, latest_run


async def unresolved(engine: AsyncEngine) -> Sequence[RowMapping]:
    """The lost runs that wait for somebody. Raises DatabaseDown."""
    async with transaction(engine) as connection:
        return await lost_runs.unresolved(connection)


async def resolve(options: GatewayOptions, caller: Caller, form: ResolutionForm) -> Taken:
    """Let a process go on; with `abort`, have a lost one taken back. Raises Problem.

    Twice is fine: while it has not gone on it stays on the list, and it goes on once.
    """
    async with transaction(options.engine) as connection:
        lost = await lost_runs.unresolved(connection, workflow_id=form.workflow_id)
    tenant = await tenant_of_process(options.engine, form.workflow_id)
    if tenant is None:
        raise not_found("process")
    if not lost:
        return await _free(options, caller, form)
    if is_customer(form.workflow_id):
        return await _bring_life_back(options, caller, form, lost[0]["run_id"])
    if is_reconciliation(form.workflow_id):
        stage = await bring_run_back(options.client, form.workflow_id, lost[0]["run_id"])
    else:
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


async def _bring_life_back(
    options: GatewayOptions, caller: Caller, form: ResolutionForm, run_id: str
) -> Taken:
    """Have somebody watch over a customer again."""
    if form.action != "retry":
        text = "A customer is watched over again, or offboarded, which is a decision of its own."
        raise Problem(409, "not-a-choice", f"{text} Retry.")
    try:
        stage = await bring_life_back(options.client, form.workflow_id, run_id)
    except HistoryExpired:
        text = "Temporal has forgotten the run: what it had repaired is not known any more."
        raise Problem(409, "history-expired", text) from None
    await _resolved(options, caller, form, action=form.action)
    return Taken(workflow_id=form.workflow_id, stage=stage)


async def _free(options: GatewayOptions, caller: Caller, form: ResolutionForm) -> Taken:
    """Have a failing run go on from its last point."""
    run = await latest_run(options.client, form.workflow_id)
    if run is None:
        raise not_found("process")
    if not is_failing(run):
        raise _not_failing()
    if form.action != "retry":
        raise Problem(409, "not-a-choice", "A run whose code fails can only go on: retry.")
    try:
        run_id, stage = await free(options.client, form.workflow_id)
    except NotFailing:
        raise _not_failing() from None
    async with transaction(options.engine) as connection:
        await lost_runs.record_reset(
            connection, form.workflow_id, run_id, actor=caller.name, reason=form.reason
        )
    return Taken(workflow_id=form.workflow_id, stage=stage)


def _not_failing() -> Problem:
    return Problem(
        409,
        "not-failing",
        "Nothing waits here without a step: no run of this process is on the list as lost or "
        "failing. Name the step that waits, if there is one.",
    )


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
