"""How an onboarding stands in its applicant's words: what is asked of them, and until when.

Nothing here says what we look into, who looks, or why the answer is what it is.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field
from sqlalchemy import RowMapping

from database import onboardings
from database.connection import transaction
from gateway import examples
from gateway.applicants import About
from gateway.callers import Allowed, Caller
from gateway.etags import IfNoneMatch, tagged
from gateway.forms import Form
from gateway.onboardings import KnownId
from gateway.openapi import answers, problems
from gateway.options import GatewayOptions, Options
from gateway.problems import not_found
from gateway.progress import progress_of
from workflows.onboarding.application import (
    ApplicantStatus,
    Asked,
    Standing,
    StatusToken,
    Task,
)
from workflows.onboarding.messages import ENDS

router = APIRouter(prefix="/v1/onboardings", tags=["applicants"])

_LONGEST_DAYS = 30
_ASKED: Mapping[str, Task] = {
    "verifying_email": "confirm_email",
    "verifying_identity": "prove_identity",
    "awaiting_documents": "send_documents",
}
"""What is asked of an applicant, by the stage that waits for it."""

_WORDS: Mapping[str, str] = {
    "confirm_email": "Please confirm your e-mail address: open the link in the mail that we sent.",
    "prove_identity": "Please prove who you are.",
    "send_documents": "Please send the documents that we asked for.",
    "active": "You are our customer. Welcome.",
    "rejected": "We cannot accept your application.",
    "withdrawn": "The application was withdrawn.",
    "expired": "The application has expired: you may apply again.",
    "aborted": "The application could not be completed. You may apply again.",
}
_WE_LOOK = "We are looking at your application. There is nothing for you to do."
_ENDS: Mapping[str, Standing] = {"active": "accepted", "rejected": "declined"}


class StatusTokenForm(Form):
    """For how long a token is to hold."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"days": 7}]})

    days: Annotated[int, Field(ge=1, le=_LONGEST_DAYS, strict=True)] = 7


_TOKEN = StatusToken(
    token=f"apl.example.{examples.ID}.1770456600.{'a' * 52}", until=examples.AT + timedelta(days=7)
)
_EXAMPLE = ApplicantStatus(
    id=examples.ID,
    standing="your_turn",
    text=_WORDS["prove_identity"],
    asked=Asked(
        task="prove_identity",
        where="https://verify.stripe.com/start/test_1",
        until=examples.AT + timedelta(days=14),
    ),
    adverse_actions=(),
    appeal_until=None,
)


@router.post(
    "/{id}/status-token",
    status_code=201,
    response_model=StatusToken,
    responses={
        **answers(_TOKEN, status=201, description="Made; nothing of it is kept"),
        **problems(400, 401, 403, 404, 413, 415, 503),
    },
    summary="Make a token for an applicant",
)
async def make_token(
    form: StatusTokenForm, id: KnownId, caller: Allowed, options: Options
) -> StatusToken:
    """Make a token with which the applicant sees how their onboarding stands, and nothing else.

    Give it to them after they signed in with you, or in a link of yours. They send it as
    `Authorization: Bearer …`. It cannot be taken back, so make it for a few days, and make another
    when it is over.
    """
    row = await _theirs(options, caller, id)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=form.days)
    about = About(row["tenant"], id, int(until.timestamp()))
    return StatusToken(token=options.applicants.token(about), until=until)


@router.get(
    "/{id}/status",
    response_model=ApplicantStatus,
    responses={**answers(_EXAMPLE), **problems(401, 403, 404, 503)},
    summary="Show an applicant how it stands",
)
async def status(
    id: KnownId, caller: Allowed, options: Options, if_none_match: IfNoneMatch = None
) -> Response:
    """How an onboarding stands, in words for the applicant: what is asked of them, until when."""
    row = await _theirs(options, caller, id)
    return tagged(await _told(options, row), if_none_match)


async def _theirs(options: GatewayOptions, caller: Caller, id_: str) -> RowMapping:
    """An onboarding that the caller may know of. Raises Problem (404)."""
    async with transaction(options.engine) as connection:
        row = await onboardings.one(connection, id_, tenant=caller.tenant)
    if row is None:
        raise not_found("onboarding")
    return row


async def _told(options: GatewayOptions, row: RowMapping) -> ApplicantStatus:
    stage = row["stage"]
    asked = await _asked(options, row)
    standing: Standing = "your_turn" if asked else "in_progress"
    if stage in ENDS:
        standing = _ENDS.get(stage, "ended")
    return ApplicantStatus(
        id=row["id"],
        standing=standing,
        text=_WORDS.get(asked.task if asked else stage, _WE_LOOK),
        asked=asked,
        adverse_actions=tuple(row["adverse_actions"] or ()),
        appeal_until=row["appeal_until"],
    )


async def _asked(options: GatewayOptions, row: RowMapping) -> Asked | None:
    """What the applicant is to do. While a step of ours is under way it is nothing."""
    task = _ASKED.get(row["stage"])
    if task is None:
        return None
    progress = await progress_of(options.client, row["workflow_id"])
    waiting = progress.waiting if progress else None
    if progress and (waiting is None or waiting.who != "the applicant"):
        return None
    return Asked(
        task=task,
        where=_where(task, row),
        until=waiting.until if waiting else None,
    )


def _where(task: Task, row: RowMapping) -> str | None:
    match task:
        case "confirm_email":
            return None  # the link is in their mail, and nowhere else
        case "prove_identity":
            return str(row["identity_link"]) if row["identity_link"] else None
        case "send_documents":
            return f"/v1/onboardings/{row['id']}/documents"
