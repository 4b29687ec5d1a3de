"""The accounts that are reconciled: made, found again, given bank accounts."""

import contextlib
from collections.abc import Set
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Response
from pydantic import AfterValidator, ConfigDict, Field
from sqlalchemy.exc import IntegrityError

from database.connection import transaction
from database.reconciliation import accounts
from database.reconciliation.accounts import AnotherTenants, ProcessorTaken
from gateway import examples
from gateway.callers import Allowed, AskedTenant, Caller, tenant_to_act_for, tenant_to_see
from gateway.cursors import page_of, place_of
from gateway.etags import IfNoneMatch, tagged
from gateway.forms import Form
from gateway.named_accounts import KnownAccount, account_of
from gateway.openapi import answers, problem, problems
from gateway.options import GatewayOptions, Options
from gateway.parameters import Cursor, Limit
from gateway.problems import FieldError, Problem, not_found
from workflows.reconciliation.answers import Account, AccountPage, BankAccount
from workflows.reconciliation.bank_accounts import checked_identification
from workflows.reconciliation.books import Rhythm
from workflows.reconciliation.messages import AccountName
from workflows.reconciliation.payments import EARLIEST, KnownCurrency

router = APIRouter(prefix="/v1/accounts", tags=["accounts"])

_EXAMPLE = Account(
    name="acme",
    tenant="example",
    time_zone="Europe/Berlin",
    opened_on=examples.AT.date(),
    processor="listing",
    journal="ours",
    posts=("payouts", "settlements"),
    bank_accounts=(
        BankAccount(
            identification="DE02120300000000202051",
            currency="EUR",
            calendar="target",
            statements="daily",
        ),
    ),
    reconciled_on=examples.AT.date(),
    status="BALANCED",
    open_breaks=0,
)

_NAME_TAKEN = "The name is taken, perhaps by another tenant's account: choose another one."
_TAKEN = "`bank-account-taken`: a bank account pays for one tenant only."
_BANK_ACCOUNT_TAKEN = (
    "An account of another tenant has this bank account: ask whoever runs Perdure which one is "
    "wrong."
)

_PROCESSOR_TAKEN = (
    "Another tenant's accounts are compared with the Stripe account that this installation reads: "
    "this tenant needs an installation of its own."
)

_OF_A_MACHINE = ("localtime", "posixrules", "Factory", "posix/", "right/")
"""Files beside those of time zones: each machine has its own, or none."""
_AHEAD = timedelta(days=366)


def _zone(name: str) -> str:
    if not name.startswith(_OF_A_MACHINE):
        with contextlib.suppress(ZoneInfoNotFoundError, ValueError, OSError):
            ZoneInfo(name)
            return name
    raise ValueError("a time zone is named like Europe/Berlin")


def _first_day(day: date) -> date:
    if not EARLIEST.date() <= day <= datetime.now(UTC).date() + _AHEAD:
        raise ValueError("is more than a year ahead, or before 1970")
    return day


class BankAccountForm(Form):
    """A bank account, as its statements name it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "identification": "DE02120300000000202051",
                    "currency": "EUR",
                    "calendar": "target",
                    "statements": "weekly",
                }
            ]
        }
    )

    identification: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9 ./_-]{1,64}$",
            description="Kept without blanks and in capital letters. The check digits of an IBAN "
            "have to be right.",
        ),
        AfterValidator(checked_identification),
    ]
    currency: KnownCurrency
    calendar: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]
    statements: Annotated[
        Rhythm | None,
        Field(description="Where it is not said it stays as it is; `daily` of a new one."),
    ] = None


class AccountForm(Form):
    """An account at the processor, and what is compared with it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "acme",
                    "time_zone": "Europe/Berlin",
                    "opened_on": "2026-01-31",
                    "processor": "listing",
                    "posts": ["payouts", "settlements"],
                    "bank_accounts": [
                        {
                            "identification": "DE02120300000000202051",
                            "currency": "EUR",
                            "calendar": "target",
                        }
                    ],
                }
            ]
        }
    )

    name: AccountName
    time_zone: Annotated[str, Field(max_length=64), AfterValidator(_zone)] = "UTC"
    opened_on: Annotated[
        date,
        Field(description="The first day; from 1970 to a year ahead."),
        AfterValidator(_first_day),
    ]
    processor: Literal["listing", "reports"] = "listing"
    posts: tuple[Literal["fees", "payouts", "settlements"], ...] = ()
    bank_accounts: tuple[BankAccountForm, ...] = Field(default=(), max_length=50)


@router.post(
    "",
    status_code=201,
    response_model=Account,
    responses={
        **answers(
            _EXAMPLE.model_copy(update={"reconciled_on": None, "status": None}),
            status=201,
            description="Made",
        ),
        **problems(400, 401, 403, 413, 415, 503),
        **problem(
            409,
            f"`name-taken`: choose another name. {_TAKEN} `processor-taken`: an installation's "
            "Stripe account is one tenant's.",
            code="name-taken",
            detail=_NAME_TAKEN,
        ),
    },
    summary="Make an account",
)
async def make(
    form: AccountForm, caller: Allowed, options: Options, asked_tenant: AskedTenant = None
) -> Account:
    """Make an account. What it begins with is another step, under four eyes: its opening."""
    wanted = accounts.Account(
        id=0,
        name=form.name,
        tenant=tenant_to_act_for(caller, asked_tenant),
        time_zone=form.time_zone,
        opened_on=form.opened_on,
        processor=form.processor,
        journal="ours",
        posts=form.posts,
    )
    _have_calendars(options, {one.calendar for one in form.bank_accounts}, "bank_accounts")
    try:
        async with transaction(options.engine) as connection:
            made = await accounts.make(connection, wanted)
            for one in form.bank_accounts:
                await accounts.add_bank_account(
                    connection, made, **one.model_dump(), by=caller.name
                )
    except IntegrityError:
        raise Problem(409, "name-taken", _NAME_TAKEN) from None
    except AnotherTenants:
        raise _bank_account_taken() from None
    except ProcessorTaken:
        raise Problem(409, "processor-taken", _PROCESSOR_TAKEN) from None
    return await _shown(options, caller, form.name)


@router.get(
    "",
    response_model=AccountPage,
    responses={**answers(AccountPage(items=[_EXAMPLE], next=None)), **problems(401, 403, 503)},
    summary="List accounts",
)
async def many(
    caller: Allowed,
    options: Options,
    *,
    asked_tenant: AskedTenant = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Accounts by their names, with the latest day that was reconciled and how it came out."""
    async with transaction(options.engine) as connection:
        rows = await accounts.many(
            connection,
            tenant=tenant_to_see(caller, asked_tenant),
            after=place_of(cursor, str)[0] if cursor is not None else None,
            limit=limit + 1,
        )
    page, following = page_of(rows, limit, lambda row: [row["name"]])
    answer = AccountPage(items=[Account.model_validate(dict(row)) for row in page], next=following)
    return tagged(answer, if_none_match)


@router.get(
    "/{account}",
    response_model=Account,
    responses={**answers(_EXAMPLE), **problems(401, 403, 404, 503)},
    summary="Show an account",
)
async def one(
    account: KnownAccount, caller: Allowed, options: Options, if_none_match: IfNoneMatch = None
) -> Response:
    """One account."""
    return tagged(await _shown(options, caller, account), if_none_match)


@router.post(
    "/{account}/bank-accounts",
    status_code=201,
    response_model=Account,
    responses={
        **answers(_EXAMPLE, status=201, description="Known from now on"),
        **problems(400, 401, 403, 404, 413, 415, 503),
        **problem(409, _TAKEN, code="bank-account-taken", detail=_BANK_ACCOUNT_TAKEN),
    },
    summary="Add a bank account",
)
async def add_bank_account(
    account: KnownAccount, form: BankAccountForm, caller: Allowed, options: Options
) -> Account:
    """Have an account paid out to one more bank account. Twice is fine.

    The same one again with another calendar or rhythm of statements goes by that from now on, and
    the audit trail says what it was.
    """
    _have_calendars(options, {form.calendar}, "calendar")
    try:
        async with transaction(options.engine) as connection:
            of = await account_of(connection, caller, account)
            await accounts.add_bank_account(connection, of.id, **form.model_dump(), by=caller.name)
    except AnotherTenants:
        raise _bank_account_taken() from None
    return await _shown(options, caller, account)


def _have_calendars(options: GatewayOptions, named: Set[str], field: str) -> None:
    """Raises Problem (422): a run would find no days on which the bank works."""
    if not named <= options.calendars:
        known = ", ".join(sorted(options.calendars))
        wrong = FieldError(field=field, message=f"names a calendar that is not one of {known}")
        raise Problem(422, "invalid", "1 field cannot be used.", errors=[wrong])


def _bank_account_taken() -> Problem:
    return Problem(409, "bank-account-taken", _BANK_ACCOUNT_TAKEN)


async def _shown(options: GatewayOptions, caller: Caller, name: str) -> Account:
    async with transaction(options.engine) as connection:
        rows = await accounts.many(connection, tenant=caller.tenant, name=name, limit=1)
    if not rows:
        raise not_found("account")
    return Account.model_validate(dict(rows[0]))
