"""New versions of an application: changed before provisioning, corrected within it.

Until a system is given the customer, an application may be changed: the process goes through it
again. From then on a correction serves a refused step alone, where every system ends with the same.
"""

from typing import Any

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy import RowMapping

from database import onboardings
from database.connection import transaction
from gateway import examples
from gateway.application_form import ApplicationForm, ChangeForm, CorrectionForm
from gateway.callers import Allowed, Caller
from gateway.correctable import NOTHING_WAITS, must_be_changeable, must_be_correctable
from gateway.decisions import Ended, NoProcess, send
from gateway.etags import Expected, IfMatch, changed_meanwhile
from gateway.onboardings import KnownId
from gateway.openapi import answers, problem, problems
from gateway.options import GatewayOptions, Options
from gateway.problems import Problem, not_found, unavailable
from gateway.progress import progress_of
from workflows.actor import SignedActor
from workflows.onboarding.application import Answer, Application, ChangedApplication
from workflows.onboarding.messages import ENDS, Change
from workflows.patience import PATIENCE
from workflows.progress import Progress

router = APIRouter(prefix="/v1/onboardings", tags=["onboardings"])


class Corrected(Answer):
    """A corrected version of an application, and the refused steps to retry with it."""

    id: str
    version: int
    refused: tuple[str, ...]


@router.post(
    "/{id}/change",
    status_code=202,
    response_model=ChangedApplication,
    responses={
        **answers(
            ChangedApplication(
                id=examples.ID, version=2, fields=("name",), stage="verifying_identity"
            ),
            status=202,
            description="Accepted; what rested on it is checked again",
        ),
        **problems(400, 401, 403, 404, 412, 413, 415, 428, 503),
        **problem(
            409,
            "`not-changeable`, `no-more-changes`, `nothing-changed`, or `too-late`: it stays as it "
            "was.",
            code="not-changeable",
            detail="Too late to be changed: the onboarding is provisioning.",
        ),
    },
    summary="Change an application",
)
async def change(
    id: KnownId, form: ChangeForm, caller: Allowed, options: Options, expected: IfMatch
) -> ChangedApplication:
    """Change what an application says, until a system has been given the customer.

    The process goes through it again: what was found out from what is changed is void, and so is
    every approval; other checks stand, and the applicant is not asked again. 409 `not-changeable`:
    it is too late. 409 `no-more-changes`: the policy says how often. `If-Match` says which version
    you looked at: where somebody changed it meanwhile, nothing is stored.
    """
    row, progress = await _under_way(options, caller, id, expected)
    must_be_changeable(progress)
    changes = form.changes()
    told = _checked(row["form"] | changes)
    async with transaction(options.engine) as connection:
        base = await onboardings.application(connection, id, progress.version)
        fields = _differing(_checked(base.form), told)
        if not fields:
            raise Problem(409, "nothing-changed", "The application says so already.")
        try:
            version = await onboardings.revise(
                connection,
                id_=id,
                version=row["version"],
                changes=changes,
                created_by=caller.name,
                event="application.changed",
            )
        except onboardings.CorrectedMeanwhile:
            raise changed_meanwhile("version") from None

    def changed(by: SignedActor) -> Change:
        return Change(
            reason=form.reason,
            by=by,
            on_behalf_of=caller.on_behalf_of,
            version=version,
            fields=fields,
        )

    signed = options.signer.sign(
        changed, workflow_id=row["workflow_id"], update="change", by=caller.actor
    )
    try:
        taken = await send(options.client, row["workflow_id"], "change", signed)
    except (Ended, NoProcess, Problem) as no:
        # Refused for good; where nothing was heard, the version stays: it may be taken yet.
        async with transaction(options.engine) as connection:
            await onboardings.take_out(connection, id, version, created_by=caller.name)
        if isinstance(no, Problem):
            raise
        raise Problem(409, "too-late", "The onboarding has ended meanwhile.") from None
    return ChangedApplication(id=id, version=version, fields=fields, stage=taken.stage)


def _checked(form: dict[str, Any]) -> Application:
    """The application that a form makes. Raises RequestValidationError. Any: JSON."""
    try:
        return ApplicationForm.model_validate(form)
    except ValidationError as error:
        errors = error.errors(include_input=False, include_url=False)
        raise RequestValidationError(
            [{**one, "loc": ("body", *one["loc"])} for one in errors]
        ) from None


def _differing(before: Application, after: Application) -> tuple[str, ...]:
    """The fields in which two versions differ."""
    every = sorted(Application.model_fields)
    return tuple(one for one in every if getattr(before, one) != getattr(after, one))


async def _under_way(
    options: GatewayOptions, caller: Caller, id_: str, expected: Expected
) -> tuple[RowMapping, Progress]:
    """An onboarding that is under way, as the caller saw it, and how far its process is.

    Raises Problem (404, 409, 412 or 503).
    """
    async with transaction(options.engine) as connection:
        row = await onboardings.one(connection, id_, tenant=caller.tenant)
    if row is None:
        raise not_found("onboarding")
    if row["stage"] in ENDS:
        raise Problem(409, "too-late", f"The onboarding has ended: it is {row['stage']}.")
    expected.meets(row["version"], "version")
    progress = await progress_of(options.client, row["workflow_id"], PATIENCE)
    if progress is None:
        raise unavailable("The process, which knows whether it can be changed,")
    return row, progress


@router.post(
    "/{id}/corrections",
    status_code=201,
    response_model=Corrected,
    responses={
        **answers(
            Corrected(id=examples.ID, version=2, refused=("billing.create_tax_id",)),
            status=201,
            description="Stored",
        ),
        **problems(400, 401, 403, 404, 412, 413, 415, 428, 503),
        **problem(
            409,
            "`not-correctable`, `given-already`, or `too-late`: nothing is stored.",
            code="not-correctable",
            detail=NOTHING_WAITS,
        ),
    },
    summary="Correct an application",
)
async def correct(
    id: KnownId, form: CorrectionForm, caller: Allowed, options: Options, expected: IfMatch
) -> Corrected:
    """Store a new version of an application, to retry a refused step of provisioning with.

    409 `not-correctable`: no refused step waits, or no system has been given the customer and it is
    to be changed, which has it checked again. 409 `given-already`: a system has been given what is
    to be corrected, and would keep it; `tax_id` goes to billing alone. `If-Match` says which
    version you looked at: where somebody corrected it meanwhile, nothing is stored.
    """
    row, progress = await _under_way(options, caller, id, expected)
    changes = form.model_dump(mode="json", exclude_unset=True)
    async with transaction(options.engine) as connection:
        works_from = await onboardings.application(connection, id, progress.version)
    # A change that the process never heard of must not come in by a correction on top of it.
    asked = {
        name: value
        for name, value in (row["form"] | changes).items()
        if name in changes or works_from.form.get(name) != value
    }
    refused = must_be_correctable(progress, asked)
    async with transaction(options.engine) as connection:
        try:
            version = await onboardings.revise(
                connection,
                id_=id,
                version=row["version"],
                changes=changes,
                created_by=caller.name,
                event="application.corrected",
                made_for={one.step: one.since for one in refused},
            )
        except onboardings.CorrectedMeanwhile:
            raise changed_meanwhile("version") from None
    return Corrected(id=id, version=version, refused=tuple(one.step for one in refused))
