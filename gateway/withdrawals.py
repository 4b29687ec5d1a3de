"""An application is taken back."""

from fastapi import APIRouter, Response

from database import onboardings
from database.connection import transaction
from gateway import examples
from gateway.callers import Allowed, AskedTenant, tenant_to_act_for
from gateway.decisions import Ended, NoProcess, ended_from_outside, send
from gateway.forms import WithdrawalForm
from gateway.onboardings import KnownId
from gateway.openapi import answers, problems
from gateway.options import GatewayOptions, Options
from gateway.problems import Problem, not_found
from workflows.actor import SignedActor
from workflows.handover import hand_over_onboarding
from workflows.onboarding.application import Withdrawn
from workflows.onboarding.messages import Start, Withdrawal, workflow_id

router = APIRouter(prefix="/v1/onboardings", tags=["onboardings"])


@router.post(
    "/{id}/withdraw",
    response_model=Withdrawn,
    responses={
        **answers(
            Withdrawn(id=examples.ID, stage="withdrawn", stopping=None),
            description="Withdrawn; nothing is left",
        ),
        **answers(
            Withdrawn(id=examples.ID, stage="provisioning", stopping="to be withdrawn"),
            status=202,
            description="Accepted; what was made is being undone",
        ),
        **problems(400, 401, 403, 404, 409, 413, 415, 503),
    },
    summary="Withdraw an application",
)
async def withdraw(
    id: KnownId,
    form: WithdrawalForm,
    caller: Allowed,
    options: Options,
    response: Response,
    asked_tenant: AskedTenant = None,
) -> Withdrawn:
    """Take an application back, which is possible until the welcome. Asking twice is fine."""
    start = Start(application_id=id, tenant=tenant_to_act_for(caller, asked_tenant))
    process = workflow_id(start.tenant, id)

    def withdrawal(by: SignedActor) -> Withdrawal:
        return Withdrawal(reason=form.reason, by=by, on_behalf_of=caller.on_behalf_of)

    signed = options.signer.sign(
        withdrawal, workflow_id=process, update="withdraw", by=caller.actor
    )
    try:
        try:
            taken = await send(options.client, process, "withdraw", signed)
        except NoProcess:
            await _start_if_stored(options, start)
            taken = await send(options.client, process, "withdraw", signed)
    except Ended as ended:
        if ended.end == "withdrawn":
            return Withdrawn(id=id, stage="withdrawn", stopping=None)
        raise _too_late(ended.end) from None
    except NoProcess:
        raise not_found("onboarding") from None
    if taken.stopping is not None:
        response.status_code = 202
    return Withdrawn(id=id, stage=taken.stage, stopping=taken.stopping)


async def _start_if_stored(options: GatewayOptions, start: Start) -> None:
    """Start an onboarding that waits for Temporal, so that it can be withdrawn.

    Raises Ended where Temporal has forgotten it since, NoProcess where it was never stored.
    """
    async with transaction(options.engine) as connection:
        row = await onboardings.one(connection, start.application_id, tenant=start.tenant)
    if row is None:
        raise NoProcess
    if row["ended_at"] is not None:
        raise Ended(row["stage"])
    await hand_over_onboarding(options.client, start)


def _too_late(end: str | None) -> Problem:
    if end is None:
        return ended_from_outside()
    return Problem(409, "too-late", f"Too late to be withdrawn: the onboarding is {end}.")
