"""Statement files of banks: taken in here, read by a worker, and what became of them."""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ConfigDict, Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from database.connection import transaction
from database.reconciliation import files, statement_withdrawal, statements
from database.reconciliation.files import Received
from database.reconciliation.statement_withdrawal import (
    CountsForNothing,
    OwnStatement,
)
from database.reconciliation.statements import OwnWithdrawal
from gateway import examples
from gateway.bodies import STATEMENT_TYPES
from gateway.callers import Allowed, Caller
from gateway.cursors import after, page_of
from gateway.etags import IfNoneMatch, tagged
from gateway.forms import ReasonForm
from gateway.openapi import answers, problem, problems
from gateway.options import GatewayOptions, Options
from gateway.parameters import Cursor, Limit
from gateway.problems import FieldError, Problem, not_found
from gateway.uploads import on_disk, received
from workflows.reconciliation.statements import (
    StatementFile,
    StatementFiles,
    StatementState,
    TakenStatement,
)

router = APIRouter(prefix="/v1/statements", tags=["statements"])

_ID = re.compile(r"[0-9a-f]{32}")
FileId = Annotated[str, Path(json_schema_extra={"pattern": "^[0-9a-f]{32}$"})]
_FILE: dict[str, Any] = {  # Any: OpenAPI's own
    "requestBody": {
        "required": True,
        "description": "The file itself.",
        "content": {
            type_: {"schema": {"type": "string", "format": "binary"}} for type_ in STATEMENT_TYPES
        },
    }
}
_TAKEN = TakenStatement(
    number=17,
    account="acme",
    bank_account="DE00EXAMPLE",
    currency="EUR",
    statement_id="S-1",
    sequence=1,
    format="camt.053",
    opening_on=examples.AT.date(),
    opening_minor=10_000,
    closing_on=examples.AT.date(),
    closing_minor=11_050,
    entries=1,
    proof="proven",
    difference_minor=0,
    state="counts",
    same_as=None,
    same_as_file=None,
    withdrawn_by=None,
    withdrawn_at=None,
    withdrawn_for=None,
)
_WITHDRAWN = _TAKEN.model_copy(
    update={
        "state": "withdrawn",
        "withdrawn_by": "finance",
        "withdrawn_at": examples.AT,
        "withdrawn_for": "the bank sent a corrected one",
    }
)
_WAITS = _TAKEN.model_copy(update={"state": "unknown_account"})
_READ = StatementFile(
    id="7d9f0c2b5e6a4f1c8b3d2a1e0f9c8b7a",
    state="read",
    sha256="0" * 64,
    size=1_234,
    bank_account=None,
    error=None,
    detail=None,
    position=None,
    received_by="finance",
    received_at=examples.AT,
    read_at=examples.AT,
    statements=[_TAKEN],
)
_RECEIVED = _READ.model_copy(update={"state": "received", "read_at": None, "statements": []})


_OWN_STATEMENT = "You sent a statement of its days: it takes somebody else, who sent none."
_OWN_WITHDRAWAL = "Nobody reinstates what they withdrew themselves: it takes somebody else."


class StatementWithdrawal(ReasonForm):
    """Why a statement is wrong, and which one, where the file has several."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the bank sent a corrected one"}]}
    )

    statement: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None


class StatementReinstatement(StatementWithdrawal):
    """Why a statement is not wrong after all, and which one, where the file has several."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the other one was meant"}]}
    )


@router.post(
    "",
    status_code=202,
    response_model=StatementFile,
    responses={
        **answers(_RECEIVED, status=202, description="Taken over, to be read"),
        **problems(400, 401, 403, 413, 415, 503),
    },
    openapi_extra=_FILE,
    summary="Send a statement file",
)
async def send(
    request: Request,
    caller: Allowed,
    options: Options,
    bank_account: Annotated[
        str | None,
        Query(
            max_length=64,
            description="Whose the statements are, where the file does not say, as some CSV.",
            pattern="^[!-~]+$",
        ),
    ] = None,
) -> Response:
    """Take over a statement file, whatever its format: CAMT.053, MT940, BAI2, OFX or CSV.

    It is read by a worker, within seconds: ask for it again to see what became of it. The same
    content gets the same answer again, with `Idempotent-Replayed: true`. Who withdrew a statement
    sends none of its days: the file is refused as `own_withdrawal`, until somebody else sends it.
    """
    async with received(request, options.statements) as part:
        file = Received(
            id=uuid.uuid4().hex,
            sha256=part.sha256,
            size=part.size,
            received_by=caller.name,
            tenant=caller.tenant,
            bank_account=bank_account,
        )
        async with transaction(options.engine) as connection:
            row, new = await files.receive(connection, file)
            if row["state"] == "received":
                async with on_disk():
                    await asyncio.to_thread(part.keep, row["id"])
            told = await _told(connection, row, caller)
    headers = {"Location": f"/v1/statements/{row['id']}"}
    if not new:
        headers["Idempotent-Replayed"] = "true"
    return Response(told.model_dump_json(), 202, headers, "application/json")


@router.get(
    "",
    response_model=StatementFiles,
    responses={**answers(StatementFiles(items=[_READ], next=None)), **problems(401, 403, 503)},
    summary="List statement files",
)
async def many(
    caller: Allowed,
    options: Options,
    state: Annotated[
        StatementState | None, Query(description="Only files with such a statement.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The latest files first, with their statements: `unknown_account` shows those that wait."""
    async with transaction(options.engine) as connection:
        rows = await files.many(
            connection,
            seer=caller.tenant,
            state=state,
            after=after(cursor, _ID),
            limit=limit + 1,
        )
        page, following = page_of(rows, limit, lambda row: [row["received_at"], row["id"]])
        found = StatementFiles(
            items=[await _told(connection, row, caller) for row in page], next=following
        )
    return tagged(found, if_none_match)


@router.get(
    "/{id}",
    response_model=StatementFile,
    responses={**answers(_READ), **problems(401, 403, 404, 503)},
    summary="Show a statement file",
)
async def one(
    id: FileId, caller: Allowed, options: Options, if_none_match: IfNoneMatch = None
) -> Response:
    """What became of a file, and of each statement in it."""
    async with transaction(options.engine) as connection:
        told = await _told(connection, await _seen(connection, id, caller), caller)
    return tagged(told, if_none_match)


@router.post(
    "/{id}/withdraw",
    response_model=StatementFile,
    responses={
        **answers(_READ.model_copy(update={"statements": [_WITHDRAWN]})),
        **problems(400, 401, 403, 404, 413, 415, 503),
        **problem(
            409,
            "`counts-for-nothing`: the statement is no evidence as it is; its `state` says why. "
            "`own-statement`: you sent another one that tells its days.",
            code="counts-for-nothing",
            detail="Statement 17 counts for nothing: its state says why.",
        ),
    },
    summary="Withdraw a statement",
)
async def withdraw(
    id: FileId, form: StatementWithdrawal, caller: Allowed, options: Options
) -> StatementFile:
    """Say that a statement is wrong: kept for good, with who and why. Twice is fine.

    It is no evidence any more, and its entries are out of cuts from the next run on; what was
    certified stays as it is. Where another one contradicts it, that one counts in its place. It
    takes somebody who sent no other statement of its days, and sends none later.
    """
    return await _judged(options, caller, id, form, statement_withdrawal.withdraw)


@router.post(
    "/{id}/reinstate",
    response_model=StatementFile,
    responses={
        **answers(_READ.model_copy(update={"state": "received", "statements": [_WAITS]})),
        **problems(400, 401, 403, 404, 413, 415, 503),
        **problem(
            409,
            "`own-withdrawal`: you withdrew it. `own-statement`: you sent it, or another one that "
            "tells its days.",
            code="own-withdrawal",
            detail=_OWN_WITHDRAWAL,
        ),
    },
    summary="Reinstate a statement",
)
async def reinstate(
    id: FileId, form: StatementReinstatement, caller: Allowed, options: Options
) -> StatementFile:
    """Say that a statement was withdrawn by mistake: it takes somebody else than who did that.

    And somebody who sent neither it nor another one of its days.
    Its file is read again, and what the statement counts for is decided anew, as if it came for the
    first time. One that is not withdrawn is left as it is: twice is fine.
    """
    return await _judged(options, caller, id, form, statement_withdrawal.reinstate)


async def _judged(
    options: GatewayOptions,
    caller: Caller,
    file: str,
    form: StatementWithdrawal,
    judge: Callable[..., Awaitable[None]],
) -> StatementFile:
    """Withdraw or reinstate a statement of a file. Raises Problem."""
    async with transaction(options.engine) as connection:
        await _seen(connection, file, caller)
        number = await _number(connection, file, caller, form.statement)
        try:
            await judge(connection, file, number, by=caller.name, reason=form.reason)
        except CountsForNothing:
            told = f"Statement {number} counts for nothing: its state says why."
            raise Problem(409, "counts-for-nothing", told) from None
        except OwnStatement:
            raise Problem(409, "own-statement", _OWN_STATEMENT) from None
        except OwnWithdrawal:
            raise Problem(409, "own-withdrawal", _OWN_WITHDRAWAL) from None
        return await _told(connection, await _seen(connection, file, caller), caller)


async def _seen(connection: AsyncConnection, file: str, caller: Caller) -> RowMapping:
    """A file that is there for the caller. Raises Problem (404)."""
    row = await files.one(connection, file, seer=caller.tenant)
    if row is None:
        raise not_found("statement file")
    return row


async def _number(connection: AsyncConnection, file: str, caller: Caller, asked: int | None) -> int:
    """The number of a file's statement: that which was asked for, else the only one.

    Raises Problem (422) where the caller sees no such statement, or not just one.
    """
    of = await statements.of_file(connection, file, seer=caller.tenant)
    numbers = [int(one["number"]) for one in of]
    if asked is None and len(numbers) != 1:
        raise _which(f"must name one of this file's {len(numbers)} statements, by its `number`")
    if asked is not None and asked not in numbers:
        raise _which("is none of this file's")
    return asked or numbers[0]


def _which(message: str) -> Problem:
    wrong = FieldError(field="statement", message=message)
    return Problem(422, "invalid", "1 field cannot be used.", errors=[wrong])


async def _told(connection: AsyncConnection, row: RowMapping, caller: Caller) -> StatementFile:
    """What became of a file, with the statements that are the caller's to see.

    Who sent it is nobody's concern where that was another tenant.
    """
    taken = await statements.of_file(connection, row["id"], seer=caller.tenant)
    theirs = row["tenant"] is not None and not caller.may_see(row["tenant"])
    told = {**row, "statements": [dict(one) for one in taken]}
    return StatementFile.model_validate(told | ({"received_by": None} if theirs else {}))
