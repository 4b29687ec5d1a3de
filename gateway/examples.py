"""Examples in the API's description: one onboarding, seen from everywhere."""

from datetime import UTC, datetime, timedelta

from workflows.decisions import Taken
from workflows.onboarding.application import (
    Application,
    DeliveredDocument,
    DocumentList,
    ListedOnboarding,
    Onboarding,
    OnboardingInFull,
    OnboardingPage,
)
from workflows.onboarding.messages import workflow_id
from workflows.progress import Progress, Reason, StepProgress, Waiting

AT = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
ID = "mfzwi3lbmrzgk43tnfxw4z3pmy"
PROCESS = workflow_id("example", ID)
REASON = Reason(kind="out of time", type="stripe.connection", text="Stripe does not answer")

STARTED = Onboarding(id=ID, workflow_id=PROCESS, tenant="example", stage="received")
LISTED = ListedOnboarding(
    id=ID,
    workflow_id=PROCESS,
    tenant="example",
    stage="verifying_identity",
    stage_since=AT,
    created_at=AT,
    ended_at=None,
)
PAGE = OnboardingPage(items=[LISTED], next=None)
IN_FULL = OnboardingInFull(
    **LISTED.model_dump(),
    version=1,
    application=Application(
        kind="person",
        name="Žofie Nováková",
        email="zofie@example.org",
        country="AT",
        currency="EUR",
    ),
    progress=Progress(
        workflow_id=PROCESS,
        stage="verifying_identity",
        waiting=Waiting(
            what="proof of identity", who="the applicant", until=AT + timedelta(days=14)
        ),
        steps=(
            StepProgress(
                step="identity.open_session",
                kind="remote",
                summary="Open the identity session",
                state="succeeded",
                started_at=AT,
                ended_at=AT + timedelta(seconds=1),
            ),
        ),
    ),
)
TAKEN = Taken(workflow_id=PROCESS, stage="provisioning", stopping=None)

DOCUMENT = DeliveredDocument(
    id="7d9f0c2b5e6a4f1c8b3d2a1e0f9c8b7a",
    onboarding_id=ID,
    kind="proof_of_address",
    state="received",
    code=None,
    sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    size=48213,
    media_type="application/pdf",
    uploaded_by="example-service",
    created_at=AT,
    stored_at=None,
    judged_at=None,
)
DOCUMENTS = DocumentList(missing=["source_of_funds"], items=[DOCUMENT])
