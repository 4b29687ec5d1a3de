"""Onboardings that may be of one applicant: reviewers see them, and say how they are related."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response

from database import duplicates, onboardings, reviews
from database.connection import transaction
from gateway import examples
from gateway.callers import Caller, Reviewer, ReviewerOrAdmin
from gateway.decisions import Ended, NoProcess, send
from gateway.etags import IfMatch, IfNoneMatch, tagged
from gateway.forms import RelationForm
from gateway.onboardings import KnownId
from gateway.openapi import answers, problem, problems
from gateway.options import GatewayOptions, Options
from gateway.problems import Problem, not_found
from workflows.actor import SignedActor
from workflows.decisions import Taken
from workflows.onboarding.application import Answer
from workflows.onboarding.duplicates import Link, Merge

router = APIRouter(prefix="/v1/onboardings/{id}/duplicates", tags=["duplicates"])

OtherId = Annotated[str, Path(pattern=r"^[a-z2-7]{26}$")]
_NOT_REVIEWED = "Nobody reviews the onboarding now: there is nothing to decide."


class Duplicate(Answer):
    """Another onboarding that may be of the same applicant, and in what they are alike.

    `relation` is empty until a reviewer has said it.
    """

    other: str
    stage: str
    alike: tuple[Literal["e_mail", "name_and_birth", "tax_id", "name"], ...]
    found_at: datetime
    relation: Literal["merge", "link"] | None


class Duplicates(Answer):
    """Every onboarding that may be of the same applicant, in the order in which they were found."""

    duplicates: list[Duplicate]


_EXAMPLE = Duplicate(
    other="nfxgk3tfojqxi2lpnzqwy3dzme",
    stage="active",
    alike=("e_mail", "name"),
    found_at=examples.AT,
    relation=None,
)


@router.get(
    "",
    response_model=Duplicates,
    responses={**answers(Duplicates(duplicates=[_EXAMPLE])), **problems(401, 403, 404, 503)},
    summary="Show who may be the same applicant",
)
async def show(
    id: KnownId, caller: ReviewerOrAdmin, options: Options, if_none_match: IfNoneMatch = None
) -> Response:
    """Other onboardings of the tenant that may be of the same applicant."""
    await _version_of(options, caller, id)
    async with transaction(options.engine) as connection:
        rows = await duplicates.of_onboarding(connection, id)
    answer = Duplicates(duplicates=[Duplicate.model_validate(dict(row)) for row in rows])
    return tagged(answer, if_none_match)


@router.post(
    "/{other}",
    status_code=202,
    response_model=Taken,
    responses={
        **answers(examples.TAKEN, status=202, description="Accepted"),
        **problems(400, 401, 403, 404, 412, 413, 415, 428, 503),
        **problem(
            409,
            "`not-reviewing`, or why a review does not take it.",
            code="not-reviewing",
            detail=_NOT_REVIEWED,
        ),
    },
    summary="Merge or link two onboardings",
)
async def relate(
    id: KnownId,
    other: OtherId,
    form: RelationForm,
    caller: Reviewer,
    options: Options,
    expected: IfMatch,
) -> Taken:
    """Merge an onboarding under review into another one, or link the two.

    Merging is a no, and takes what a no takes: whoever may not reject may not merge. `If-Match` is
    the version of the application that you looked at.
    """
    expected.meets(await _version_of(options, caller, id), "version")
    async with transaction(options.engine) as connection:
        known = await duplicates.of_onboarding(connection, id)
        review = await reviews.open_of(connection, id)
    if other not in {row["other"] for row in known}:
        raise not_found("duplicate")
    if review is None:
        raise Problem(409, "not-reviewing", _NOT_REVIEWED)
    number, version, process = review["number"], review["version"], review["workflow_id"]

    def relation(by: SignedActor) -> Merge | Link:
        kind = Merge if form.relation == "merge" else Link
        return kind(reason=form.reason, by=by, review=number, version=version, other=other)

    signed = options.signer.sign(
        relation, workflow_id=process, update=form.relation, by=caller.actor
    )
    try:
        return await send(options.client, process, form.relation, signed)
    except (NoProcess, Ended):
        raise Problem(409, "not-reviewing", _NOT_REVIEWED) from None


async def _version_of(options: GatewayOptions, caller: Caller, id_: str) -> int:
    async with transaction(options.engine) as connection:
        row = await onboardings.one(connection, id_, tenant=caller.tenant)
    if row is None:
        raise not_found("onboarding")
    return int(row["version"])
