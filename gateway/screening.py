"""Hits of screenings: reviewers see them, and say who is the one that is listed and who is not."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from sqlalchemy import RowMapping

from database import onboardings, screening
from database.connection import transaction
from database.screening import HoldsTooLong, JudgedMeanwhile, Superseded
from gateway import examples
from gateway.callers import Allowed, Caller, must_be_impartial
from gateway.etags import IfMatch, IfNoneMatch, changed_meanwhile, tagged
from gateway.forms import JudgementForm
from gateway.onboardings import KnownId
from gateway.openapi import answers, problem, problems
from gateway.options import GatewayOptions, Options
from gateway.problems import FieldError, Problem, not_found
from workflows.onboarding.application import Answer

router = APIRouter(prefix="/v1/onboardings/{id}/screening", tags=["screening"])

HitId = Annotated[int, Path(ge=1, le=2**63 - 1)]
_SUPERSEDED = "The application was screened again since: look at the hits of the latest screening."


class ListedEntry(Answer):
    """What a list says of an entry.

    `birth_dates` may be years; `topics` are OpenSanctions' words, as `sanction` and `role.pep`.
    """

    id: str
    name: str
    birth_dates: tuple[str, ...]
    countries: tuple[str, ...]
    topics: tuple[str, ...]


class Judgement(Answer):
    """Who judged a hit, when and why. `remembered`: of an earlier hit of the same two."""

    verdict: Literal["false_positive", "confirmed"]
    by: str
    at: datetime
    reason: str
    until: datetime | None
    remembered: bool


class ScreeningHit(Answer):
    """An entry of a list that a party of the application may be.

    `party` is `applicant`, `owner-1` and so on, or `signatory`, `name` what the application calls
    them. `revision` is what a judgement names as `If-Match`.
    """

    id: int
    revision: int
    party: str
    name: str | None
    list: str
    list_version: str
    entry: ListedEntry
    score: int
    found_at: datetime
    judgement: Judgement | None


class ScreeningHits(Answer):
    """The hits of the latest screening, the most alike first; `open` is how many nobody judged."""

    open: int
    hits: list[ScreeningHit]


class Judged(Answer):
    """A judgement that was kept, and the revision that the hit has now."""

    id: int
    revision: int
    open: int


_EXAMPLE = ScreeningHit(
    id=7,
    revision=1,
    party="owner-1",
    name="Vasko Drenov",
    list="default",
    list_version="20260131093001-abc",
    entry=ListedEntry(
        id="inv-001",
        name="Vasko Drenov",
        birth_dates=("1961-04-17",),
        countries=("BG",),
        topics=("sanction",),
    ),
    score=95,
    found_at=examples.AT,
    judgement=None,
)


@router.get(
    "",
    response_model=ScreeningHits,
    responses={**answers(ScreeningHits(open=1, hits=[_EXAMPLE])), **problems(401, 403, 404, 503)},
    summary="Show the hits of a screening",
)
async def show(
    id: KnownId, caller: Allowed, options: Options, if_none_match: IfNoneMatch = None
) -> Response:
    """Who of an application may be on a list. It is not for applicants, nor for who serves them."""
    await _must_be_theirs(options, caller, id)
    async with transaction(options.engine) as connection:
        rows = await screening.hits(connection, id)
    hits = [_hit(row) for row in rows]
    answer = ScreeningHits(open=sum(one.judgement is None for one in hits), hits=hits)
    return tagged(answer, if_none_match)


@router.post(
    "/hits/{hit}/judgement",
    response_model=Judged,
    responses={
        **answers(Judged(id=7, revision=2, open=0)),
        **problems(400, 401, 403, 404, 412, 413, 415, 428, 503),
        **problem(409, "`superseded`: nothing is kept.", code="superseded", detail=_SUPERSEDED),
    },
    summary="Judge a hit",
)
async def judge(
    id: KnownId,
    hit: HitId,
    form: JudgementForm,
    caller: Allowed,
    options: Options,
    expected: IfMatch,
) -> Judged:
    """Say that a party is the one that is listed, or that it is somebody else.

    A false positive is remembered with who, when and why until a date, at most as long as the
    policy has it: until then the same party and the same entry need no other judgement.
    `If-Match` is the `revision` of the hit that you looked at.
    """
    await _must_be_theirs(options, caller, id, to_judge=True)
    async with transaction(options.engine) as connection:
        try:
            revision = await screening.judge(
                connection,
                application_id=id,
                hit=hit,
                verdict=form.verdict,
                by=caller.name,
                reason=form.reason,
                until=form.until,
                looked_at=expected.numbers,
            )
        except LookupError:
            raise not_found("hit") from None
        except Superseded:
            raise Problem(409, "superseded", _SUPERSEDED) from None
        except JudgedMeanwhile as other:
            raise changed_meanwhile("revision", other.revision) from None
        except HoldsTooLong as error:
            raise _too_long(error.latest) from None
        left = await screening.open_hits(connection, id)
    options.news.set()
    return Judged(id=hit, revision=revision, open=left)


async def _must_be_theirs(
    options: GatewayOptions, caller: Caller, id_: str, *, to_judge: bool = False
) -> None:
    async with transaction(options.engine) as connection:
        row = await onboardings.one(connection, id_, tenant=caller.tenant)
    if row is None:
        raise not_found("onboarding")
    if to_judge:
        must_be_impartial(caller, row["form"])


def _too_long(latest: datetime) -> Problem:
    message = f"is to be later than now, and no later than {latest:%Y-%m-%dT%H:%M:%SZ}"
    return Problem(
        422,
        "invalid",
        "1 field cannot be used.",
        errors=[FieldError(field="until", message=message)],
    )


def _hit(row: RowMapping) -> ScreeningHit:
    judgement = None
    if row["verdict"] is not None:
        judgement = Judgement(
            verdict=row["verdict"],
            by=row["judged_by"],
            at=row["judged_at"],
            reason=row["reason"],
            until=row["until"],
            remembered=row["remembered"],
        )
    return ScreeningHit(
        **{name: row[name] for name in _AS_THEY_ARE},
        name=_name_of(row["party"], row["form"] or {}),
        entry=ListedEntry(id=row["entry"], **row["listed"]),
        judgement=judgement,
    )


_AS_THEY_ARE = ("id", "revision", "party", "list", "list_version", "score", "found_at")


def _name_of(party: str, form: dict[str, Any]) -> str | None:
    """What the application calls a party; None where it was erased."""
    if party == "applicant":
        told: Any = form
    elif party == "signatory":
        told = form.get("signatory")
    else:
        owners = form.get("owners") or []
        number = int(party.removeprefix("owner-"))
        told = owners[number - 1] if number <= len(owners) else None
    return told.get("name") if told else None
