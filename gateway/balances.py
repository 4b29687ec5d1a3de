"""What the accounts of a journal held: at the end of a day, as it was booked by a time."""

from datetime import date

from fastapi import APIRouter, Response

from database.connection import transaction
from database.journal import balances
from gateway import examples
from gateway.callers import Allowed
from gateway.etags import IfNoneMatch, tagged
from gateway.named_accounts import KnownAccount, account_of
from gateway.openapi import answers, problems
from gateway.options import Options
from gateway.parameters import KnownAt, OnDay
from gateway.problems import Problem
from workflows.reconciliation.answers import JournalBalance, JournalBalances

router = APIRouter(prefix="/v1/accounts/{account}/balances", tags=["accounts"])

_EXAMPLE = JournalBalances(
    account="acme",
    on=examples.AT.date(),
    seal=1,
    sealed_at=examples.AT,
    later=0,
    items=[JournalBalance(code="clearing", currency="EUR", amount_minor=120_000)],
)


@router.get(
    "",
    response_model=JournalBalances,
    responses={**answers(_EXAMPLE), **problems(401, 403, 404, 503)},
    summary="Show the balances of a journal",
)
async def show(
    account: KnownAccount,
    caller: Allowed,
    options: Options,
    *,
    on: OnDay = None,
    known_at: KnownAt = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Balances of every account of the journal, by the last seal that was made by `known_at`.

    `on` goes by the day that something happened, whichever month it was booked into. Each
    reconciliation seals the journal; what was booked after the seal is counted as `later`.
    """
    async with transaction(options.engine) as connection:
        of = await account_of(connection, caller, account)
        seal = await balances.sealed(connection, of.id, known_at=known_at)
        if seal is None:
            by = f" by {known_at.isoformat()}" if known_at else ""
            raise Problem(404, "not-found", f"No run had sealed the journal of {account}{by}.")
        found = await balances.balances(connection, of.id, seal, on=on)
        later = await balances.waiting(connection, of.id, seal, on=on or date.max)
    answer = JournalBalances(
        account=account,
        on=on,
        seal=seal.number,
        sealed_at=seal.sealed_at,
        later=later,
        items=[
            JournalBalance(code=one.code, currency=one.currency, amount_minor=one.amount_minor)
            for one in found
        ],
    )
    return tagged(answer, if_none_match)
