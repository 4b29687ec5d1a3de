"""Certificates: as the file that was kept, as a page to print, as a list of breaks."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from database.connection import transaction
from database.reconciliation import certificates, reports
from database.reconciliation.reports import Format
from gateway.callers import Allowed
from gateway.etags import IfNoneMatch, has
from gateway.openapi import answers, problems
from gateway.options import Options
from gateway.problems import not_found
from workflows.reconciliation.answers import Verification

router = APIRouter(prefix="/v1/certificates", tags=["reconciliations"])

_ID = re.compile(r"[0-9a-f]{64}")
_EXAMPLE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
}
_PAGE = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""The page brings a stricter one of its own; this one lets its style in."""


def known_id(
    id: Annotated[str, Path(json_schema_extra={"pattern": f"^{_ID.pattern}$"})],
) -> str:
    """An id that a certificate may have. Raises Problem (404)."""
    if not _ID.fullmatch(id):
        raise not_found("certificate")
    return id


KnownCertificate = Annotated[str, Depends(known_id)]


@router.get(
    "/{id}",
    response_class=Response,
    responses={
        200: {
            "description": "The certificate as it was kept; its id is the SHA-256 of the JSON",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "text/csv": {"schema": {"type": "string"}},
                "text/html": {"schema": {"type": "string"}},
            },
        },
        **problems(401, 403, 404, 503),
    },
    summary="Show a certificate",
)
async def one(
    id: KnownCertificate,
    caller: Allowed,
    options: Options,
    *,
    format: Annotated[
        Format, Query(description="The file, its open breaks as CSV, or a page to print.")
    ] = "json",
    if_none_match: IfNoneMatch = None,
) -> Response:
    """A certificate never changes: a later one of the same day supersedes it and names it."""
    tag = f'"{id[:16]}-{format}"'
    async with transaction(options.engine) as connection:
        found = await reports.one(connection, id, format, tenant=caller.tenant)
    if found is None:
        raise not_found("certificate")
    headers = {"ETag": tag}
    if format == "html":
        headers["Content-Security-Policy"] = _PAGE
    if has(if_none_match, tag):
        return Response(status_code=304, headers=headers)
    return Response(found, media_type=_TYPES[format], headers=headers)


@router.get(
    "/{id}/verification",
    response_model=Verification,
    responses={
        **answers(Verification(id=_EXAMPLE, holds=True, differences=())),
        **problems(401, 403, 404, 503),
    },
    summary="Verify a certificate",
)
async def verify(id: KnownCertificate, caller: Allowed, options: Options) -> Verification:
    """Make it anew from the cut that is stored and from what was matched then, and compare."""
    async with transaction(options.engine) as connection:
        if await reports.one(connection, id, "json", tenant=caller.tenant) is None:
            raise not_found("certificate")
        found = await certificates.verify(connection, id)
    return Verification(id=id, holds=not found.differences, differences=found.differences)
