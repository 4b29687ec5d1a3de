"""The request ledger, for operators: what was intended, and what became of it."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from sqlalchemy import RowMapping

from database import reopening
from database.connection import transaction
from gateway import examples
from gateway.callers import Allowed, Caller
from gateway.cursors import after, page_of
from gateway.etags import IfMatch, IfNoneMatch, changed_meanwhile, tagged
from gateway.forms import ReopenForm
from gateway.openapi import answers, problems
from gateway.options import GatewayOptions, Options
from gateway.parameters import Cursor, Limit
from gateway.problems import Problem, not_found
from gateway.processes import tenant_of_process
from workflows.onboarding.application import Answer

router = APIRouter(prefix="/v1/requests", tags=["requests"])

_KEY = re.compile(r"[!-~]{1,400}")
Key = Annotated[str, Query(pattern=f"^{_KEY.pattern}$")]


class LedgerEntry(Answer):
    """One intended effect. Any: input and result are each step's own; they hold ids only."""

    key: str
    workflow_id: str
    step: str
    state: Literal["pending", "succeeded", "refused", "undone"]
    generation: int
    input: dict[str, Any] | None
    result: dict[str, Any] | None
    refusal: dict[str, Any] | None
    lease_until: datetime | None
    first_sent_at: datetime | None
    created_at: datetime
    settled_at: datetime | None


class LedgerPage(Answer):
    """The requests of one process, in the order in which they were made.

    `next` is the cursor of the page after, empty at the end.
    """

    items: list[LedgerEntry]
    next: str | None


class Reopened(Answer):
    """A request that will be carried out again when its process asks for it the next time."""

    key: str
    generation: int


_EXAMPLE = LedgerEntry(
    key=f"{examples.PROCESS}/billing.create_customer",
    workflow_id=examples.PROCESS,
    step="billing.create_customer",
    state="succeeded",
    generation=1,
    input={"application_id": examples.ID, "version": 1},
    result={"customer_id": "cus_1"},
    refusal=None,
    lease_until=None,
    first_sent_at=examples.AT,
    created_at=examples.AT,
    settled_at=examples.AT,
)


@router.get(
    "",
    response_model=LedgerPage,
    responses={**answers(LedgerPage(items=[_EXAMPLE], next=None)), **problems(401, 403, 404, 503)},
    summary="List the requests of a process",
)
async def of_process(
    caller: Allowed,
    options: Options,
    workflow_id: Annotated[str, Query(pattern=r"^[!-~]{1,200}$")],
    cursor: Cursor = None,
    limit: Limit = 50,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """What a process had done, or tried to."""
    if not caller.may_see(await tenant_of_process(options.engine, workflow_id)):
        raise not_found("process")
    async with transaction(options.engine) as connection:
        rows = await reopening.of_process(
            connection, workflow_id, after=after(cursor, _KEY), limit=limit + 1
        )
    page, following = page_of(rows, limit, lambda row: [row["created_at"], row["key"]])
    answer = LedgerPage(items=[_entry(row) for row in page], next=following)
    return tagged(answer, if_none_match)


@router.get(
    "/show",
    response_model=LedgerEntry,
    responses={**answers(_EXAMPLE), **problems(401, 403, 404, 503)},
    summary="Show a request",
)
async def show(
    caller: Allowed, options: Options, key: Key, if_none_match: IfNoneMatch = None
) -> Response:
    """One request by its key."""
    async with transaction(options.engine) as connection:
        row = await _seen(options, caller, await reopening.show(connection, key))
    return tagged(_entry(row), if_none_match, number=row["generation"])


@router.post(
    "/reopen",
    response_model=Reopened,
    responses={
        **answers(Reopened(key=_EXAMPLE.key, generation=2)),
        **problems(400, 401, 403, 404, 409, 412, 413, 415, 428, 503),
    },
    summary="Have a request carried out again",
)
async def reopen(
    form: ReopenForm, caller: Allowed, options: Options, expected: IfMatch
) -> Reopened:
    """Have an effect done again on purpose, audited.

    The process must ask for it again: retry its parked step, or reset the run to before it.
    `If-Match` says which generation you looked at: two people who want the same do it once.
    """
    async with transaction(options.engine) as connection:
        row = await _seen(options, caller, await reopening.show(connection, form.key))
        expected.meets(row["generation"], "generation")
        try:
            generation = await reopening.reopen(
                connection,
                form.key,
                row["generation"],
                actor=caller.name,
                reason=form.reason,
            )
        except reopening.OtherGeneration:
            raise changed_meanwhile("generation") from None
        except reopening.NotReopened:
            raise Problem(
                409, "still-pending", "The request is pending: it will be carried out anyway."
            ) from None
    return Reopened(key=form.key, generation=generation)


async def _seen(options: GatewayOptions, caller: Caller, row: RowMapping | None) -> RowMapping:
    if row is None:
        raise not_found("request")
    if not caller.may_see(await tenant_of_process(options.engine, row["workflow_id"])):
        raise not_found("request")
    return row


def _entry(row: RowMapping) -> LedgerEntry:
    return LedgerEntry.model_validate(dict(row))
