"""Until when an application may be changed, and what of it may be corrected after that.

Until a system is given the customer the process goes through a changed application again. From then
on a correction reaches the steps to come, never what is made already. So it is taken only where one
was refused and waits for it, and every system ends with the same.
"""

from collections.abc import Iterable

from gateway.problems import Problem
from workflows.onboarding.messages import CHANGEABLE
from workflows.onboarding.steps import BillingSteps, CrmSteps, DirectorySteps
from workflows.progress import Progress, StepProgress
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


def must_be_changeable(progress: Progress) -> None:
    """Raises Problem (409, `not-changeable`) where a system may have been given the customer."""
    if progress.stage not in CHANGEABLE or progress.stopping:
        how = progress.stopping or progress.stage
        raise Problem(409, "not-changeable", f"Too late to be changed: the onboarding is {how}.")


def must_be_correctable(progress: Progress, fields: Iterable[str]) -> tuple[str, ...]:
    """The refused steps that wait for a correction of these fields.

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
    return tuple(one.step for one in refused)


def _given(steps: Iterable[StepProgress], by: dict[str, str]) -> list[str]:
    """The systems that have been given it, or may have been: only a definite no is none."""
    return sorted({by[one.step] for one in steps if one.step in by and not _refused(one)})


def _refused(one: StepProgress) -> bool:
    return one.state == "parked" and one.reason is not None and one.reason.kind == "refused"


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
