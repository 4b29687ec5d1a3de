"""A world in which a performance went as planned, for tests to falsify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from workers.demo.callers import Reason, Waiting
from workers.demo.cast import Applicant, Run, Scene
from workers.demo.crm import RecordInCrm
from workers.demo.directory import GroupInDirectory, UserInDirectory
from workers.demo.evidence import (
    Customer,
    DecisionRow,
    Event,
    Evidence,
    Found,
    LedgerRow,
    WorkflowRun,
)
from workers.demo.memory import PARKINGS, WITHDRAWN, Memory
from workers.demo.outside import TO_CONFIRM, Letter, Redaction, SessionAtStripe, TaxIdAtStripe
from workflows.onboarding.application import Application, Onboarding, OnboardingInFull
from workflows.progress import Progress
from workflows.request_key import outside_key

CAST = Run("run").cast()
NOW = datetime.now(UTC)
STAGES = (
    *("validating", "verifying_email", "verifying_identity", "deciding"),
    *("provisioning", "welcoming", "active"),
)
DONE = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When every step was done but those that parked."""
DECIDED = DONE + timedelta(seconds=10)
REPAIRED = DECIDED + timedelta(seconds=1)
GROUP = "group_1"
_PARKED_BY: dict[Scene, str] = {"conflict": "eleni", "crm_outage": "hayabusa", "outage": "nuria"}
PARKED: dict[Scene, Waiting] = {
    scene: Waiting(
        workflow_id=f"onboarding/example/{key}",
        step=PARKINGS[scene].step,
        owner="operator",
        why=Reason(kind="out of time", type=PARKINGS[scene].type, text="it failed"),
        choices=("retry", "abort"),
    )
    for scene, key in _PARKED_BY.items()
}
ANSWER = Onboarding(
    id="beispiel", workflow_id="onboarding/example/beispiel", tenant="example", stage="received"
)


def user(
    identifier: str, name: str, *, mark: str | None = None, version: int = 1
) -> UserInDirectory:
    """A user in the directory."""
    told = {"id": identifier, "userName": name, "externalId": mark}
    return UserInDirectory.model_validate(told | {"meta": {"version": f'W/"{version}"'}})


def record(identifier: str, mark: str, **told: str) -> RecordInCrm:
    """A contact or company in the CRM."""
    properties = told | {"perdure_onboarding_id": mark}
    return RecordInCrm.model_validate(
        {"id": identifier, "createdAt": DONE, "properties": properties}
    )


def group(*members: str, identifier: str = GROUP) -> GroupInDirectory:
    """A group of the tenant's name."""
    places = [{"value": member} for member in members]
    told = {"id": identifier, "displayName": "example", "members": places}
    return GroupInDirectory.model_validate(told)


NEW = user("u_stranger", "eleni.run@example.com", version=1)
RENAMED = user("u_stranger", "old.eleni.run@example.com", version=7)


def onboarding(
    application: Application, stage: str, progress: Progress | None = None
) -> OnboardingInFull:
    return OnboardingInFull(
        id="a" * 26,
        workflow_id="onboarding/example/" + "a" * 26,
        tenant="example",
        stage=stage,
        stage_since=NOW,
        created_at=NOW,
        ended_at=None,
        version=1,
        application=application,
        progress=progress,
    )


def as_planned() -> Evidence:
    """What is there when everything went well."""
    return Evidence(
        found=tuple(_found(applicant) for applicant in CAST),
        memory=Memory(
            answers=(ANSWER,) * 3,
            parked=dict(PARKED),
            workers=(100, 200),
            stranger=(NEW, NEW, RENAMED),
        ),
        groups=(group(*(f"u_{one.key}" for one in CAST if one.end == "active")),),
        stranger=RENAMED,
        events=tuple(
            Event(f"evt_{place}", "identity.verification_session.verified", 3, (place,))
            for place in (9, 8, 7)
        ),
        waiting=(),
        faults=0,
    )


def changed(scene: Scene, change: Callable[[Found], dict[str, Any]]) -> Evidence:
    """The same, but for the applicants of one scene. Any: fields of what was found."""
    evidence = as_planned()
    found = [
        replace(one, **change(one)) if one.applicant.scene == scene else one
        for one in evidence.found
    ]
    return replace(evidence, found=tuple(found))


def with_ledger(one: Found, step: str, **fields: Any) -> dict[str, Any]:
    """A change of one row of the ledger. Any: fields of a row."""
    rows = [replace(row, **fields) if row.step == step else row for row in one.ledger]
    return {"ledger": tuple(rows)}


def _found(applicant: Applicant) -> Found:
    active = applicant.end == "active"
    tax_id = applicant.application.tax_id
    process = f"onboarding/example/{applicant.key}"
    kept = {
        scene: DecisionRow("resolve", "laptop-operator", "person", parking.remedy, True, DECIDED)
        for scene, parking in PARKINGS.items()
    }
    kept["withdrawal"] = DecisionRow(
        "withdraw", "laptop-service", "service", WITHDRAWN, True, DECIDED
    )
    by_rule = DecisionRow(
        "decide", "rule:identity_verified", "rule", "identity_verified", False, DONE
    )
    decision = kept.get(applicant.scene)
    session = SessionAtStripe(
        id=f"vs_{applicant.key}",
        status="verified",
        client_reference_id=applicant.key,
        redaction=None if active else Redaction(status="redacted"),
    )
    there = (TaxIdAtStripe(type=tax_id.type, value=tax_id.value),) if tax_id else ()
    letter = Letter(number=1, message_id=f"<{applicant.key}>", subject="Welcome", text="Hello")
    asked = Letter(number=0, message_id=f"<c_{applicant.key}>", subject=TO_CONFIRM, text="Hello")
    notice = Letter(number=2, message_id="<n>", subject="Parked", text=process)
    name, email = applicant.name, applicant.application.email
    company = applicant.application.kind == "company"
    called = {"company": name} if company else {"lastname": name}
    mark = outside_key(f"{process}/crm.create_contact", 1)
    return Found(
        applicant=applicant,
        workflow_id=process,
        customers=(Customer(f"cus_{applicant.key}", there),) if active else (),
        users=(user(f"u_{applicant.key}", email, mark="prd_1"),) if active else (),
        memberships=(GROUP,) if active else (),
        contacts=(record(f"c_{applicant.key}", mark, email=email, **called),) if active else (),
        companies=(record(f"f_{applicant.key}", mark, name=name),) if active and company else (),
        confirmations=(asked,),
        confirmed=1,
        letters=(letter,) if active else (),
        notices=(notice,) if applicant.scene in PARKINGS else (),
        sessions=(session,),
        signups=1,
        stage=applicant.end,
        trail=STAGES if active else (*STAGES[:5], "withdrawn"),
        ledger=_ledger(applicant, process),
        decisions=(by_rule, decision) if decision else (by_rule,),
        runs=(WorkflowRun("completed", applicant.end),),
        workers=("100@here", "200@here") if applicant.scene == "killed" else ("200@here",),
    )


def _ledger(applicant: Applicant, process: str) -> tuple[LedgerRow, ...]:
    key, active = applicant.key, applicant.end == "active"
    results = {
        "confirmation.send": {"message_id": f"<c_{key}>"},
        "identity.open_session": {"session_id": f"vs_{key}"},
        "billing.create_customer": {"customer_id": f"cus_{key}"},
        "directory.create_user": {"user_id": f"u_{key}"},
        "directory.join_group": {"group_id": GROUP, "user_id": f"u_{key}"},
        "crm.create_contact": {"contact_id": f"c_{key}"},
    }
    if applicant.application.tax_id:
        results["billing.create_tax_id"] = {"tax_id": f"txi_{key}"}
    if applicant.application.kind == "company":
        results["crm.create_company"] = {"company_id": f"f_{key}"}
    if active:
        results["notice.welcome"] = {"message_id": f"<{key}>"}
    state = "succeeded" if active else "undone"
    parked = PARKINGS[applicant.scene].step if applicant.scene in PARKINGS else None
    trouble = parked.partition(".")[0] if parked else None
    return tuple(
        LedgerRow(
            f"{process}/{step}",
            step,
            state,
            1,
            result,
            held=False,
            settled_at=REPAIRED if step.partition(".")[0] in (trouble, "notice") else DONE,
        )
        for step, result in results.items()
    )
