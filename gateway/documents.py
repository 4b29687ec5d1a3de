"""Documents that onboardings ask for: taken in here, found again, read and judged."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import RowMapping

from database import documents, onboardings
from database.audit import record
from database.connection import transaction
from database.documents import Enough, NotAskedFor, NotDated, Upload
from database.spool import Part
from gateway import examples
from gateway.bodies import DOCUMENT_TYPES
from gateway.callers import Allowed, Caller, must_be_impartial
from gateway.decisions import Ended, NoProcess, send
from gateway.etags import IfNoneMatch, has, tagged
from gateway.forms import AcceptanceForm, RefusalForm
from gateway.onboardings import KnownId
from gateway.openapi import answers, problem, problems
from gateway.options import GatewayOptions, Options
from gateway.problems import FieldError, Problem, not_found
from gateway.uploads import media_type, on_disk, received
from workflows.actor import SignedActor
from workflows.decisions import Taken
from workflows.onboarding.application import DeliveredDocument, DocumentList
from workflows.onboarding.life import life_of
from workflows.onboarding.messages import DocumentJudgement
from workflows.onboarding.rules import DocumentKind

router = APIRouter(prefix="/v1/onboardings/{id}/documents", tags=["documents"])

DocumentId = Annotated[str, Path(json_schema_extra={"pattern": "^[0-9a-f]{32}$"})]

_NOT_ASKED_FOR = (
    "The onboarding does not wait for a document of this kind: GET …/documents says which kinds "
    "are missing."
)
_FILE: dict[str, Any] = {  # Any: OpenAPI's own
    "requestBody": {
        "required": True,
        "description": "The file itself.",
        "content": {
            type_: {"schema": {"type": "string", "format": "binary"}} for type_ in DOCUMENT_TYPES
        },
    }
}


@router.post(
    "",
    status_code=201,
    response_model=DeliveredDocument,
    responses={
        **answers(examples.DOCUMENT, status=201, description="Taken in, for good"),
        **problems(400, 401, 403, 404, 413, 415, 503),
        **problem(
            409,
            "`not-asked-for`, `enough`, or `refused-before`: nothing is taken in.",
            code="not-asked-for",
            detail=_NOT_ASKED_FOR,
        ),
    },
    openapi_extra=_FILE,
    summary="Deliver a document",
)
async def deliver(
    id: KnownId,
    request: Request,
    caller: Allowed,
    options: Options,
    kind: Annotated[DocumentKind, Query(description="What was asked for.")],
    valid_until: Annotated[
        date | None,
        Query(description="The last day on which it is valid, where it has one: later than today."),
    ] = None,
) -> Response:
    """Take in a document: the file itself is the body, PDF, PNG or JPEG.

    The same content of the same kind gets the same answer again, with `Idempotent-Replayed: true`.
    What was answered with 201 is not lost. The name of the file is not wanted.
    `valid_until` is needed of the kinds that the policy names (422).
    """
    if valid_until is not None and valid_until <= datetime.now(UTC).date():
        raise _bad_day("is to be later than today")
    async with transaction(options.engine) as connection:
        if await onboardings.one(connection, id, tenant=caller.tenant) is None:
            raise not_found("onboarding")
        try:
            await documents.must_be_asked_for(connection, id, kind, valid_until)
        except NotAskedFor:
            raise _not_asked_for() from None
        except NotDated:
            raise _bad_day("is missing: say until when it is valid") from None
    async with received(request, options.spool) as part:
        upload = Upload(
            onboarding_id=id,
            kind=kind,
            sha256=part.sha256,
            size=part.size,
            media_type=media_type(part),
            uploaded_by=caller.name,
            valid_until=valid_until,
        )
        row, new = await _take_in(options, upload, part)
    options.news.set()
    headers = {"Location": f"/v1/onboardings/{id}/documents/{row['id']}"}
    if not new:
        headers["Idempotent-Replayed"] = "true"
    return Response(_shown(row).model_dump_json(), 201, headers, "application/json")


async def _take_in(options: GatewayOptions, upload: Upload, part: Part) -> tuple[RowMapping, bool]:
    """Have the document in its place, and its row; in this order. Raises Problem."""
    try:
        async with transaction(options.engine) as connection:
            row, new = await documents.take_in(connection, upload)
            if row["state"] == "refused":
                raise Problem(
                    409,
                    "refused-before",
                    "This very document was refused: deliver another.",
                )
            if row["state"] == "received":
                async with on_disk():
                    await asyncio.to_thread(part.keep, row["id"])
            return row, new
    except NotAskedFor:
        raise _not_asked_for() from None
    except Enough:
        raise Problem(
            409, "enough", "There are as many documents of this kind as are taken in."
        ) from None


def _bad_day(message: str) -> Problem:
    errors = [FieldError(field="valid_until", message=message)]
    return Problem(422, "invalid", "1 field cannot be used.", errors=errors)


def _not_asked_for() -> Problem:
    return Problem(409, "not-asked-for", _NOT_ASKED_FOR)


@router.get(
    "",
    response_model=DocumentList,
    responses={**answers(examples.DOCUMENTS), **problems(401, 403, 404, 503)},
    summary="List the documents of an onboarding",
)
async def many(
    id: KnownId, caller: Allowed, options: Options, if_none_match: IfNoneMatch = None
) -> Response:
    """What came in, the oldest first, and which kinds are still missing."""
    async with transaction(options.engine) as connection:
        if await onboardings.one(connection, id, tenant=caller.tenant) is None:
            raise not_found("onboarding")
        rows = await documents.many(connection, id)
        asked = await documents.asked(connection, id)
    here = {
        (row["kind"], row["round"])
        for row in rows
        if row["state"] in ("received", "stored", "accepted")
    }
    missing = [
        one["kind"] for one in asked if one["waits"] and (one["kind"], one["round"]) not in here
    ]
    answer = DocumentList(missing=missing, items=[_shown(row) for row in rows])
    return tagged(answer, if_none_match)


@router.get(
    "/{document}",
    response_model=DeliveredDocument,
    responses={**answers(examples.DOCUMENT), **problems(401, 403, 404, 503)},
    summary="Show a document",
)
async def one(
    id: KnownId,
    document: DocumentId,
    caller: Allowed,
    options: Options,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """What is known of a document, without its content."""
    return tagged(_shown(await _seen(options, caller, id, document)), if_none_match)


@router.get(
    "/{document}/content",
    response_class=Response,
    responses={
        200: {
            "description": "The file, to be saved: never shown within a page",
            "content": {
                type_: {"schema": {"type": "string", "format": "binary"}}
                for type_ in DOCUMENT_TYPES
            },
        },
        **problems(401, 403, 404, 503),
        **problem(
            409,
            "`not-stored`: it is on its way to the archive, or gone.",
            code="not-stored",
            detail="The archive has no such document: it is gone.",
        ),
    },
    summary="Read a document",
)
async def content(
    id: KnownId,
    document: DocumentId,
    caller: Allowed,
    options: Options,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The content of a document. Who read it is kept in the audit trail."""
    row = await _seen(options, caller, id, document)
    if row["state"] in ("received", "gone"):
        raise Problem(409, "not-stored", f"The archive has no such document: it is {row['state']}.")
    tag = f'"{row["sha256"]}"'
    if has(if_none_match, tag):
        return Response(status_code=304, headers={"ETag": tag})
    pieces = options.read_document(id, row["sha256"])
    first = await anext(pieces, b"")  # what fails, fails before anything is answered
    async with transaction(options.engine) as connection:
        await record(
            connection,
            "document.read",
            caller.name,
            workflow_id=row["workflow_id"],
            details={"id": document},
        )
    ending = row["media_type"].rpartition("/")[2]
    headers = {
        "Content-Disposition": f'attachment; filename="{row["kind"]}-{document}.{ending}"',
        "Content-Length": str(row["size"]),
        "ETag": tag,
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(_after(first, pieces), 200, headers, row["media_type"])


async def _after(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece


_JUDGED = {
    **answers(examples.TAKEN, status=202, description="Accepted"),
    **problems(400, 401, 403, 404, 413, 415, 503),
    **problem(
        409,
        "`not-to-judge`, or `too-late`.",
        code="not-to-judge",
        detail="There is nothing to judge: the document is judged already, or no longer needed.",
    ),
}


@router.post(
    "/{document}/refusal",
    status_code=202,
    response_model=Taken,
    responses=_JUDGED,
    summary="Refuse a document",
)
async def refuse(
    id: KnownId, document: DocumentId, form: RefusalForm, caller: Allowed, options: Options
) -> Taken:
    """Find that a document is not what was asked for: the applicant is asked again, so often."""

    def judgement(by: SignedActor) -> DocumentJudgement:
        return DocumentJudgement(
            reason=form.reason, by=by, document_id=document, verdict="refused", code=form.code
        )

    return await _judge(options, caller, await _to_judge(options, caller, id, document), judgement)


@router.post(
    "/{document}/acceptance",
    status_code=202,
    response_model=Taken,
    responses=_JUDGED,
    summary="Accept a document",
)
async def accept(
    id: KnownId, document: DocumentId, form: AcceptanceForm, caller: Allowed, options: Options
) -> Taken:
    """Find that a document is what was asked for, and perhaps until when it is valid."""
    if form.valid_until is not None and form.valid_until <= datetime.now(UTC).date():
        raise _bad_day("is to be later than today: refuse what is out of date")

    def judgement(by: SignedActor) -> DocumentJudgement:
        return DocumentJudgement(
            reason=form.reason,
            by=by,
            document_id=document,
            verdict="accepted",
            valid_until=form.valid_until,
        )

    return await _judge(options, caller, await _to_judge(options, caller, id, document), judgement)


async def _judge(
    options: GatewayOptions,
    caller: Caller,
    row: RowMapping,
    judgement: Callable[[SignedActor], DocumentJudgement],
) -> Taken:
    process = row["workflow_id"]
    if row["stage"] == "active":  # the onboarding has ended: it is for who watches over them
        process = life_of(process)
    signed = options.signer.sign(
        judgement, workflow_id=process, update="judge_document", by=caller.actor
    )
    try:
        return await send(options.client, process, "judge_document", signed)
    except NoProcess:
        if process != row["workflow_id"]:  # nobody watches over whom that onboarding made
            raise Problem(409, "too-late", "The onboarding has ended: it is active.") from None
        raise not_found("process") from None
    except Ended as ended:
        raise Problem(409, "too-late", f"The onboarding has ended: {ended.how}.") from None


async def _to_judge(options: GatewayOptions, caller: Caller, id_: str, document: str) -> RowMapping:
    """The row of a document that this caller may judge. Raises Problem (403 or 404)."""
    row = await _seen(options, caller, id_, document)
    async with transaction(options.engine) as connection:
        onboarding = await onboardings.one(connection, id_, tenant=caller.tenant)
    if onboarding is not None:
        must_be_impartial(caller, onboarding["form"])
    return row


async def _seen(options: GatewayOptions, caller: Caller, id_: str, document: str) -> RowMapping:
    """The row of a document that this caller may know of. Raises Problem (404)."""
    async with transaction(options.engine) as connection:
        row = await documents.one(connection, document)
    if row is None or row["onboarding_id"] != id_ or not caller.may_see(row["tenant"]):
        raise not_found("document")
    return row


def _shown(row: RowMapping) -> DeliveredDocument:
    return DeliveredDocument.model_validate(dict(row))
