"""What was open in an account: as of a day, as it was known at a time or by a run."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from database.connection import transaction
from database.reconciliation import certificates, open_list
from database.reconciliation.certificates import Standing
from database.reconciliation.open_list import OpenAsked
from gateway import examples
from gateway.callers import Allowed
from gateway.cursors import bad_cursor, page_of, place_of
from gateway.etags import IfNoneMatch, tagged
from gateway.named_accounts import KnownAccount, account_of
from gateway.openapi import answers, problems
from gateway.options import Options
from gateway.parameters import Cursor, KnownAt, Limit, OnDay
from gateway.problems import Problem
from workflows.reconciliation.answers import OpenItem, OpenPage, OpenTotal
from workflows.reconciliation.books import Book, Leg
from workflows.reconciliation.messages import workflow_id
from workflows.reconciliation.payments import CurrencyCode

router = APIRouter(prefix="/v1/accounts/{account}/open", tags=["reconciliations"])

_DAY = examples.AT.date()
_EXAMPLE = OpenPage(
    account="acme",
    run=workflow_id("acme", _DAY, 1),
    business_date=_DAY,
    ordinal=1,
    status="BREAKS",
    certificate_id="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    known_since=examples.AT,
    totals=[
        OpenTotal(
            leg="L1",
            currency="EUR",
            break_class="missing_ours",
            items=1,
            amount_minor=-10_000,
            breaks=1,
            at_risk_minor=10_000,
        )
    ],
    items=[
        OpenItem(
            leg="L1",
            disposition="break",
            break_id=1,
            break_class="missing_ours",
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
    next=None,
)


@router.get(
    "",
    response_model=OpenPage,
    responses={**answers(_EXAMPLE), **problems(401, 403, 404, 503)},
    summary="List what was open",
)
async def many(
    account: KnownAccount,
    caller: Allowed,
    options: Options,
    *,
    on: OnDay = None,
    known_at: KnownAt = None,
    ordinal: Annotated[
        int | None, Query(ge=1, lt=2**31, description="As this run of the day had it.")
    ] = None,
    leg: Annotated[Leg | None, Query(description="Of this leg.")] = None,
    book: Annotated[Book | None, Query(description="Of this book.")] = None,
    currency: Annotated[CurrencyCode | None, Query(description="In this currency.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Open items and breaks with their sums, as the certificate has it that stands for the day.

    That is the last one of the day that was issued by `known_at`; where the day has none, the one
    of the latest day before. Pages after the first are of the same run, whatever comes meanwhile;
    the sums are on the first alone.
    """
    run, *after = place_of(cursor, int, int, int) if cursor is not None else (None,)
    async with transaction(options.engine) as connection:
        of = await account_of(connection, caller, account)
        standing = await certificates.as_of(
            connection, account, on, recorded=known_at, ordinal=ordinal, run=run
        )
        if standing is None:
            raise bad_cursor() if cursor is not None else _not_known(known_at)
        asked = OpenAsked(of.id, standing.run, leg, book, currency)
        rows = await open_list.open_items(
            connection,
            asked,
            after=(after[0], after[1]) if after else None,
            limit=limit + 1,
        )
        totals = await open_list.totals(connection, asked) if cursor is None else []
    page, following = page_of(rows, limit, lambda row: [standing.run, *row["place"]])
    answer = _page(account, standing).model_copy(
        update={
            "totals": [OpenTotal.model_validate(one) for one in totals],
            "items": [OpenItem.model_validate(one) for one in page],
            "next": following,
        }
    )
    return tagged(answer, if_none_match)


def _page(account: str, standing: Standing) -> OpenPage:
    return OpenPage(
        account=account,
        run=workflow_id(account, standing.business_date, standing.ordinal),
        business_date=standing.business_date,
        ordinal=standing.ordinal,
        status=standing.status,
        certificate_id=standing.id,
        known_since=standing.issued_at,
        totals=[],
        items=[],
        next=None,
    )


def _not_known(known_at: datetime | None) -> Problem:
    by = f" by {known_at.isoformat()}" if known_at else ""
    return Problem(404, "not-found", f"No such day of the account was certified{by}.")
