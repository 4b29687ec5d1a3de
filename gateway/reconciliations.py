"""Reconciliations: begun, found again, taken back; ranges of days begun."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from database.connection import transaction
from database.reconciliation import runs
from database.reconciliation.accounts import Account
from gateway import examples
from gateway.callers import Allowed, AskedTenant, Caller, tenant_to_see
from gateway.cursors import page_of, place_of
from gateway.decisions import Ended, NoProcess, send
from gateway.etags import IfNoneMatch, tagged
from gateway.forms import Form, ReasonForm
from gateway.named_accounts import KnownAccount, account_of, must_be_there
from gateway.openapi import answers, problem, problems
from gateway.options import GatewayOptions, Options
from gateway.parameters import Cursor, Limit
from gateway.problems import FieldError, Problem, not_found
from gateway.progress import progress_of
from workflows.actor import SignedActor
from workflows.decisions import Taken
from workflows.reconciliation.answers import (
    Reconciliation,
    ReconciliationInFull,
    ReconciliationPage,
    StartedRange,
)
from workflows.reconciliation.messages import AccountName, Days, Run, Stage, Withdrawal
from workflows.reconciliation.opening import Day
from workflows.reconciliation.starting import is_under_way, start_range, start_run

router = APIRouter(prefix="/v1/reconciliations", tags=["reconciliations"])

LONGEST_RANGE = timedelta(days=366)

_DAY = examples.AT.date()
_RUN = Run(account="acme", day=_DAY, ordinal=1)
_EXAMPLE = Reconciliation(
    id=_RUN.workflow_id,
    account="acme",
    tenant="example",
    business_date=_DAY,
    ordinal=1,
    stage="breaks",
    stage_since=examples.AT,
    status="BREAKS",
    certificate_id="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    begun_at=examples.AT,
    ended_at=examples.AT,
)
_BEGUN = _EXAMPLE.model_copy(
    update={"stage": "received", "status": None, "certificate_id": None, "ended_at": None}
)
_BUSY = problem(
    409,
    "`busy`: another run of the account is open. `day-is-over`: a later day is certified. "
    "`before-opening`: the account was not opened yet. `not-over`: the day is not over. "
    "`not-live`: nobody approved of what it begins with.",
    code="busy",
    detail="reconciliation/acme/2026-01-31/1 is open still: wait until it is over.",
)


class RunForm(Form):
    """Which day of which account is to be reconciled."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"account": "acme", "business_date": "2026-01-31"}]}
    )

    account: AccountName
    business_date: date


class RangeForm(Form):
    """Which days of an account are to be reconciled, one after the other."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"account": "acme", "first": "2026-01-01", "last": "2026-01-31"}]
        }
    )

    account: AccountName
    first: date
    last: date

    @model_validator(mode="after")
    def _is_a_range(self) -> "RangeForm":
        if self.last < self.first:
            raise ValueError("the last day comes before the first")
        if self.last - self.first >= LONGEST_RANGE:
            raise ValueError(f"a range has {LONGEST_RANGE.days} days at most")
        return self


class WithdrawalForm(ReasonForm):
    """Why a run is taken back."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the statement was of another account"}]}
    )


@router.post(
    "",
    status_code=202,
    response_model=Reconciliation,
    responses={
        **answers(_BEGUN, status=202, description="Begun"),
        **problems(400, 401, 403, 404, 413, 415, 503),
        **_BUSY,
    },
    summary="Reconcile a day of an account",
)
async def begin(form: RunForm, caller: Allowed, options: Options) -> Reconciliation:
    """Begin a run. A day that was reconciled before gets another one; its certificate stays.

    While a run that was begun has not got anywhere, asking again answers that one.
    """
    now = await options.now()
    async with transaction(options.engine) as connection:
        account = await account_to_compare(connection, caller, form, now)
        try:
            opened = await runs.open_run(connection, account, form.business_date)
        except runs.NotLive as error:
            raise not_live(error) from None
        match opened:
            case runs.Busy(other):
                raise Problem(409, "busy", f"{other} is open still: wait until it is over.")
            case run:
                pass
    await start_run(options.client, run)
    return Reconciliation.model_validate(await _row(options, caller, run))


@router.post(
    "/range",
    status_code=202,
    response_model=StartedRange,
    responses={
        **answers(
            StartedRange(
                workflow_id=f"reconciliation-range/acme/{_DAY}/{_DAY}",
                account="acme",
                first=_DAY,
                last=_DAY,
            ),
            status=202,
            description="Begun; its days follow each other",
        ),
        **problems(400, 401, 403, 404, 413, 415, 503),
        **_BUSY,
    },
    summary="Reconcile a range of days",
)
async def begin_range(form: RangeForm, caller: Allowed, options: Options) -> StartedRange:
    """Begin a back-fill: each day when the one before is over. Asking twice is fine."""
    now = await options.now()
    days = Days(account=form.account, first=form.first, last=form.last)
    async with transaction(options.engine) as connection:
        account = await account_of(connection, caller, form.account)
    _must_be_open(account, days.first, "first")
    _must_be_over(account, days.last, "last", now)
    # One that is under way certifies its own days: whoever asks again is answered all the same.
    if not await is_under_way(options.client, days):
        async with transaction(options.engine) as connection:
            await _must_not_be_behind(connection, account, days.first)
            try:
                await runs.must_be_live(connection, account)
            except runs.NotLive as error:
                raise not_live(error) from None
    id_ = await start_range(options.client, days)
    return StartedRange(workflow_id=id_, account=form.account, first=form.first, last=form.last)


@router.get(
    "",
    response_model=ReconciliationPage,
    responses={
        **answers(ReconciliationPage(items=[_EXAMPLE], next=None)),
        **problems(401, 403, 404, 503),
    },
    summary="List reconciliations",
)
async def many(
    caller: Allowed,
    options: Options,
    *,
    asked_tenant: AskedTenant = None,
    account: Annotated[AccountName | None, Query(description="Of this account.")] = None,
    stage: Annotated[list[Stage] | None, Query(description="One or several stages.")] = None,
    first: Annotated[Day | None, Query(description="Of this business date or later.")] = None,
    last: Annotated[Day | None, Query(description="Of this business date or earlier.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Runs, the newest first."""
    tenant = tenant_to_see(caller, asked_tenant)
    async with transaction(options.engine) as connection:
        await must_be_there(connection, account, tenant)
        rows = await runs.many(
            connection,
            tenant=tenant,
            account=account,
            stages=list(stage) if stage else None,
            first=first,
            last=last,
            after=place_of(cursor, int)[0] if cursor is not None else None,
            limit=limit + 1,
        )
    page, following = page_of(rows, limit, lambda row: [row["id"]])
    answer = ReconciliationPage(
        items=[Reconciliation.model_validate(_told(dict(row))) for row in page], next=following
    )
    return tagged(answer, if_none_match)


@router.get(
    "/{account}/{day}/{ordinal}",
    response_model=ReconciliationInFull,
    responses={
        **answers(ReconciliationInFull(**_EXAMPLE.model_dump(), progress=None)),
        **problems(401, 403, 404, 503),
    },
    summary="Show a reconciliation",
)
async def one(
    account: KnownAccount,
    day: date,
    ordinal: int,
    caller: Allowed,
    options: Options,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One run; with what is being done while it is under way."""
    run = _run(account, day, ordinal)
    row = await _row(options, caller, run)
    progress = None
    if row["ended_at"] is None:
        progress = await progress_of(options.client, run.workflow_id)
    return tagged(ReconciliationInFull.model_validate({**row, "progress": progress}), if_none_match)


@router.post(
    "/{account}/{day}/{ordinal}/withdraw",
    status_code=202,
    response_model=Taken,
    responses={
        **answers(
            Taken(workflow_id=_RUN.workflow_id, stage="proving", stopping="to be withdrawn"),
            status=202,
            description="Accepted",
        ),
        **problems(400, 401, 403, 404, 409, 413, 415, 503),
    },
    summary="Take a reconciliation back",
)
async def withdraw(
    account: KnownAccount,
    day: date,
    ordinal: int,
    form: WithdrawalForm,
    caller: Allowed,
    options: Options,
) -> Taken:
    """Take a run back that is not certified yet. What it matched stands, the next goes on there."""
    run = _run(account, day, ordinal)
    await _row(options, caller, run)

    def withdrawal(by: SignedActor) -> Withdrawal:
        return Withdrawal(reason=form.reason, by=by)

    signed = options.signer.sign(
        withdrawal, workflow_id=run.workflow_id, update="withdraw", by=caller.actor
    )
    try:
        return await send(options.client, run.workflow_id, "withdraw", signed)
    except (Ended, NoProcess) as over:
        end = over.end if isinstance(over, Ended) and over.end else "over"
        raise Problem(409, "too-late", f"The run is {end}.") from None


def _run(account: str, day: date, ordinal: int) -> Run:
    if not 1 <= ordinal < 2**31:
        raise not_found("reconciliation")
    return Run(account=account, day=day, ordinal=ordinal)


async def account_to_compare(
    connection: AsyncConnection, caller: Caller, form: RunForm, now: datetime
) -> Account:
    """The account of a day that may be compared by now. Raises Problem (404, 409)."""
    account = await account_of(connection, caller, form.account)
    _must_be_open(account, form.business_date, "business_date")
    _must_be_over(account, form.business_date, "business_date", now)
    await _must_not_be_behind(connection, account, form.business_date)
    return account


def _must_be_open(account: Account, day: date, field: str) -> None:
    if day < account.opened_on:
        raise Problem(
            409,
            "before-opening",
            f"{account.name} was opened on {account.opened_on}: nothing before it is compared.",
            errors=[FieldError(field=field, message="is before the opening")],
        )


def _must_be_over(account: Account, day: date, field: str, now: datetime) -> None:
    over = account.day_over_at(now)
    if day > over:
        raise Problem(
            409,
            "not-over",
            f"{day} is not over: the last day that is, in {account.time_zone}, is {over}. Ask for "
            "a day up to that, or again once the day has ended.",
            errors=[FieldError(field=field, message="is not over")],
        )


async def _must_not_be_behind(connection: AsyncConnection, account: Account, day: date) -> None:
    certified = await runs.last_certified(connection, account.id)
    if certified is not None and certified > day:
        raise Problem(
            409,
            "day-is-over",
            f"{certified} is certified: what came late belongs to that day, or a later one.",
        )


def not_live(error: runs.NotLive) -> Problem:
    """The problem of an account whose opening nobody approved."""
    return Problem(409, "not-live", f"{error}.")


async def _row(options: GatewayOptions, caller: Caller, run: Run) -> dict[str, Any]:
    """A run's row. Any: the columns' own. Raises Problem (404)."""
    async with transaction(options.engine) as connection:
        rows = await runs.many(
            connection, tenant=caller.tenant, workflow_id=run.workflow_id, limit=1
        )
    if not rows:
        raise not_found("reconciliation")
    return _told(dict(rows[0]))


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"id": row["workflow_id"]}
