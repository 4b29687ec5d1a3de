"""Shadows: how a day of an account would come out, by the rules of today; nothing of it stays."""

import re
from datetime import date
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Path, Response
from temporalio.client import Client, WorkflowExecutionStatus

from database.connection import transaction
from database.reconciliation import runs
from gateway import examples
from gateway.callers import Allowed
from gateway.etags import IfNoneMatch, tagged
from gateway.named_accounts import KnownAccount, account_of
from gateway.openapi import answers, problem, problems
from gateway.options import Options
from gateway.problems import not_found
from gateway.progress import progress_of
from gateway.reconciliations import RunForm, account_to_compare, not_live
from workflows import search_attributes
from workflows.patience import PATIENCE, temporal_answers
from workflows.reconciliation.answers import Shadow
from workflows.reconciliation.messages import END_OF, Shadowed, shadow_id
from workflows.reconciliation.starting import start_shadow
from workflows.reconciliation.workflow import ShadowReconciliation
from workflows.runs import latest_run

router = APIRouter(prefix="/v1/reconciliations/shadows", tags=["reconciliations"])

_NAME = re.compile(r"[0-9a-f]{32}")
_DAY = examples.AT.date()
_EXAMPLE = Shadow(
    id=shadow_id("acme", _DAY, "7d9f0c2b5e6a4f1c8b3d2a1e0f9c8b7a"),
    account="acme",
    business_date=_DAY,
    name="7d9f0c2b5e6a4f1c8b3d2a1e0f9c8b7a",
    stage="breaks",
    over=True,
    found=Shadowed(
        status="BREAKS",
        result_hash="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        breaks={"missing_ours": 1},
        matched=2,
    ),
    progress=None,
)
_BEGUN = _EXAMPLE.model_copy(update={"stage": "received", "over": False, "found": None})


def known_name(
    name: Annotated[str, Path(json_schema_extra={"pattern": f"^{_NAME.pattern}$"})],
) -> str:
    """A name that a shadow may have. Raises Problem (404)."""
    if not _NAME.fullmatch(name):
        raise not_found("shadow")
    return name


@router.post(
    "",
    status_code=202,
    response_model=Shadow,
    responses={
        **answers(_BEGUN, status=202, description="Begun"),
        **problems(400, 401, 403, 404, 413, 415, 503),
        **problem(
            409,
            "`day-is-over`: a later day is certified. `before-opening`: the account was not opened "
            "yet. `not-over`: the day is not over. `not-live`: nobody approved of what it begins "
            "with.",
            code="day-is-over",
            detail="2026-02-01 is certified: what came late belongs to that day, or a later one.",
        ),
    },
    summary="Try out how a day would come out",
)
async def begin(form: RunForm, caller: Allowed, options: Options) -> Shadow:
    """Begin a shadow: it gathers, compares and proves as a run would.

    It keeps no match, no break and no certificate, and posts nothing. Each time is another shadow.
    """
    now = await options.now()
    async with transaction(options.engine) as connection:
        account = await account_to_compare(connection, caller, form, now)
        try:
            await runs.must_be_live(connection, account)
        except runs.NotLive as error:
            raise not_live(error) from None
    name = uuid4().hex
    id_ = await start_shadow(options.client, account.name, form.business_date, name)
    told = {
        "id": id_,
        "account": account.name,
        "business_date": form.business_date,
        "name": name,
    }
    return _BEGUN.model_copy(update=told)


@router.get(
    "/{account}/{day}/{name}",
    response_model=Shadow,
    responses={**answers(_EXAMPLE), **problems(401, 403, 404, 503)},
    summary="Show how a day would come out",
)
async def one(
    account: KnownAccount,
    day: date,
    name: Annotated[str, Depends(known_name)],
    caller: Allowed,
    options: Options,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One shadow: what it found, or how far it is. Temporal keeps it for as long as its history."""
    async with transaction(options.engine) as connection:
        await account_of(connection, caller, account)
    id_ = shadow_id(account, day, name)
    run = await latest_run(options.client, id_)
    if run is None:
        raise not_found("shadow")
    over = run.status != WorkflowExecutionStatus.RUNNING
    stage = run.typed_search_attributes.get(search_attributes.STAGE) or "received"
    shadow = Shadow.model_validate(
        {
            "id": id_,
            "account": account,
            "business_date": day,
            "name": name,
            "stage": stage,
            "over": over,
            "found": await _found(options.client, id_) if stage in END_OF.values() else None,
            "progress": None if over else await progress_of(options.client, id_),
        }
    )
    return tagged(shadow, if_none_match)


async def _found(client: Client, id_: str) -> Shadowed | None:
    """What it found, which the process itself says. Raises NotTaken."""
    process = client.get_workflow_handle(id_, result_type=str)
    async with temporal_answers():
        return await process.query(ShadowReconciliation.found, rpc_timeout=PATIENCE)
