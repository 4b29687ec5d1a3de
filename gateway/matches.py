"""Matches: what belongs together and why; taken apart by a person, with a reason."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict
from sqlalchemy.ext.asyncio import AsyncConnection

from database.connection import transaction
from database.reconciliation import accounts, lists
from database.reconciliation.lists import MatchesAsked
from database.reconciliation.taking_apart import NoMatch, taken_apart_before, unmatch
from gateway import examples
from gateway.callers import Allowed, AskedTenant, Caller, tenant_to_see
from gateway.cursors import page_of, place_of
from gateway.etags import IfNoneMatch, tagged
from gateway.forms import ReasonForm
from gateway.named_accounts import must_be_there
from gateway.openapi import answers, problems
from gateway.options import Options
from gateway.parameters import Cursor, Limit
from gateway.problems import not_found
from workflows.reconciliation.answers import Item, Match, MatchPage, Unmatched
from workflows.reconciliation.books import Leg, Rule
from workflows.reconciliation.messages import AccountName
from workflows.reconciliation.opening import Day

router = APIRouter(prefix="/v1/matches", tags=["reconciliations"])

_ID = "3d6f0a52-8c1e-5b7a-9a51-7f5d8a2b9c10"
_DAY = examples.AT.date()
_EXAMPLE = Match(
    id=_ID,
    account="acme",
    leg="L1",
    rule="reference",
    disposition="exact",
    difference_minor=0,
    run=f"reconciliation/acme/{_DAY}/1",
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
        ),
        Item(
            book="clearing",
            source_id="payment/1/1",
            component="",
            kind="charge",
            currency="EUR",
            amount_minor=10_000,
            effective_on=_DAY,
            reference="ch_1",
        ),
    ],
)


class UnmatchForm(ReasonForm):
    """Why items do not belong together."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the deposit was of another customer"}]}
    )


@router.get(
    "",
    response_model=MatchPage,
    responses={**answers(MatchPage(items=[_EXAMPLE], next=None)), **problems(401, 403, 404, 503)},
    summary="List matches",
)
async def many(
    caller: Allowed,
    options: Options,
    *,
    asked_tenant: AskedTenant = None,
    account: Annotated[AccountName | None, Query(description="Of this account.")] = None,
    leg: Annotated[Leg | None, Query(description="Of this leg.")] = None,
    rule: Annotated[list[Rule] | None, Query(description="By one or several rules.")] = None,
    business_date: Annotated[Day | None, Query(description="Made by runs of this day.")] = None,
    source: Annotated[
        str | None,
        Query(
            pattern=r"^[^\x00-\x1f\x7f]{1,255}$",
            description="With an item of this id, as its source gives it.",
        ),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Matches, the latest first."""
    asked = MatchesAsked(account=account, leg=leg, rules=rule, day=business_date, source=source)
    tenant = tenant_to_see(caller, asked_tenant)
    async with transaction(options.engine) as connection:
        await must_be_there(connection, account, tenant)
        rows = await lists.matches(
            connection,
            asked,
            tenant=tenant,
            after=place_of(cursor, int)[0] if cursor is not None else None,
            limit=limit + 1,
        )
    page, following = page_of(rows, limit, lambda row: [row["number"]])
    answer = MatchPage(items=[Match.model_validate(row) for row in page], next=following)
    return tagged(answer, if_none_match)


@router.post(
    "/{id}/unmatch",
    response_model=Unmatched,
    responses={
        **answers(Unmatched(id=_ID, account="acme", before=False)),
        **problems(400, 401, 403, 404, 413, 415, 503),
    },
    summary="Take a match apart",
)
async def take_apart(id: UUID, form: UnmatchForm, caller: Allowed, options: Options) -> Unmatched:
    """Say that items do not belong together: kept for good, with who and why.

    They are open from the next run on, and no run puts them together again. What was certified
    stays as it is. Who says so again, with the same reason, is told that it was said before.
    """
    by, reason = caller.name, form.reason
    async with transaction(options.engine) as connection:
        try:
            account = await _taken_apart(connection, caller, id, reason)
            return Unmatched(id=str(id), account=account, before=False)
        except NoMatch:
            said = await taken_apart_before(
                connection, id, tenant=caller.tenant, by=by, reason=reason
            )
    if said is None:
        raise not_found("match")
    return Unmatched(id=str(id), account=said, before=True)


async def _taken_apart(connection: AsyncConnection, caller: Caller, id: UUID, reason: str) -> str:
    """The account of a match that is now taken apart. Raises NoMatch."""
    rows = await lists.matches(connection, MatchesAsked(id=id), tenant=caller.tenant, limit=1)
    if not rows:
        raise NoMatch(f"there is no match {id}")
    account = await accounts.of_name(connection, rows[0]["account"])
    await unmatch(connection, account.id, id, by=caller.name, reason=reason)
    return account.name
