"""Go-live of an account: one person proposes what it begins with, another one approves."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import ConfigDict, field_validator
from sqlalchemy import RowMapping

from database.connection import transaction
from database.journal import openings
from database.journal.openings import NotOpened
from gateway import examples
from gateway.callers import Allowed, Caller
from gateway.etags import IfMatch, IfNoneMatch, changed_meanwhile, tagged
from gateway.forms import ReasonForm
from gateway.named_accounts import KnownAccount, account_of
from gateway.openapi import answers, problem, problems
from gateway.options import GatewayOptions, Options
from gateway.problems import FieldError, Problem, not_found
from workflows.actor import Why
from workflows.reconciliation.currencies import known_currency, money
from workflows.reconciliation.opening import Opening, OpeningBalance, OpeningItem, ProposedOpening

router = APIRouter(prefix="/v1/accounts/{account}/opening", tags=["accounts"])

_EXAMPLE = ProposedOpening(
    id=1,
    account="acme",
    state="proposed",
    opened_on=examples.AT.date(),
    content_hash="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    balances=(
        OpeningBalance(book="clearing", currency="EUR", amount_minor=120_000),
        OpeningBalance(book="processor", currency="EUR", amount_minor=120_000),
    ),
    items=0,
    open_items=(),
    proposed_by="example-finance-operator",
    proposed_at=examples.AT,
    reason="balances of the old ledger, as audited",
)
_SHOWN = 100
"""Open items in an answer; how many there are is said besides."""
_NOT_NOW = "Nobody approves of what they proposed themselves."


_Told = tuple[OpeningBalance | OpeningItem, ...]


class OpeningForm(Opening):
    """What an account begins with, and why it is known to be so."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "opened_on": "2026-01-31",
                    "balances": [
                        {"book": "clearing", "currency": "EUR", "amount_minor": 120000},
                        {"book": "processor", "currency": "EUR", "amount_minor": 120000},
                    ],
                    "reason": "balances of the old ledger, as audited",
                }
            ]
        }
    )

    reason: Why

    @field_validator("balances", "items")
    @classmethod
    def _are_in_currencies(cls, told: _Told) -> _Told:
        for one in told:
            known_currency(one.currency)
        return told


class OpeningDecisionForm(ReasonForm):
    """Why a proposal is approved of, or refused."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "compared with the statements of that day"}]}
    )


_REFUSALS = problem(
    409,
    "`own-proposal`, `opened-already`, `moved-already` or `decided-already`: nothing is done.",
    code="own-proposal",
    detail=_NOT_NOW,
)


@router.post(
    "",
    status_code=201,
    response_model=ProposedOpening,
    responses={
        **answers(_EXAMPLE, status=201, description="Proposed; somebody else has to approve"),
        **problems(400, 401, 403, 404, 413, 415, 503),
        **_REFUSALS,
    },
    summary="Propose what an account begins with",
)
async def propose(
    account: KnownAccount, form: OpeningForm, caller: Allowed, options: Options
) -> ProposedOpening:
    """Propose balances and open items. A newer proposal takes the place of an older one.

    The bridge has to hold with them: balances of two books differ by what is open between them.
    Asking twice is fine.
    """
    opening = Opening.model_validate(form.model_dump(exclude={"reason"}))
    if residuals := opening.residuals():
        raise Problem(
            422,
            "invalid",
            "The balances and the open items contradict each other.",
            errors=[
                FieldError(
                    field="balances",
                    message=f"{one.equation} leaves {money(one.amount_minor, one.currency)} over",
                )
                for one in residuals
            ],
        )
    async with transaction(options.engine) as connection:
        of = await account_of(connection, caller, account)
        try:
            row = await openings.propose(
                connection, of, opening, by=caller.name, reason=form.reason
            )
        except NotOpened as no:
            raise _refused(no) from None
    return _proposed(account, row)


@router.get(
    "",
    response_model=ProposedOpening,
    responses={**answers(_EXAMPLE), **problems(401, 403, 404, 503)},
    summary="Show what an account begins with",
)
async def show(
    account: KnownAccount, caller: Allowed, options: Options, if_none_match: IfNoneMatch = None
) -> Response:
    """The latest proposal, and what was decided about it."""
    async with transaction(options.engine) as connection:
        row = await openings.latest(connection, await account_of(connection, caller, account))
    if row is None:
        raise not_found("opening")
    return tagged(_proposed(account, row), if_none_match, number=row["id"])


@router.post(
    "/approve",
    response_model=ProposedOpening,
    responses={
        **answers(_EXAMPLE.model_copy(update={"state": "approved"})),
        **problems(400, 401, 403, 404, 412, 413, 415, 428, 503),
        **_REFUSALS,
    },
    summary="Approve of what an account begins with",
)
async def approve(
    account: KnownAccount,
    form: OpeningDecisionForm,
    caller: Allowed,
    options: Options,
    expected: IfMatch,
) -> ProposedOpening:
    """Have the proposal loaded: its balances are booked, and its open items wait for their match.

    It takes somebody else than who proposed it. `If-Match` is the proposal that you looked at.
    """
    return await _decide(options, caller, account, expected, "approved", form.reason)


@router.post(
    "/refuse",
    response_model=ProposedOpening,
    responses={
        **answers(_EXAMPLE.model_copy(update={"state": "refused"})),
        **problems(400, 401, 403, 404, 412, 413, 415, 428, 503),
        **_REFUSALS,
    },
    summary="Refuse what an account is to begin with",
)
async def refuse(
    account: KnownAccount,
    form: OpeningDecisionForm,
    caller: Allowed,
    options: Options,
    expected: IfMatch,
) -> ProposedOpening:
    """Have the proposal set aside. `If-Match` is the proposal that you looked at."""
    return await _decide(options, caller, account, expected, "refused", form.reason)


async def _decide(
    options: GatewayOptions,
    caller: Caller,
    account: str,
    expected: IfMatch,
    verdict: Literal["approved", "refused"],
    reason: str,
) -> ProposedOpening:
    async with transaction(options.engine) as connection:
        of = await account_of(connection, caller, account)
        row = await openings.latest(connection, of)
        if row is None:
            raise not_found("opening")
        expected.meets(row["id"], "proposal")
        try:
            decided = await openings.decide(
                connection, of, row["id"], verdict, by=caller.name, reason=reason
            )
        except NotOpened as no:
            raise _refused(no) from None
    return _proposed(account, decided)


def _refused(no: NotOpened) -> Problem:
    if no.why == "changed-meanwhile":
        return changed_meanwhile("proposal")
    return Problem(409, no.why, f"{str(no)[0].upper()}{str(no)[1:]}.")


def _proposed(account: str, row: RowMapping) -> ProposedOpening:
    content = row["content"]
    return ProposedOpening(
        id=row["id"],
        account=account,
        state=row["verdict"] or "proposed",
        opened_on=content["opened_on"],
        content_hash=row["content_hash"],
        balances=content["balances"],
        items=len(content["items"]),
        open_items=content["items"][:_SHOWN],
        proposed_by=row["proposed_by"],
        proposed_at=row["proposed_at"],
        reason=row["reason"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        decision_reason=row["decision_reason"],
    )
