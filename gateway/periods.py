"""Months of an account's journal: closed by one person, locked for good by another."""

import re
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import ConfigDict
from sqlalchemy.ext.asyncio import AsyncConnection

from database.connection import transaction
from database.journal import periods
from database.journal.periods import NotSoClosed, State
from database.reconciliation.accounts import Account
from gateway import examples
from gateway.callers import Allowed, Caller
from gateway.etags import IfNoneMatch, tagged
from gateway.forms import ReasonForm
from gateway.named_accounts import KnownAccount, account_of
from gateway.openapi import answers, problem, problems
from gateway.options import GatewayOptions, Options
from gateway.problems import Problem, not_found
from workflows.reconciliation.answers import Period, PeriodList

router = APIRouter(prefix="/v1/accounts/{account}/periods", tags=["accounts"])

_MONTH = re.compile(r"(?!0000)\d{4}-(0[1-9]|1[0-2])", re.ASCII)
_EXAMPLE = Period(
    account="acme",
    month="2026-01",
    state="soft_closed",
    changed_by="example-finance-operator",
    changed_at=examples.AT,
)
_WAYS_OUT = {
    "not-over": "The month is not over: it is closed after its last day.",
    "own-close": "Nobody locks a month that they closed themselves: it takes somebody else.",
    "locked": "The month is locked for good: what comes late is booked into the first open one.",
    "later-closed": "A later month is closed: reopen the latest first.",
    "not-closed": "The month is not closed: close it, and have somebody else lock it.",
}


def known_month(
    month: Annotated[str, Path(json_schema_extra={"pattern": f"^{_MONTH.pattern}$"})],
) -> date:
    """The first day of a month that is named like 2026-01. Raises Problem (404)."""
    if not _MONTH.fullmatch(month):
        raise not_found("month")
    return date.fromisoformat(f"{month}-01")


Month = Annotated[date, Depends(known_month)]


class PeriodForm(ReasonForm):
    """Why a month is closed, locked or opened again."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the month is reconciled and reported"}]}
    )


def _refusals(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The refusals that an operation may answer with, for `responses`. Any: OpenAPI's own."""
    named = ", ".join(f"`{one}`" for one in codes)
    return problem(409, f"{named}: nothing is done.", code=codes[0], detail=_WAYS_OUT[codes[0]])


@router.get(
    "",
    response_model=PeriodList,
    responses={**answers(PeriodList(items=[_EXAMPLE])), **problems(401, 403, 404, 503)},
    summary="List the months of a journal",
)
async def many(
    account: KnownAccount, caller: Allowed, options: Options, if_none_match: IfNoneMatch = None
) -> Response:
    """Every month since the account was opened, the latest first: open, closed or locked."""
    now = await options.now()
    async with transaction(options.engine) as connection:
        of = await account_of(connection, caller, account)
        listed = await _listed(connection, of, now)
    return tagged(PeriodList(items=listed), if_none_match)


@router.post(
    "/{month}/close",
    response_model=Period,
    responses={
        **answers(_EXAMPLE),
        **problems(400, 401, 403, 404, 413, 415, 503),
        **_refusals("not-over", "before-opening", "locked"),
    },
    summary="Close a month of a journal",
)
async def close(
    account: KnownAccount, month: Month, form: PeriodForm, caller: Allowed, options: Options
) -> Period:
    """Close a month that is over, and with it all before it; it may be reopened until it is locked.

    Waits for what is being booked. What comes late is booked into the first open month.
    """
    return await _set(options, caller, account, month, "soft_closed", form.reason)


@router.post(
    "/{month}/lock",
    response_model=Period,
    responses={
        **answers(_EXAMPLE.model_copy(update={"state": "locked"})),
        **problems(400, 401, 403, 404, 413, 415, 503),
        **_refusals("own-close", "not-closed", "before-opening"),
    },
    summary="Lock a month of a journal",
)
async def lock(
    account: KnownAccount, month: Month, form: PeriodForm, caller: Allowed, options: Options
) -> Period:
    """Lock a closed month for good, and with it all before it.

    It takes somebody else than who closed it.
    """
    return await _set(options, caller, account, month, "locked", form.reason)


@router.post(
    "/{month}/reopen",
    response_model=Period,
    responses={
        **answers(_EXAMPLE.model_copy(update={"state": "open"})),
        **problems(400, 401, 403, 404, 413, 415, 503),
        **_refusals("locked", "later-closed", "before-opening"),
    },
    summary="Reopen a month of a journal",
)
async def reopen(
    account: KnownAccount, month: Month, form: PeriodForm, caller: Allowed, options: Options
) -> Period:
    """Open a closed month again, the latest first.

    Those before it that somebody closed themselves stay closed.
    """
    return await _set(options, caller, account, month, "open", form.reason)


async def _set(
    options: GatewayOptions, caller: Caller, account: str, month: date, state: State, reason: str
) -> Period:
    now = await options.now()
    async with transaction(options.engine) as connection:
        of = await account_of(connection, caller, account)
        _must_be_over(of, month, now)
        try:
            await periods.set_state(connection, of.id, month, state, by=caller.name, reason=reason)
        except NotSoClosed as no:
            raise Problem(409, no.why, _WAYS_OUT[no.why]) from None
        listed = await _listed(connection, of, now)
    return next(one for one in listed if one.month == _named(month))


def _must_be_over(account: Account, month: date, now: datetime) -> None:
    """Raises Problem (409) for months of before the account, and for those that are not over."""
    if month < account.opened_on.replace(day=1):
        raise Problem(
            409,
            "before-opening",
            f"{account.name} was opened on {account.opened_on}: nothing is booked before that.",
        )
    if month >= now.astimezone(account.zone).date().replace(day=1):
        raise Problem(409, "not-over", _WAYS_OUT["not-over"])


async def _listed(connection: AsyncConnection, account: Account, now: datetime) -> list[Period]:
    today = now.astimezone(account.zone).date()
    found = await periods.periods(connection, account.id, first=account.opened_on, last=today)
    return [
        Period(
            account=account.name,
            month=_named(one.month),
            state=one.state,
            changed_by=one.changed_by,
            changed_at=one.changed_at,
        )
        for one in found
    ]


def _named(month: date) -> str:
    return f"{month:%Y-%m}"
