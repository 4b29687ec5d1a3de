"""Signups come in here, once each; here they are found again."""

import hashlib
import re
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Path, Query, Response

from database import api_requests, consents, decisions, onboardings
from database.api_requests import Answer, ApiRequest
from database.connection import DatabaseDown, transaction
from gateway import examples
from gateway.application_form import ApplicationForm
from gateway.callers import Allowed, AskedTenant, tenant_to_act_for, tenant_to_see
from gateway.consent import must_be_accepted
from gateway.cursors import after, page_of
from gateway.etags import IfNoneMatch, tagged
from gateway.forms import Time
from gateway.idempotency import IdempotencyKey, taken_once
from gateway.openapi import answers, problems
from gateway.options import GatewayOptions, Options
from gateway.parameters import Cursor, Limit
from gateway.problems import FieldError, Problem, not_found
from gateway.progress import progress_of
from workflows.events import NotTaken
from workflows.handover import start_onboarding
from workflows.onboarding.application import (
    Application,
    ListedOnboarding,
    Onboarding,
    OnboardingInFull,
    OnboardingPage,
)
from workflows.onboarding.messages import ENDS, Stage, Start, onboarding_id, workflow_id
from workflows.onboarding.rejection import ADVERSE_ACTIONS
from workflows.request_key import content_hash

log = structlog.stdlib.get_logger(__name__)
router = APIRouter(prefix="/v1/onboardings", tags=["onboardings"])

ID = re.compile(r"[a-z2-7]{26}")
"""What the id of an onboarding looks like, which its customer keeps."""


def known_id(
    id: Annotated[str, Path(json_schema_extra={"pattern": f"^{ID.pattern}$"})],
) -> str:
    """An id that an onboarding may have. Raises Problem (404)."""
    if not ID.fullmatch(id):
        raise not_found("onboarding")
    return id


KnownId = Annotated[str, Depends(known_id)]


@router.post(
    "",
    status_code=201,
    response_model=Onboarding,
    responses={
        **answers(examples.STARTED, status=201, description="Started"),
        **answers(
            examples.STARTED,
            status=202,
            description="Stored; it starts as soon as Temporal and a worker are up",
        ),
        **problems(400, 401, 403, 409, 413, 415, 503),
    },
    summary="Start an onboarding",
)
async def start(
    form: ApplicationForm,
    caller: Allowed,
    options: Options,
    key: IdempotencyKey,
    asked_tenant: AskedTenant = None,
) -> Response:
    """Store a signup and start its onboarding, once for each key.

    The same key with the same body gets the same answer again, with `Idempotent-Replayed: true`.
    Nothing that was answered with 201 or 202 is lost.
    """
    tenant = tenant_to_act_for(caller, asked_tenant)
    asked = ApiRequest(
        operation="onboardings.start",
        tenant=tenant,
        key_hash=hashlib.sha256(key.encode()).hexdigest(),
        fingerprint=content_hash(form),
    )
    start = Start(application_id=onboarding_id(tenant, key), tenant=tenant)
    before = await _take(options, asked, start, form, caller.name)
    if before is not None:
        return _response(before, replayed=True)
    answer = await begin(options, start)
    try:
        async with transaction(options.engine) as connection:
            await api_requests.answered(connection, asked, answer)
            if answer.status == 201:
                await onboardings.handed_over(connection, start.application_id)
    except DatabaseDown:
        # The signup is stored and perhaps begun: whoever asks again hears where it is by then.
        log.warning("answer not kept", onboarding=start.application_id)
    return _response(answer, replayed=False)


def _must_be_known(options: GatewayOptions, account_manager: str | None, tenant: str) -> None:
    """Raises Problem (422): whoever is misspelt would not be kept from the review."""
    if account_manager is not None and not options.callers.is_person(account_manager, tenant):
        raise Problem(
            422,
            "invalid",
            "1 field cannot be used.",
            errors=[
                FieldError(field="account_manager", message="is not the name of a person's API key")
            ],
        )


async def _take(
    options: GatewayOptions, asked: ApiRequest, start: Start, form: Application, created_by: str
) -> Answer | None:
    """Store the signup with its key, or learn what was answered before. Raises Problem."""
    with taken_once():
        async with transaction(options.engine) as connection:
            before = await api_requests.take(connection, asked)
            if before is None:
                must_be_accepted(form, options.consent)
                _must_be_known(options, form.account_manager, start.tenant)
                await onboardings.store(
                    connection,
                    id_=start.application_id,
                    tenant=start.tenant,
                    form=form.model_dump(mode="json"),
                    created_by=created_by,
                )
                if form.terms_version is not None:
                    await consents.keep_terms(
                        connection,
                        id_=start.application_id,
                        version=form.terms_version,
                        given_at=form.terms_accepted_at,
                        told_by=created_by,
                        retention=options.consent.retention,
                    )
            return before


async def begin(options: GatewayOptions, start: Start) -> Answer:
    """Start the process and hear where it is; 202 where nobody answers."""
    status, stage = 201, "received"
    try:
        begun = await start_onboarding(options.client, start)
        if begun is not None:
            stage = begun.stage
        else:  # begun long ago by an attempt whose answer was not kept
            async with transaction(options.engine) as connection:
                row = await onboardings.one(connection, start.application_id, tenant=start.tenant)
            stage = row["stage"] if row else stage
    except NotTaken as down:
        log.warning("not started yet", onboarding=start.application_id, reason=str(down))
        status = 202
    body = Onboarding(
        id=start.application_id,
        workflow_id=workflow_id(start.tenant, start.application_id),
        tenant=start.tenant,
        stage=stage,
    )
    return Answer(status, body.model_dump(mode="json"))


def _response(answer: Answer, *, replayed: bool) -> Response:
    body = Onboarding.model_validate(answer.body)
    headers = {"Location": f"/v1/onboardings/{body.id}"}
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(body.model_dump_json(), answer.status, headers, "application/json")


@router.get(
    "",
    response_model=OnboardingPage,
    responses={**answers(examples.PAGE), **problems(401, 403, 503)},
    summary="List onboardings",
)
async def many(
    caller: Allowed,
    options: Options,
    asked_tenant: AskedTenant = None,
    stage: Annotated[list[Stage] | None, Query(description="One or several stages.")] = None,
    created_from: Time | None = None,
    created_before: Time | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Onboardings, newest first."""
    async with transaction(options.engine) as connection:
        rows = await onboardings.many(
            connection,
            tenant=tenant_to_see(caller, asked_tenant),
            stages=list(stage) if stage else None,
            created_from=created_from,
            created_before=created_before,
            after=after(cursor, ID),
            limit=limit + 1,
        )
    page, following = page_of(rows, limit, lambda row: [row["created_at"], row["id"]])
    answer = OnboardingPage(
        items=[ListedOnboarding.model_validate(dict(row)) for row in page], next=following
    )
    return tagged(answer, if_none_match)


@router.get(
    "/{id}",
    response_model=OnboardingInFull,
    responses={**answers(examples.IN_FULL), **problems(401, 403, 404, 503)},
    summary="Show an onboarding",
)
async def one(
    id: KnownId, caller: Allowed, options: Options, if_none_match: IfNoneMatch = None
) -> Response:
    """One onboarding with its application, and its progress as long as Temporal keeps it."""
    async with transaction(options.engine) as connection:
        row = await onboardings.one(connection, id, tenant=caller.tenant)
    if row is None:
        raise not_found("onboarding")
    begun = row["handed_over_at"] is not None
    progress = await progress_of(options.client, row["workflow_id"]) if begun else None
    told: dict[str, Any] = {**row, "application": row["form"], "progress": progress}
    # An end is told once our database has it, and with it what a rejected applicant is told.
    if progress is not None and progress.stage not in ENDS:
        told["stage"] = progress.stage
    if row["adverse_actions"]:
        told["rejection"] = {
            "codes": [
                {"code": code, "text": ADVERSE_ACTIONS[code]} for code in row["adverse_actions"]
            ],
            "appeal_until": row["appeal_until"],
        }
    if caller.hears_reasons:
        async with transaction(options.engine) as connection:
            kept = await decisions.of_process(connection, row["workflow_id"])
        told["decisions"] = [{**one, "by": one["actor"], "at": one["decided_at"]} for one in kept]
    return tagged(OnboardingInFull.model_validate(told), if_none_match, number=row["version"])
