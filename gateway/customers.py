"""Customers: found again, compared on request, and let go."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict

from database import customers
from database.connection import transaction
from gateway import examples
from gateway.callers import Allowed, AskedTenant, Caller, tenant_to_see
from gateway.cursors import after, page_of
from gateway.decisions import Ended, NoProcess, Update, ended_from_outside, send
from gateway.etags import IfNoneMatch, tagged
from gateway.forms import ReasonForm, Time
from gateway.onboardings import ID, KnownId
from gateway.openapi import answers, problems
from gateway.options import GatewayOptions, Options
from gateway.parameters import Cursor, Limit
from gateway.problems import Problem, not_found
from gateway.progress import progress_of
from workflows.actor import SignedActor
from workflows.decisions import Taken
from workflows.onboarding.customer import (
    CustomerInFull,
    CustomerPage,
    ListedCustomer,
    Offboarded,
)
from workflows.onboarding.life import CompareNow, LifeStage, Offboarding, customer_workflow_id
from workflows.onboarding.rules import Risk

router = APIRouter(prefix="/v1/customers", tags=["customers"])

_LISTED = ListedCustomer(
    id=examples.ID,
    workflow_id=customer_workflow_id("example", examples.ID),
    tenant="example",
    stage="active",
    stage_since=examples.AT,
    since=examples.AT,
    risk="medium",
    proved_at=examples.AT,
    reverify_at=examples.AT + timedelta(days=1096),
    compared_at=examples.AT + timedelta(days=1),
    left_at=None,
    keep_until=None,
)
_IN_FULL = CustomerInFull(
    **_LISTED.model_dump(),
    version=1,
    application=examples.IN_FULL.application,
    progress=None,
)


class OffboardingForm(ReasonForm):
    """Why somebody leaves, or has to."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the customer closed the account"}]}
    )


class ComparisonForm(ReasonForm):
    """Why the systems outside are to be compared now."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the directory was restored from a backup"}]}
    )


@router.get(
    "",
    response_model=CustomerPage,
    responses={
        **answers(CustomerPage(items=[_LISTED], next=None)),
        **problems(401, 403, 503),
    },
    summary="List customers",
)
async def many(
    caller: Allowed,
    options: Options,
    *,
    asked_tenant: AskedTenant = None,
    stage: Annotated[list[LifeStage] | None, Query(description="One or several stages.")] = None,
    risk: Annotated[list[Risk] | None, Query(description="One or several risks.")] = None,
    reverify_before: Time | None = None,
    since_from: Time | None = None,
    since_before: Time | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Customers, the newest first; those who left are among them."""
    async with transaction(options.engine) as connection:
        rows = await customers.many(
            connection,
            tenant=tenant_to_see(caller, asked_tenant),
            stages=list(stage) if stage else None,
            risks=list(risk) if risk else None,
            reverify_before=reverify_before,
            since_from=since_from,
            since_before=since_before,
            after=after(cursor, ID),
            limit=limit + 1,
        )
    page, following = page_of(rows, limit, lambda row: [row["since"], row["id"]])
    answer = CustomerPage(
        items=[ListedCustomer.model_validate(dict(row)) for row in page], next=following
    )
    return tagged(answer, if_none_match)


@router.get(
    "/{id}",
    response_model=CustomerInFull,
    responses={**answers(_IN_FULL), **problems(401, 403, 404, 503)},
    summary="Show a customer",
)
async def one(
    id: KnownId, caller: Allowed, options: Options, if_none_match: IfNoneMatch = None
) -> Response:
    """One customer with their application; with what is done about them while they are one."""
    row = await _row(options, caller, id)
    there = row["left_at"] is None
    progress = await progress_of(options.client, row["workflow_id"]) if there else None
    if progress is not None and not caller.hears_reasons:
        hidden = tuple(one.model_copy(update={"reason": None}) for one in progress.steps)
        progress = progress.model_copy(update={"attention": (), "steps": hidden})
    told = {**row, "application": row["form"], "progress": progress}
    return tagged(CustomerInFull.model_validate(told), if_none_match, number=row["version"])


@router.post(
    "/{id}/offboard",
    response_model=Offboarded,
    responses={
        **answers(
            Offboarded(id=examples.ID, stage="offboarded", stopping=None),
            description="Offboarded",
        ),
        **answers(
            Offboarded(id=examples.ID, stage="active", stopping="to be offboarded"),
            status=202,
            description="Accepted; access is being taken away",
        ),
        **problems(400, 401, 403, 404, 409, 413, 415, 503),
    },
    summary="Offboard a customer",
)
async def offboard(
    id: KnownId, form: OffboardingForm, caller: Allowed, options: Options, response: Response
) -> Offboarded:
    """Take a customer's access away, and keep what must be kept. Asking twice is fine."""
    row = await _row(options, caller, id)
    process = row["workflow_id"]

    def offboarding(by: SignedActor) -> Offboarding:
        return Offboarding(reason=form.reason, by=by)

    try:
        signed = options.signer.sign(
            offboarding, workflow_id=process, update="offboard", by=caller.actor
        )
        taken = await _send(options, row, "offboard", signed)
    except Ended as ended:
        if ended.end != "offboarded":
            raise ended_from_outside() from None
        return Offboarded(id=id, stage="offboarded", stopping=None)
    if taken.stopping is not None:
        response.status_code = 202
    return Offboarded(id=id, stage=taken.stage, stopping=taken.stopping)


@router.post(
    "/{id}/compare",
    status_code=202,
    response_model=Taken,
    responses={
        **answers(
            Taken(workflow_id=_LISTED.workflow_id, stage="active"),
            status=202,
            description="Accepted; the progress says what was found",
        ),
        **problems(400, 401, 403, 404, 409, 413, 415, 503),
    },
    summary="Compare what the systems outside have of a customer",
)
async def compare(id: KnownId, form: ComparisonForm, caller: Allowed, options: Options) -> Taken:
    """Compare billing, directory and CRM with what should be there now, and put right what is not.

    What is found is in the audit trail; what somebody has to decide about is on the attention list.
    """
    row = await _row(options, caller, id)
    process = row["workflow_id"]

    def asked(by: SignedActor) -> CompareNow:
        return CompareNow(reason=form.reason, by=by)

    signed = options.signer.sign(asked, workflow_id=process, update="compare_now", by=caller.actor)
    try:
        return await _send(options, row, "compare_now", signed)
    except Ended as ended:
        if ended.end is None:
            raise ended_from_outside() from None
        raise Problem(409, "too-late", f"The customer is {ended.end}.") from None


async def _row(options: GatewayOptions, caller: Caller, id_: str) -> dict[str, Any]:
    """A customer's row. Any: the columns' own. Raises Problem (404)."""
    async with transaction(options.engine) as connection:
        row = await customers.one(connection, id_, tenant=caller.tenant)
    if row is None:
        raise not_found("customer")
    return dict(row)


async def _send(
    options: GatewayOptions,
    row: Mapping[str, Any],
    update: Update,
    signed: Offboarding | CompareNow,
) -> Taken:
    """Have the process take it. Raises Ended, also where Temporal has forgotten it since.

    Any: the columns' own. Who did not leave by our own book was lost by Temporal.
    """
    try:
        return await send(options.client, row["workflow_id"], update, signed)
    except NoProcess:
        raise Ended("offboarded" if row["left_at"] is not None else None) from None
