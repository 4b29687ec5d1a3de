"""Appeals: a rejected applicant is looked at anew, by others, once."""

from datetime import UTC, datetime

from fastapi import APIRouter, Response
from sqlalchemy import RowMapping

from database import decisions, onboardings
from database.connection import transaction
from gateway import examples
from gateway.callers import Allowed, AskedTenant, tenant_to_act_for
from gateway.forms import AppealForm
from gateway.onboardings import KnownId, begin
from gateway.openapi import answers, problem, problems
from gateway.options import Options
from gateway.problems import Problem, not_found
from workflows.onboarding.application import Onboarding
from workflows.onboarding.messages import Start, appeal_id, workflow_id

router = APIRouter(prefix="/v1/onboardings", tags=["onboardings"])

_NOT_REJECTED = "There is nothing to appeal against: the onboarding is active."


@router.post(
    "/{id}/appeal",
    status_code=201,
    response_model=Onboarding,
    responses={
        **answers(examples.STARTED, status=201, description="The onboarding that it became"),
        **answers(
            examples.STARTED,
            status=202,
            description="Stored; it starts as soon as Temporal and a worker are up",
        ),
        **problems(400, 401, 403, 404, 413, 415, 503),
        **problem(
            409,
            "`not-rejected`, `too-late`, or `appealed-already`: nothing is begun.",
            code="not-rejected",
            detail=_NOT_REJECTED,
        ),
    },
    summary="Appeal against a rejection",
)
async def appeal(
    id: KnownId,
    form: AppealForm,
    caller: Allowed,
    options: Options,
    asked_tenant: AskedTenant = None,
) -> Response:
    """Have everything checked anew, and people decide who had no part in the rejection.

    The appeal is an onboarding of its own, which the answer names; its application is the latest of
    the one that was rejected. It is possible once, until `rejection.appeal_until`. Asking twice is
    fine.
    """
    tenant = tenant_to_act_for(caller, asked_tenant)
    start = Start(application_id=appeal_id(tenant, id), tenant=tenant)
    async with transaction(options.engine) as connection:
        row = await onboardings.one(connection, id, tenant=tenant)
        if row is None:
            raise not_found("onboarding")
        known = await onboardings.one(connection, start.application_id, tenant=tenant)
        if known is None:
            _must_be_appealable(row)
            stored = await onboardings.store(
                connection,
                id_=start.application_id,
                tenant=tenant,
                form=row["form"],
                created_by=caller.name,
                appeal_of=id,
            )
            if stored:
                await decisions.keep_of_caller(
                    connection,
                    workflow_id=workflow_id(tenant, start.application_id),
                    kind="appeal",
                    content={"appeal_of": id},
                    reason=form.reason,
                    by=caller.actor,
                )
    answer = await begin(options, start)
    body = Onboarding.model_validate(answer.body)
    headers = {"Location": f"/v1/onboardings/{body.id}"}
    return Response(body.model_dump_json(), answer.status, headers, "application/json")


def _must_be_appealable(row: RowMapping) -> None:
    """Raises Problem (409)."""
    if row["appeal_of"] is not None:
        raise Problem(
            409, "appealed-already", "This is an appeal itself: there is none against its outcome."
        )
    if row["stage"] != "rejected":
        told = f"There is nothing to appeal against: the onboarding is {row['stage']}."
        raise Problem(409, "not-rejected", told)
    if row["appeal_until"] is None or row["appeal_until"] < datetime.now(UTC):
        raise Problem(409, "too-late", "The time to appeal is over: the applicant may apply anew.")
