"""A world in which a performance went as planned, for tests to falsify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workers.demo.callers import Reason, Waiting
from workers.demo.cast import Applicant, Run, Scene
from workers.demo.evidence import (
    Customer,
    DecisionRow,
    Event,
    Evidence,
    Found,
    LedgerRow,
    WorkflowRun,
)
from workers.demo.outside import Letter, Redaction, SessionAtStripe, TaxIdAtStripe
from workers.demo.plot import REPAIRED, WITHDRAWN, Memory
from workflows.onboarding.application import Onboarding

CAST = Run("run").cast()
STAGES = ("validating", "verifying_identity", "deciding", "provisioning", "welcoming", "active")
PARKED = Waiting(
    workflow_id="onboarding/example/nuria",
    step="billing.create_customer",
    owner="operator",
    why=Reason(kind="out of time", type="stripe.server", text="Stripe failed (status 503)"),
)
ANSWER = Onboarding(
    id="beispiel", workflow_id="onboarding/example/beispiel", tenant="example", stage="received"
)


def as_planned() -> Evidence:
    """What is there when everything went well."""
    return Evidence(
        found=tuple(_found(applicant) for applicant in CAST),
        memory=Memory(answers=(ANSWER,) * 3, parked=PARKED, workers=(100, 200)),
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
    kept: dict[Scene, DecisionRow] = {
        "withdrawal": DecisionRow("withdraw", "laptop-service", "service", WITHDRAWN, True),
        "outage": DecisionRow("resolve", "laptop-operator", "person", REPAIRED, True),
    }
    by_rule = DecisionRow("decide", "rule:identity_verified", "rule", "identity_verified", False)
    decision = kept.get(applicant.scene)
    session = SessionAtStripe(
        id=f"vs_{applicant.key}",
        status="verified",
        client_reference_id=applicant.key,
        redaction=None if active else Redaction(status="redacted"),
    )
    there = (TaxIdAtStripe(type=tax_id.type, value=tax_id.value),) if tax_id else ()
    letter = Letter(number=1, message_id=f"<{applicant.key}>", subject="Welcome", text="Hello")
    notice = Letter(number=2, message_id="<n>", subject="Parked", text=process)
    return Found(
        applicant=applicant,
        workflow_id=process,
        customers=(Customer(f"cus_{applicant.key}", there),) if active else (),
        letters=(letter,) if active else (),
        notices=(notice,) if applicant.scene == "outage" else (),
        sessions=(session,),
        signups=1,
        stage=applicant.end,
        trail=STAGES if active else (*STAGES[:4], "withdrawn"),
        ledger=_ledger(applicant, process),
        decisions=(by_rule, decision) if decision else (by_rule,),
        runs=(WorkflowRun("completed", applicant.end),),
        workers=("100@here", "200@here") if applicant.scene == "killed" else ("200@here",),
    )


def _ledger(applicant: Applicant, process: str) -> tuple[LedgerRow, ...]:
    key, active = applicant.key, applicant.end == "active"
    results = {
        "identity.open_session": {"session_id": f"vs_{key}"},
        "billing.create_customer": {"customer_id": f"cus_{key}"},
    }
    if applicant.application.tax_id:
        results["billing.create_tax_id"] = {"tax_id": f"txi_{key}"}
    if active:
        results["notice.welcome"] = {"message_id": f"<{key}>"}
    state = "succeeded" if active else "undone"
    return tuple(
        LedgerRow(f"{process}/{step}", step, state, 1, result, held=False)
        for step, result in results.items()
    )
