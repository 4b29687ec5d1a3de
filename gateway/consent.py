"""Consent at the door: an application without the terms that are in force is not taken."""

from gateway.problems import FieldError, Problem
from workflows.onboarding.application import Application
from workflows.onboarding.policy import ConsentPolicy


def must_be_accepted(application: Application, policy: ConsentPolicy) -> None:
    """Raises Problem (422) unless the applicant accepted terms that are in force."""
    if not policy.terms_versions or application.terms_version in policy.terms_versions:
        return
    missing = application.terms_version is None
    in_force = " or ".join(policy.terms_versions)
    raise Problem(
        422,
        "terms-missing" if missing else "terms-outdated",
        f"Have the applicant accept the terms in version {in_force}, and say so in terms_version.",
        errors=[
            FieldError(
                field="terms_version",
                message="is missing" if missing else f"is not in force: {in_force} is",
            )
        ],
    )
