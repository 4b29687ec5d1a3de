"""Onboardings that may be of one applicant: reviewers see them, and say how they are related."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response

from database import duplicates
from database.connection import transaction
from gateway import examples
from gateway.callers import Allowed
from gateway.etags import IfMatch, IfNoneMatch, tagged
from gateway.forms import RelationForm
from gateway.openapi import answers, problems
from gateway.options import Options
from gateway.problems import Problem, not_found
from gateway.reviews import DECIDING, KnownId, decide, must_be_open, seen
from workflows.actor import SignedActor
from workflows.decisions import Taken
from workflows.onboarding.application import Answer
from workflows.onboarding.duplicates import Link, Merge
from workflows.onboarding.life import is_customer

router = APIRouter(prefix="/v1/reviews/{id}/duplicates", tags=["reviews"])

OtherId = Annotated[str, Path(pattern=r"^[a-z2-7]{26}$")]


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
    id: KnownId, caller: Allowed, options: Options, if_none_match: IfNoneMatch = None
) -> Response:
    """Other onboardings of the tenant that may be of the applicant under review."""
    async with transaction(options.engine) as connection:
        review = await seen(connection, caller, id)
        rows = await duplicates.of_onboarding(connection, review["onboarding"])
    answer = Duplicates(duplicates=[Duplicate.model_validate(dict(row)) for row in rows])
    return tagged(answer, if_none_match, number=review["version"])


@router.post(
    "/{other}",
    status_code=202,
    response_model=Taken,
    responses=DECIDING,
    summary="Merge or link two onboardings",
)
async def relate(
    form: RelationForm,
    id: KnownId,
    other: OtherId,
    caller: Allowed,
    options: Options,
    expected: IfMatch,
) -> Taken:
    """Merge the onboarding under review into another one, or link the two.

    Merging is a no to this one, `known_already`: it is refused as a rejection is, and so is
    linking, after which somebody has yet to decide.
    """
    async with transaction(options.engine) as connection:
        review = await must_be_open(connection, caller, id)
        expected.meets(review["version"], "version")
        known = await duplicates.of_onboarding(connection, review["onboarding"])
    if is_customer(review["workflow_id"]):
        raise Problem(409, "not-reviewing", "This review is of a customer, not of an onboarding.")
    if other not in {row["other"] for row in known}:
        raise not_found("duplicate")

    def relation(by: SignedActor) -> Merge | Link:
        kind = Merge if form.relation == "merge" else Link
        about = {"review": review["number"], "version": review["version"]}
        return kind(reason=form.reason, by=by, other=other, **about)

    return await decide(options, caller, review, form.relation, relation)
