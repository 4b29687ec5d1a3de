"""Reviews by people: the queue, an application in full, and what reviewers do and decide."""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from database import onboardings, reviews, screening
from database.connection import transaction
from gateway import examples, review_forms
from gateway.callers import Allowed, AskedTenant, Caller, tenant_to_see
from gateway.cursors import after, page_of
from gateway.decisions import Ended, NoProcess, Update, send
from gateway.etags import IfMatch, IfNoneMatch, tagged
from gateway.openapi import answers, problem, problems
from gateway.options import GatewayOptions, Options
from gateway.parameters import Cursor, Limit
from gateway.problems import Problem, not_found
from gateway.review_forms import (
    Agreement,
    ApprovalForm,
    Check,
    Comment,
    CommentForm,
    ListedReview,
    NothingMore,
    RejectionForm,
    ReviewInFull,
    ReviewPage,
    ReviewState,
)
from workflows.actor import SignedActor
from workflows.decisions import Taken
from workflows.onboarding.review import AboutReview, Approval, Rejection, Reviewer

router = APIRouter(prefix="/v1/reviews", tags=["reviews"])

_ID = re.compile(r"[a-z2-7]{26}-[1-9][0-9]{0,3}")


def known_id(
    id: Annotated[str, Path(json_schema_extra={"pattern": f"^{_ID.pattern}$"})],
) -> str:
    """An id that a review may have. Raises Problem (404)."""
    if not _ID.fullmatch(id):
        raise not_found("review")
    return id


KnownId = Annotated[str, Depends(known_id)]
KeyName = Annotated[str | None, Query(pattern=r"^[ -~]{1,100}$")]


DECIDING = {
    **answers(
        examples.TAKEN.model_copy(update={"stage": "reviewing"}),
        status=202,
        description="Accepted",
    ),
    **problems(400, 401, 403, 404, 412, 413, 415, 428, 503),
    **problem(
        409,
        "It is decided already.",
        code="already-decided",
        detail="The review has come to its end.",
    ),
}
"""What a decision in a review is answered with, in the description."""


@router.get(
    "",
    response_model=ReviewPage,
    responses={**answers(review_forms.PAGE), **problems(401, 403, 503)},
    summary="List reviews",
)
async def many(
    caller: Allowed,
    options: Options,
    asked_tenant: AskedTenant = None,
    state: Annotated[
        list[ReviewState] | None, Query(description="One or several; open ones by default.")
    ] = None,
    owner: Annotated[Reviewer | None, Query(description="Whose queue they are in.")] = None,
    claimed_by: Annotated[KeyName, Query(description="Who has taken them on.")] = None,
    overdue: Annotated[
        bool | None, Query(description="Whether they were put before senior reviewers.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The queue: what is due first comes first."""
    async with transaction(options.engine) as connection:
        rows = await reviews.many(
            connection,
            tenant=tenant_to_see(caller, asked_tenant),
            states=state or ["open"],
            owner=owner,
            claimed_by=claimed_by,
            overdue=overdue,
            after=after(cursor, _ID),
            limit=limit + 1,
        )
        page, following = page_of(rows, limit, lambda row: [row["due_at"], row["id"]])
        agreed = await reviews.agreed(connection, [row["id"] for row in page])
    answer = ReviewPage(
        items=[ListedReview.model_validate(_listed(row, agreed[row["id"]])) for row in page],
        next=following,
    )
    return tagged(answer, if_none_match)


@router.get(
    "/{id}",
    response_model=ReviewInFull,
    responses={**answers(review_forms.IN_FULL), **problems(401, 403, 404, 503)},
    summary="Show a review",
)
async def one(
    id: KnownId, caller: Allowed, options: Options, if_none_match: IfNoneMatch = None
) -> Response:
    """The application, why it is looked at, what was found so far, and what others said of it."""
    async with transaction(options.engine) as connection:
        row = await seen(connection, caller, id)
        application = await onboardings.application(connection, row["onboarding"], row["version"])
        agreed = (await reviews.agreed(connection, [id]))[id]
        comments = await reviews.comments(connection, id)
        checks = await reviews.checks(connection, row["workflow_id"])
        open_hits = await screening.open_hits(connection, row["onboarding"])
    answer = ReviewInFull.model_validate(
        {
            **_listed(row, agreed),
            "application": application.form,
            "open_hits": open_hits,
            "agreements": [
                Agreement(by=one["actor"], at=one["decided_at"], reason=one["reason"])
                for one in agreed
            ],
            "comments": [Comment.model_validate(dict(one)) for one in comments],
            "checks": [
                Check.model_validate({**one, "by": one["decided_by"], "at": one["decided_at"]})
                for one in checks
            ],
        }
    )
    return tagged(answer, if_none_match, number=row["version"])


@router.post(
    "/{id}/claim",
    response_model=ListedReview,
    responses={
        **answers(review_forms.LISTED, description="Yours"),
        **problems(400, 401, 403, 404, 413, 415, 503),
        **problem(
            409,
            "Somebody else has it, or it is closed.",
            code="claimed-already",
            detail="rita-reviewer has taken this review on: they or a senior reviewer release it.",
        ),
    },
    summary="Take a review on",
)
async def claim(_: NothingMore, id: KnownId, caller: Allowed, options: Options) -> ListedReview:
    """Tell the others that you look at it. Asking twice is fine. Others may decide all the same."""
    async with transaction(options.engine) as connection:
        row = await _mine_to_decide(connection, caller, id)
        if row["claimed_by"] not in (None, caller.name):
            raise Problem(
                409,
                "claimed-already",
                f"{row['claimed_by']} has taken this review on: they or a senior reviewer "
                "release it.",
            )
        if row["claimed_by"] is None:
            row = await reviews.claim(connection, row, caller.name)
        return await _answer(connection, row)


@router.post(
    "/{id}/release",
    response_model=ListedReview,
    responses={
        **answers(review_forms.LISTED.model_copy(update={"claimed_by": None, "claimed_at": None})),
        **problems(400, 401, 403, 404, 413, 415, 503),
        **problem(
            409,
            "Somebody else has it, or it is closed.",
            code="claimed-by-another",
            detail="rita-reviewer has taken this review on: they or a senior reviewer release it.",
        ),
    },
    summary="Release a review",
)
async def release(_: NothingMore, id: KnownId, caller: Allowed, options: Options) -> ListedReview:
    """Say that nobody looks at it any more; a senior reviewer may say so of anybody."""
    async with transaction(options.engine) as connection:
        row = await must_be_open(connection, caller, id)
        if row["claimed_by"] != caller.name and not caller.has_any("senior_reviewer"):
            if row["claimed_by"] is not None:
                raise Problem(
                    409,
                    "claimed-by-another",
                    f"{row['claimed_by']} has taken this review on: they or a senior reviewer "
                    "release it.",
                )
        elif row["claimed_by"] is not None:
            row = await reviews.release(connection, row, caller.name)
        return await _answer(connection, row)


@router.post(
    "/{id}/comments",
    status_code=201,
    response_model=Comment,
    responses={
        **answers(review_forms.COMMENT, status=201, description="Kept"),
        **problems(400, 401, 403, 404, 413, 415, 503),
        **problem(
            409,
            "It is closed, or has as many comments as it may have.",
            code="too-many-comments",
            detail=f"A review may have {reviews.MOST_COMMENTS} comments.",
        ),
    },
    summary="Comment on a review",
)
async def comment(form: CommentForm, id: KnownId, caller: Allowed, options: Options) -> Comment:
    """Say something to the other reviewers. Said twice by the same person, it is there once."""
    async with transaction(options.engine) as connection:
        row = await must_be_open(connection, caller, id)
        try:
            kept = await reviews.comment(connection, row, author=caller.name, said=form.text)
        except reviews.TooManyComments:
            raise Problem(
                409, "too-many-comments", f"A review may have {reviews.MOST_COMMENTS} comments."
            ) from None
    return Comment.model_validate(dict(kept))


@router.post(
    "/{id}/approve",
    status_code=202,
    response_model=Taken,
    responses={
        **answers(
            examples.TAKEN.model_copy(update={"stage": "reviewing"}),
            status=202,
            description="Accepted; another person may have to agree, too",
        ),
        **problems(400, 401, 403, 404, 412, 413, 415, 428, 503),
        **problem(
            409,
            "It is decided already, by you or altogether; or hits of the screening are open.",
            code="agreed-already",
            detail="The same person has agreed already: it takes another one.",
        ),
    },
    summary="Agree with an application",
)
async def approve(
    form: ApprovalForm, id: KnownId, caller: Allowed, options: Options, expected: IfMatch
) -> Taken:
    """Agree with the version of the application that `If-Match` names.

    403: `excluded` may not decide about this applicant, `role-missing` where it is the senior
    reviewers', `not-a-person` for services. 409: `agreed-already` by the same person, `hits-open`
    while hits of the screening wait to be judged, `hit-confirmed` once one is the applicant,
    `review-closed`, `already-decided` and `not-reviewing` when it is over, `other-review` and
    `other-version` where another one is open by now.
    """
    async with transaction(options.engine) as connection:
        row = await must_be_open(connection, caller, id)
        expected.meets(row["version"], "version")
        await _must_be_judged(connection, row["onboarding"])

    def approval(by: SignedActor) -> Approval:
        return Approval(reason=form.reason, by=by, review=row["number"], version=row["version"])

    return await decide(options, caller, row, "approve", approval)


@router.post(
    "/{id}/reject",
    status_code=202,
    response_model=Taken,
    responses=DECIDING,
    summary="Say no to an application",
)
async def reject(
    form: RejectionForm, id: KnownId, caller: Allowed, options: Options, expected: IfMatch
) -> Taken:
    """Say no, which ends the review, whoever agreed before; with the codes the applicant is told.

    It is refused as an approval is, but for hits of the screening.
    """
    async with transaction(options.engine) as connection:
        row = await must_be_open(connection, caller, id)
        expected.meets(row["version"], "version")

    def rejection(by: SignedActor) -> Rejection:
        return Rejection(
            reason=form.reason,
            by=by,
            review=row["number"],
            version=row["version"],
            codes=tuple(dict.fromkeys(form.codes)),
        )

    return await decide(options, caller, row, "reject", rejection)


async def decide(
    options: GatewayOptions,
    caller: Caller,
    row: RowMapping,
    update: Update,
    make: Callable[[SignedActor], AboutReview],
) -> Taken:
    """Have the process of a review take a decision, signed. Raises Problem."""
    process = row["workflow_id"]
    signed = options.signer.sign(make, workflow_id=process, update=update, by=caller.actor)
    try:
        return await send(options.client, process, update, signed)
    except NoProcess:
        raise not_found("process") from None
    except Ended as ended:
        raise Problem(
            409, "not-reviewing", f"Nothing is under review any more: {ended.how}."
        ) from None


async def _must_be_judged(connection: AsyncConnection, onboarding: str) -> None:
    """Raises Problem (409) where the screening speaks against an approval."""
    if waiting := await screening.open_hits(connection, onboarding):
        raise Problem(
            409,
            "hits-open",
            f"{waiting} hits of the screening wait to be judged: nobody can agree before.",
        )
    if await screening.is_listed(connection, onboarding):
        raise Problem(
            409, "hit-confirmed", "Somebody found that the applicant is on a list: say no."
        )


async def seen(
    connection: AsyncConnection, caller: Caller, id_: str, *, lock: bool = False
) -> RowMapping:
    """A review that this caller may see. Raises Problem (404)."""
    row = await reviews.one(connection, id_, tenant=caller.tenant, lock=lock)
    if row is None:
        raise not_found("review")
    return row


async def must_be_open(connection: AsyncConnection, caller: Caller, id_: str) -> RowMapping:
    """An open review, which nobody changes meanwhile. Raises Problem (404 or 409)."""
    row = await seen(connection, caller, id_, lock=True)
    if row["state"] != "open":
        raise Problem(409, "review-closed", f"The review is closed: it is {row['state']}.")
    return row


async def _mine_to_decide(connection: AsyncConnection, caller: Caller, id_: str) -> RowMapping:
    """An open review in which this caller may decide. Raises Problem (403, 404 or 409)."""
    row = await must_be_open(connection, caller, id_)
    if row["owner"] == "senior_reviewer" and not caller.has_any("senior_reviewer"):
        raise Problem(403, "role-missing", "This review takes the role senior_reviewer.")
    if caller.name in row["excluded"]:
        raise Problem(
            403, "excluded", "Whoever has a part in this application may not decide about it."
        )
    return row


async def _answer(connection: AsyncConnection, row: RowMapping) -> ListedReview:
    agreed = await reviews.agreed(connection, [row["id"]])
    return ListedReview.model_validate(_listed(row, agreed[row["id"]]))


def _listed(row: RowMapping, agreed: Sequence[RowMapping]) -> dict[str, Any]:
    """Any: columns of a review."""
    return {**row, "agreed": [one["actor"] for one in agreed]}
