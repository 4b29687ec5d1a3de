"""Where reviewers find out who applicants are: sessions that wait for them, and what they say."""

import re
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy import RowMapping

from database import identity_sessions
from database.connection import transaction
from database.identity_sessions import Verdict
from gateway import examples
from gateway.callers import Allowed, AskedTenant, Caller, must_be_impartial, tenant_to_see
from gateway.cursors import after, page_of
from gateway.etags import IfNoneMatch, tagged
from gateway.forms import FindingForm
from gateway.openapi import answers, problem, problems
from gateway.options import GatewayOptions, Options
from gateway.parameters import Cursor, Limit
from gateway.problems import Problem, not_found
from workflows.onboarding.application import Answer

router = APIRouter(prefix="/v1/identity-sessions", tags=["identity"])

SessionState = Literal["open", "verified", "failed", "closed"]
_ID = re.compile(r"[a-z0-9_]{1,64}")
SessionId = Annotated[str, Path(pattern=f"^{_ID.pattern}$")]
_DECIDED = "The session is failed: it is decided about once."


class ToLookAt(Answer):
    """Whom an application names: what is to be compared with the documents and the person."""

    kind: Literal["person", "company"]
    name: str
    country: str
    date_of_birth: str | None = None


class IdentitySession(Answer):
    """A session that waits for a reviewer, or that one decided.

    `onboarding` and `version` are the application that `applicant` is from, as it is now.
    """

    id: str
    onboarding: str
    version: int
    tenant: str
    state: SessionState
    applicant: ToLookAt
    opened_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None


class IdentitySessionPage(Answer):
    """Sessions, those that wait longest first; `next` is the cursor of the page after."""

    items: list[IdentitySession]
    next: str | None


class Decided(Answer):
    """A session, and how it stands now."""

    id: str
    state: SessionState


_EXAMPLE = IdentitySession(
    id="ids_0a1b2c3d4e5f60718293a4b5",
    onboarding=examples.ID,
    version=1,
    tenant="example",
    state="open",
    applicant=ToLookAt(kind="person", name="Žofie Nováková", country="AT"),
    opened_at=examples.AT,
    decided_by=None,
    decided_at=None,
    reason=None,
)
_DECIDING = {
    **problems(400, 401, 403, 404, 413, 415, 503),
    **problem(
        409, "`decided-already`: nothing is changed.", code="decided-already", detail=_DECIDED
    ),
}


@router.get(
    "",
    response_model=IdentitySessionPage,
    responses={
        **answers(IdentitySessionPage(items=[_EXAMPLE], next=None)),
        **problems(401, 403, 503),
    },
    summary="List identity sessions",
)
async def many(
    caller: Allowed,
    options: Options,
    asked_tenant: AskedTenant = None,
    open: Annotated[
        bool | None, Query(description="Those that wait for a reviewer, or only the others.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Sessions that reviewers decide, those that wait longest first."""
    async with transaction(options.engine) as connection:
        rows = await identity_sessions.many(
            connection,
            tenant=tenant_to_see(caller, asked_tenant),
            open_=open,
            after=after(cursor, _ID),
            limit=limit + 1,
        )
    page, following = page_of(rows, limit, lambda row: [row["opened_at"], row["id"]])
    answer = IdentitySessionPage(items=[_session(row) for row in page], next=following)
    return tagged(answer, if_none_match)


@router.get(
    "/{session}",
    response_model=IdentitySession,
    responses={**answers(_EXAMPLE), **problems(401, 403, 404, 503)},
    summary="Show an identity session",
)
async def one(
    session: SessionId, caller: Allowed, options: Options, if_none_match: IfNoneMatch = None
) -> Response:
    """What is to be looked at, and what was decided."""
    return tagged(_session(await _theirs(options, caller, session)), if_none_match)


@router.post(
    "/{session}/verified",
    response_model=Decided,
    responses={**answers(Decided(id=_EXAMPLE.id, state="verified")), **_DECIDING},
    summary="Say that an applicant is who they say",
)
async def verified(
    session: SessionId, form: FindingForm, caller: Allowed, options: Options
) -> Decided:
    """The applicant proved who they are; the onboarding goes on. Asking twice is fine."""
    return await _decide(options, caller, session, "verified", form.reason)


@router.post(
    "/{session}/failed",
    response_model=Decided,
    responses={**answers(Decided(id=_EXAMPLE.id, state="failed")), **_DECIDING},
    summary="Say that an applicant did not prove who they are",
)
async def failed(
    session: SessionId, form: FindingForm, caller: Allowed, options: Options
) -> Decided:
    """For good: whoever may still try again is not decided about yet. Asking twice is fine."""
    return await _decide(options, caller, session, "failed", form.reason)


async def _decide(
    options: GatewayOptions, caller: Caller, session: str, verdict: Verdict, reason: str
) -> Decided:
    must_be_impartial(caller, (await _theirs(options, caller, session))["form"])
    async with transaction(options.engine) as connection:
        decided = await identity_sessions.decide(
            connection, session, verdict, by=caller.name, reason=reason
        )
    if decided:
        options.news.set()
    else:
        state = (await _theirs(options, caller, session))["state"]
        if state != verdict:
            told = f"The session is {state}: it is decided about once."
            raise Problem(409, "decided-already", told)
    return Decided(id=session, state=verdict)


async def _theirs(options: GatewayOptions, caller: Caller, session: str) -> RowMapping:
    async with transaction(options.engine) as connection:
        row = await identity_sessions.one(connection, session, tenant=caller.tenant)
    if row is None:
        raise not_found("identity session")
    return row


def _session(row: RowMapping) -> IdentitySession:
    told = {**row, "onboarding": row["reference"], "applicant": row["form"]}
    return IdentitySession.model_validate(told)
