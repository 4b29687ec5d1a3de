"""Until when an application may be changed, and what of it may be corrected after that.

Until a system is given the customer the process goes through a changed application again. From then
on a correction reaches the steps to come, never what is made already. So it is taken only where one
was refused and waits for it, every system ends with the same, and no check rests on it.
"""

from collections.abc import Iterable
from datetime import datetime

from database import onboardings
from database.connection import transaction
from gateway.options import GatewayOptions
from gateway.problems import Problem, not_found, unavailable
from gateway.progress import progress_of
from workflows.onboarding.messages import CHANGEABLE
from workflows.onboarding.steps import BillingSteps, CrmSteps, DirectorySteps
from workflows.patience import PATIENCE
from workflows.progress import Attention, Progress, StepProgress
from workflows.runs import latest_run
from workflows.step import declaration_of

_GIVEN_BY = {
    declaration_of(BillingSteps.create_customer).name: "billing",
    declaration_of(DirectorySteps.create_user).name: "the directory",
    declaration_of(CrmSteps.create_contact).name: "the CRM",
    declaration_of(CrmSteps.create_company).name: "the CRM",
}
"""The steps that give a system what the application says of the customer."""
_TAX_ID_GIVEN_BY = {declaration_of(BillingSteps.create_tax_id).name: "billing"}

NOTHING_WAITS = (
    "Nothing waits for a correction: no step was refused, so no step would use it. To change what "
    "the applicant sent, withdraw the application and let them sign up anew."
)
NO_SYSTEM_HAS_IT = (
    "No system has been given the customer yet: change the application instead, and what was found "
    "out from it is checked again (POST /v1/onboardings/{id}/change)."
)

_OTHER_VERSION = (
    "Version {version} was not made for {step} as it waits now. Correct the application and name "
    "the version that the answer has (POST /v1/onboardings/{{id}}/corrections), or none."
)


def must_be_changeable(progress: Progress) -> None:
    """Raises Problem (409, `not-changeable`) where a system may have been given the customer."""
    changeable = progress.stage in CHANGEABLE or _all_refused(progress)
    if not changeable or progress.stopping:
        how = progress.stopping or progress.stage
        raise Problem(409, "not-changeable", f"Too late to be changed: the onboarding is {how}.")


def must_be_correctable(progress: Progress, fields: Iterable[str]) -> tuple[Attention, ...]:
    """The refused steps that wait for a correction of these fields.

    What was found out, decided and approved rests on all of an application but the tax id: that is
    changed, not corrected, so that it is checked again.

    Raises Problem (409): `not-correctable` where no step waits for one, `given-already` where a
    system has one of the fields, or may have it.
    """
    if progress.stage in CHANGEABLE and not progress.stopping:
        raise Problem(409, "not-correctable", NO_SYSTEM_HAS_IT)
    refused = [one for one in progress.attention if one.reason.kind == "refused"]
    if not refused or progress.stopping:
        raise Problem(409, "not-correctable", NOTHING_WAITS)
    customer = set(fields) - {"tax_id"}
    have = _given(progress.steps, _GIVEN_BY) if customer else []
    if customer and not have:
        raise Problem(409, "not-correctable", NO_SYSTEM_HAS_IT)
    fixed = customer if have else set[str]()
    if "tax_id" in fields and (has_it := _given(progress.steps, _TAX_ID_GIVEN_BY)):
        have, fixed = sorted({*have, *has_it}), {*fixed, "tax_id"}
    if have:
        told = f"{', '.join(sorted(fixed))} went to {_listed(have)} already, or is on its way there"
        way_out = (
            "abort: everything is undone, and the applicant signs up anew"
            if any("abort" in one.choices for one in refused)
            else "skip the step"
        )
        raise Problem(
            409,
            "given-already",
            f"Not to be corrected any more: {told}, and a correction would not reach it. Settle "
            f"the cause where the step was refused and retry, or {way_out}.",
        )
    return tuple(refused)


async def parked_since(
    options: GatewayOptions, workflow_id: str, step: str, version: int
) -> datetime:
    """Since when a step is parked that may be retried with a version of the application.

    That is the one that the process works from, or one that was made for this parking. Raises
    Problem (404, 409 or 503).
    """
    progress = await progress_of(options.client, workflow_id, PATIENCE)
    if progress is None:
        if await latest_run(options.client, workflow_id) is None:
            raise not_found("process")
        raise unavailable("The process, which knows what waits,")
    parked = next((one for one in progress.attention if one.step == step), None)
    if parked is None:
        raise Problem(409, "not-parked", f"{step} does not wait for anybody.")
    if version != progress.version:
        application = workflow_id.rpartition("/")[2]
        async with transaction(options.engine) as connection:
            made = await onboardings.was_made_for(
                connection, application, version, step, parked.since
            )
        if not made:
            raise Problem(409, "other-version", _OTHER_VERSION.format(version=version, step=step))
    return parked.since


def _all_refused(progress: Progress) -> bool:
    """Whether every system that was asked to take the customer said no, and waits."""
    asked = [one for one in _latest(progress.steps).items() if one[0] in _GIVEN_BY]
    provisioning = progress.stage == "provisioning"
    return provisioning and bool(asked) and all(_refused(one) for _, one in asked)


def _given(steps: Iterable[StepProgress], by: dict[str, str]) -> list[str]:
    """The systems that have been given it, or may have been: only a definite no is none."""
    latest = _latest(steps)
    return sorted({by[name] for name, one in latest.items() if name in by and not _refused(one)})


def _latest(steps: Iterable[StepProgress]) -> dict[str, StepProgress]:
    """Each step as it was begun last: what was done before was taken back."""
    return {one.step.partition("/")[0]: one for one in steps}


def _refused(one: StepProgress) -> bool:
    return one.state == "parked" and one.reason is not None and one.reason.kind == "refused"


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
