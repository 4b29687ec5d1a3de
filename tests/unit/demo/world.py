"""A world in which a performance went as planned, for tests to falsify."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from workers.demo.acting import document_of
from workers.demo.callers import Reason, Waiting
from workers.demo.cases import Case, HitRow, Paper, ReviewRow, RulingRow
from workers.demo.cast import LISTED, MANAGER, Applicant, Run, Scene
from workers.demo.crm import RecordInCrm
from workers.demo.directory import GroupInDirectory, UserInDirectory
from workers.demo.evidence import (
    Customer,
    DecisionRow,
    Event,
    Evidence,
    Found,
    LedgerRow,
)
from workers.demo.memory import DECISIONS, PARKINGS, REFUSALS, SERVICE, VERDICTS, Memory
from workers.demo.outside import TO_CONFIRM, Letter, Redaction, SessionAtStripe, TaxIdAtStripe
from workers.demo.reviewers import name_of
from workers.demo.show import passed_by
from workers.demo.temporal import WorkflowRun
from workflows.onboarding.application import Application, Onboarding, OnboardingInFull
from workflows.onboarding.messages import UNDONE
from workflows.onboarding.rejection import ADVERSE_ACTIONS
from workflows.onboarding.rules import QUESTIONS, REVIEW, RISK, AdverseAction
from workflows.progress import Progress
from workflows.request_key import outside_key

RUN = Run("run")
CAST = RUN.cast()
NOW = datetime.now(UTC)
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
        run=RUN,
        found=tuple(_found(applicant) for applicant in CAST),
        memory=Memory(
            answers=(ANSWER,) * 3,
            parked=dict(PARKED),
            workers=(100, 200),
            stranger=(NEW, NEW, RENAMED),
            refused={scene: list(codes) for scene, codes in REFUSALS.items()},
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
    session = SessionAtStripe(
        id=f"vs_{applicant.key}",
        status="verified",
        client_reference_id=applicant.key,
        redaction=Redaction(status="redacted") if applicant.end in UNDONE else None,
    )
    there = (TaxIdAtStripe(type=tax_id.type, value=tax_id.value),) if tax_id else ()
    asked = Letter(number=0, message_id=f"<c_{applicant.key}>", subject=TO_CONFIRM, text="Hello")
    notice = Letter(number=2, message_id="<n>", subject="Parked", text=process)
    name, email = applicant.application.name, applicant.application.email
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
        asked=asked_for_documents(applicant),
        letters=_letters(applicant),
        notices=(notice,) if applicant.scene in PARKINGS else (),
        sessions=(session,),
        signups=1,
        stage=applicant.end,
        trail=_trail(applicant),
        ledger=_ledger(applicant, process),
        decisions=_decisions(applicant),
        runs=(WorkflowRun("completed", applicant.end),),
        workers=("100@here", "200@here") if applicant.scene == "killed" else ("200@here",),
        case=_case(applicant),
    )


def asked_for_documents(applicant: Applicant) -> tuple[Letter, ...]:
    """The letters about documents: who takes their time is reminded."""
    again = {"reminded": 1, "expired": 2}.get(applicant.scene, 0)
    subjects = [
        *(["Documents that we need from you"] if applicant.documents else []),
        *["A reminder: documents that we need from you"] * again,
        *(["A document that we need from you once more"] if _refused(applicant) else []),
    ]
    return tuple(
        Letter(number=at, message_id=f"<d{at}_{applicant.key}>", subject=subject, text="Hello")
        for at, subject in enumerate(subjects)
    )


def _refused(applicant: Applicant) -> bool:
    """Whether a document of theirs was refused, and sent again."""
    return applicant.scene == "reminded"


def _letters(applicant: Applicant) -> tuple[Letter, ...]:
    mark = f"<{applicant.key}>"
    if applicant.end == "active":
        return (Letter(number=1, message_id=mark, subject="Welcome", text="Hello"),)
    if applicant.end == "rejected":
        told = f"Hello, the answer is no.\n- {ADVERSE_ACTIONS[_CODES[applicant.key]]}\n"
        return (Letter(number=1, message_id=mark, subject="Your application", text=told),)
    return ()


_CODES: dict[str, AdverseAction] = {
    "kontor": "not_accepted",
    "again": "known_already",
    "amelie": "identity_not_verified",
}
_LAST = {"rejected": "reviewing", "expired": "awaiting_documents"}


def _trail(applicant: Applicant) -> tuple[str, ...]:
    _, *way = passed_by(applicant)
    if applicant.end == "active":
        return tuple(way)
    last = _LAST.get(applicant.end, "provisioning")
    if applicant.key == "amelie":
        way, last = [stage for stage in way if stage != "screening"], "deciding"
    return (*way[: way.index(last) + 1], applicant.end)


def _decisions(applicant: Applicant) -> tuple[DecisionRow, ...]:
    by_rule = DecisionRow(
        "decide", "rule:review/nothing-against", "rule", "nothing-against", False, DONE
    )
    by_people = (
        DecisionRow(
            said.kind,
            said.by,
            "service" if said.by == SERVICE else "person",
            said.reason,
            said.kind != "appeal",
            DECIDED,
        )
        for said in DECISIONS.get(applicant.key, ())
    )
    return (by_rule, *by_people)


def _case(applicant: Applicant) -> Case:
    risk = {
        "kontor": "screening-hit",
        "namesake": "screening-hit",
        "again": "duplicate",
        "amelie": "identity-failed",
    }.get(applicant.key, applicant.application.kind)
    review = "appeal" if applicant.appeals else "some-row"
    rows = {RISK.table: risk, REVIEW.table: review}
    verdict, why = VERDICTS.get(applicant.key, (None, None))
    hit = HitRow(
        listed=LISTED,
        verdict=verdict,
        by=name_of("reviewer"),
        reason=why,
        until=NOW + timedelta(hours=1) if verdict == "false_positive" else None,
    )
    looked_at = ReviewRow(
        id=f"{applicant.key}-1",
        state="approved" if applicant.end == "active" else "rejected",
        approvers=2 if applicant.scene == "namesake" else 1,
        excluded=(MANAGER,) if applicant.scene == "vip" else (),
    )
    return Case(
        id=applicant.key,
        codes=(_CODES[applicant.key],) if applicant.end == "rejected" else (),
        appeal_of=applicant.appeals,
        merged_into="zofie" if applicant.scene == "duplicate" else None,
        rulings=tuple(
            RulingRow(one.table, rows.get(one.table, "some-row"), "1f0c", "2a3b", known=True)
            for one in QUESTIONS
        ),
        hits=(hit,) if verdict else (),
        reviews=(looked_at,) if applicant.reviewed else (),
        asked=applicant.documents,
        papers=_papers(applicant),
    )


def _papers(applicant: Applicant) -> tuple[Paper, ...]:
    if applicant.scene == "expired":
        return ()
    papers = []
    again = _refused(applicant)
    if again:
        kind = applicant.documents[0]
        digest = hashlib.sha256(document_of(RUN, applicant, kind)).hexdigest()
        papers.append(Paper(f"{kind}-0", kind, "refused", digest, digest))
    for kind in applicant.documents:
        digest = hashlib.sha256(document_of(RUN, applicant, kind, again=again)).hexdigest()
        gone = applicant.end in UNDONE
        state = "gone" if gone else "stored"
        papers.append(Paper(f"{kind}-1", kind, state, digest, None if gone else digest))
    return tuple(papers)


def _ledger(applicant: Applicant, process: str) -> tuple[LedgerRow, ...]:
    results = _results(applicant)
    parked = PARKINGS[applicant.scene].step if applicant.scene in PARKINGS else None
    trouble = parked.partition(".")[0] if parked else None
    return tuple(
        LedgerRow(
            f"{process}/{step}-{at}",
            step,
            "undone" if applicant.end in UNDONE else "succeeded",
            1,
            result,
            held=False,
            began=DONE,
            settled_at=(
                REPAIRED
                if applicant.end in UNDONE or step.partition(".")[0] in (trouble, "notice")
                else DONE
            ),
        )
        for at, (step, result) in enumerate(results)
    )


def _results(applicant: Applicant) -> Iterator[tuple[str, dict[str, str] | None]]:
    key, end = applicant.key, applicant.end
    yield "confirmation.send", {"message_id": f"<c_{key}>"}
    yield "identity.open_session", {"session_id": f"vs_{key}"}
    for letter in asked_for_documents(applicant):
        yield "documents.write", {"message_id": str(letter.message_id)}
    for paper in _papers(applicant):
        yield "documents.store", {"document_id": paper.id}
    if end == "rejected":
        yield "notice.reject", {"message_id": f"<{key}>"}
    if end in ("rejected", "expired"):
        return
    yield "billing.create_customer", {"customer_id": f"cus_{key}"} if end != "aborted" else None
    yield "directory.create_user", {"user_id": f"u_{key}"}
    yield "directory.join_group", {"group_id": GROUP, "user_id": f"u_{key}"}
    yield "crm.create_contact", {"contact_id": f"c_{key}"}
    if applicant.application.tax_id:
        yield "billing.create_tax_id", {"tax_id": f"txi_{key}"}
    if applicant.application.kind == "company":
        yield "crm.create_company", {"company_id": f"f_{key}"}
    if end == "active":
        yield "notice.welcome", {"message_id": f"<{key}>"}
