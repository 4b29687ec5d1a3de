"""Breaks: what has to be explained, by how much is at risk."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from database.connection import transaction
from database.reconciliation import lists
from database.reconciliation.lists import BreaksAsked
from gateway import examples
from gateway.callers import Allowed, AskedTenant, tenant_to_see
from gateway.cursors import page_of, place_of
from gateway.etags import IfNoneMatch, tagged
from gateway.named_accounts import must_be_there
from gateway.openapi import answers, problems
from gateway.options import Options
from gateway.parameters import Cursor, Limit
from gateway.problems import not_found
from workflows.reconciliation.answers import Break, BreakEvent, BreakInFull, BreakPage, Item
from workflows.reconciliation.books import BreakClass, Leg
from workflows.reconciliation.currencies import LARGEST
from workflows.reconciliation.messages import AccountName
from workflows.reconciliation.opening import Day
from workflows.reconciliation.payments import CurrencyCode

router = APIRouter(prefix="/v1/breaks", tags=["reconciliations"])

_DAY = examples.AT.date()
_EXAMPLE = Break(
    id=1,
    account="acme",
    break_class="missing_ours",
    leg="L1",
    currency="EUR",
    at_risk_minor=10_000,
    material=True,
    subject=("txn_1",),
    opened_on=_DAY,
    closed_on=None,
    days=1,
    provisional=False,
    revision=1,
)
_IN_FULL = BreakInFull(
    **_EXAMPLE.model_dump(),
    items=[
        Item(
            book="processor",
            source_id="txn_1",
            component="gross",
            kind="charge",
            currency="EUR",
            amount_minor=10_000,
            effective_on=_DAY,
            reference="ch_1",
        )
    ],
    events=[
        BreakEvent(
            what="opened",
            break_class="missing_ours",
            at_risk_minor=10_000,
            run=f"reconciliation/acme/{_DAY}/1",
            at=examples.AT,
        )
    ],
)


@router.get(
    "",
    response_model=BreakPage,
    responses={**answers(BreakPage(items=[_EXAMPLE], next=None)), **problems(401, 403, 404, 503)},
    summary="List breaks",
)
async def many(
    caller: Allowed,
    options: Options,
    *,
    asked_tenant: AskedTenant = None,
    account: Annotated[AccountName | None, Query(description="Of this account.")] = None,
    break_class: Annotated[
        list[BreakClass] | None, Query(alias="class", description="One or several classes.")
    ] = None,
    leg: Annotated[Leg | None, Query(description="Found on this leg.")] = None,
    currency: Annotated[CurrencyCode | None, Query(description="In this currency.")] = None,
    state: Annotated[
        Literal["open", "closed", "all"], Query(description="Whether they are explained.")
    ] = "open",
    at_least: Annotated[
        int, Query(ge=0, le=LARGEST, description="At risk, in minor units of their currency.")
    ] = 0,
    material: Annotated[
        bool | None,
        Query(description="Whether they are worth somebody by themselves, by `[materiality]`."),
    ] = None,
    opened_before: Annotated[Day | None, Query(description="Found before this day.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Breaks, those with the most at risk first."""
    asked = BreaksAsked(
        materiality=options.materiality,
        account=account,
        classes=break_class,
        leg=leg,
        currency=currency,
        open={"open": True, "closed": False, "all": None}[state],
        at_least=at_least,
        material=material,
        opened_before=opened_before,
    )
    place = place_of(cursor, int, int) if cursor is not None else None
    tenant = tenant_to_see(caller, asked_tenant)
    async with transaction(options.engine) as connection:
        await must_be_there(connection, account, tenant)
        rows = await lists.breaks(
            connection,
            asked,
            tenant=tenant,
            after=(place[0], place[1]) if place else None,
            limit=limit + 1,
        )
    page, following = page_of(rows, limit, lambda row: [row["at_risk_minor"], row["id"]])
    answer = BreakPage(items=[Break.model_validate(row) for row in page], next=following)
    return tagged(answer, if_none_match)


@router.get(
    "/{id}",
    response_model=BreakInFull,
    responses={**answers(_IN_FULL), **problems(401, 403, 404, 503)},
    summary="Show a break",
)
async def one(
    id: Annotated[int, Path(ge=1, le=2**62)],
    caller: Allowed,
    options: Options,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One break with the items that it is about, and all that happened to it."""
    async with transaction(options.engine) as connection:
        row = await lists.one_break(
            connection, id, tenant=caller.tenant, materiality=options.materiality
        )
    if row is None:
        raise not_found("break")
    return tagged(BreakInFull.model_validate(row), if_none_match, number=row["revision"])
