"""Statement files of banks: taken in here, read by a worker, and what became of them."""

import asyncio
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from database.connection import transaction
from database.reconciliation import files, statements
from database.reconciliation.files import Received
from gateway import examples
from gateway.bodies import STATEMENT_TYPES
from gateway.callers import Allowed
from gateway.etags import IfNoneMatch, tagged
from gateway.openapi import answers, problems
from gateway.options import Options
from gateway.parameters import Limit
from gateway.problems import not_found
from gateway.uploads import on_disk, received
from workflows.reconciliation.statements import (
    StatementFile,
    StatementFiles,
    StatementState,
    TakenStatement,
)

router = APIRouter(prefix="/v1/statements", tags=["statements"])

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
)
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
    content gets the same answer again, with `Idempotent-Replayed: true`.
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
            told = await _told(connection, row)
    headers = {"Location": f"/v1/statements/{row['id']}"}
    if not new:
        headers["Idempotent-Replayed"] = "true"
    return Response(told.model_dump_json(), 202, headers, "application/json")


@router.get(
    "",
    response_model=StatementFiles,
    responses={**answers(StatementFiles(items=[_READ])), **problems(401, 403, 503)},
    summary="List statement files",
)
async def many(
    caller: Allowed,
    options: Options,
    state: Annotated[
        StatementState | None, Query(description="Only files with such a statement.")
    ] = None,
    limit: Limit = 20,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The latest files first, with their statements: `unknown_account` shows those that wait."""
    async with transaction(options.engine) as connection:
        rows = await files.many(connection, tenant=caller.tenant, state=state, limit=limit)
        found = StatementFiles(items=[await _told(connection, row) for row in rows])
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
        row = await files.one(connection, id)
        if row is None or not caller.may_see(row["tenant"]):
            raise not_found("statement file")
        told = await _told(connection, row)
    return tagged(told, if_none_match)


async def _told(connection: AsyncConnection, row: RowMapping) -> StatementFile:
    taken = await statements.of_file(connection, row["id"])
    return StatementFile.model_validate({**row, "statements": [dict(one) for one in taken]})
