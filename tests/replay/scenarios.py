"""Onboardings of every outcome, and open ones, to record histories of and to replay.

Each plays against the scripted outside, on a real server, always with the same application id, so
that two recordings differ in nothing but times.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError

from tests.patience import SOON
from tests.workflow.reviewing import SENIOR, TERMS, TWO, approval, rejection
from tests.workflow.scripted import (
    Scripted,
    change,
    email_policy,
    production_policy,
    refused,
    resend,
    resolution,
    withdrawal,
    without_life,
)
from tests.workflow.scripted_documents import KINDS, ScriptedDocuments, judgement
from workflows.onboarding.confirmation import EmailConfirmed
from workflows.onboarding.decision import Decided
from workflows.onboarding.documents import DocumentsChanged
from workflows.onboarding.messages import IdentityChanged, IdentityStatus
from workflows.onboarding.review import ReviewTerms
from workflows.onboarding.rules import DocumentKind
from workflows.onboarding.screening import HitJudged
from workflows.onboarding.steps import (
    ApplicationSteps,
    BillingSteps,
    CrmSteps,
    DirectorySteps,
    NoticeSteps,
)
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.progress import Progress
from workflows.step import OUR_OUTAGE

Handle = WorkflowHandle[CustomerOnboarding, str]
Scenario = Callable[[Scripted, Handle], Awaitable[None]]

SCENARIOS: dict[str, Scenario] = {}
OPEN = {
    "confirming",
    "waiting",
    "parked",
    "parked-by-a-directory-conflict",
    "parked-by-a-crm-outage",
    "withdrawing-with-a-parked-undo",
    "reviewed-by-the-first-of-two",
    "awaiting-documents",
}
"""Scenarios that leave their process running."""


def scenario(name: str) -> Callable[[Scenario], Scenario]:
    def note(play: Scenario) -> Scenario:
        SCENARIOS[name] = play
        return play

    return note


async def until(handle: Handle, condition: Callable[[Any], Any]) -> None:
    async with asyncio.timeout(SOON):
        while not condition(await handle.query(CustomerOnboarding.progress)):
            await asyncio.sleep(0.02)


async def waits_to_confirm(handle: Handle) -> None:
    await until(
        handle,
        lambda progress: progress.stage == "verifying_email" and progress.waiting is not None,
    )


async def prove_identity(handle: Handle, event: str = "evt_1") -> None:
    hint = IdentityChanged(event_id=event, session_id="vs_1")
    await until(handle, lambda progress: progress.waiting)
    await handle.signal(CustomerOnboarding.identity_changed, hint)


async def decide(handle: Handle, update: Any, decision: Any) -> None:
    await handle.execute_update(update, decision, id=decision.by.update_id)


def only_parked(step: str) -> Callable[[Progress], bool]:
    """That this step waits for somebody, and everything else that could be done is done."""

    def so(progress: Progress) -> bool:
        return [each.step for each in progress.attention] == [step] and not _under_way(progress)

    return so


def only_running(step: str) -> Callable[[Progress], bool]:
    """That this step is under way, and everything else that could be done is done."""
    return lambda progress: _under_way(progress) == [step]


def _under_way(progress: Progress) -> list[str]:
    return [each.step for each in progress.steps if each.state == "running"]


@scenario("active")
async def _(world: Scripted, handle: Handle) -> None:
    await prove_identity(handle)
    await handle.result()


@scenario("active-without-tax-id")
async def _(world: Scripted, handle: Handle) -> None:
    world.has_tax_id = False
    await prove_identity(handle)
    await handle.result()


@scenario("rejected-by-territory")
async def _(world: Scripted, handle: Handle) -> None:
    world.problems = ("country_not_served",)
    await handle.result()


@scenario("rejected-by-identity")
async def _(world: Scripted, handle: Handle) -> None:
    tries = world.policy.identity.tries
    for number in range(1, tries + 1):
        world.identity = IdentityStatus(
            status="requires_input", report_id=f"vr_{number}", error="document_expired"
        )
        reads = world.calls.count("identity.read_session")
        await prove_identity(handle, f"evt_{number}")
        while world.calls.count("identity.read_session") == reads:
            await asyncio.sleep(0.02)
    await handle.result()


@scenario("expired")
async def _(world: Scripted, handle: Handle) -> None:
    world.identity = IdentityStatus(status="requires_input")
    await handle.result()


@scenario("confirming")
async def _(world: Scripted, handle: Handle) -> None:
    world.confirmed = False
    await waits_to_confirm(handle)


@scenario("expired-while-confirming")
async def _(world: Scripted, handle: Handle) -> None:
    world.confirmed = False
    await handle.result()


@scenario("resent")
async def _(world: Scripted, handle: Handle) -> None:
    world.confirmed = False
    await waits_to_confirm(handle)
    await decide(handle, CustomerOnboarding.resend_confirmation, resend())
    while len(world.links) < 2:
        await asyncio.sleep(0.02)
    await waits_to_confirm(handle)
    world.confirmed = True
    await handle.signal(CustomerOnboarding.email_confirmed, EmailConfirmed(event_id="confirmed"))
    await until(handle, lambda progress: progress.stage == "verifying_identity")
    await prove_identity(handle)
    await handle.result()


@scenario("withdrawn-while-creating")
async def _(world: Scripted, handle: Handle) -> None:
    released = world.hold(BillingSteps.create_tax_id)
    await prove_identity(handle)
    await until(handle, only_running("billing.create_tax_id"))
    await decide(handle, CustomerOnboarding.withdraw, withdrawal())
    released.set()
    await handle.result()


@scenario("withdrawn-by-cancellation")
async def _(world: Scripted, handle: Handle) -> None:
    await until(handle, lambda progress: progress.waiting)
    await handle.cancel()
    await handle.result()


@scenario("aborted")
async def _(world: Scripted, handle: Handle) -> None:
    world.fail(BillingSteps.create_customer, refused())
    await prove_identity(handle)
    await until(handle, lambda progress: progress.attention)
    abort = resolution(BillingSteps.create_customer, "abort")
    await decide(handle, CustomerOnboarding.resolve, abort)
    await handle.result()


@scenario("retried-and-skipped")
async def _(world: Scripted, handle: Handle) -> None:
    world.fail(BillingSteps.create_customer, refused())
    world.fail(NoticeSteps.welcome, refused("smtp.refused"))
    await prove_identity(handle)
    await until(handle, only_parked("billing.create_customer"))
    retry = resolution(BillingSteps.create_customer, "retry", version=2)
    await decide(handle, CustomerOnboarding.resolve, retry)
    await until(handle, lambda progress: progress.stage == "welcoming" and progress.attention)
    skip = resolution(NoticeSteps.welcome, "skip")
    await decide(handle, CustomerOnboarding.resolve, skip)
    await handle.result()


@scenario("through-our-own-outage")
async def _(world: Scripted, handle: Handle) -> None:
    outage = ApplicationError("our database does not answer", type=OUR_OUTAGE)
    world.fail(ApplicationSteps.decide, outage, outage)
    world.fail(BillingSteps.create_customer, outage)
    await prove_identity(handle)
    await handle.result()


@scenario("waiting")
async def _(world: Scripted, handle: Handle) -> None:
    await until(handle, lambda progress: progress.waiting)


@scenario("parked")
async def _(world: Scripted, handle: Handle) -> None:
    world.fail(BillingSteps.create_customer, refused())
    await prove_identity(handle)
    await until(handle, lambda progress: progress.attention)
    while not world.notices:
        await asyncio.sleep(0.02)


@scenario("parked-by-a-directory-conflict")
async def _(world: Scripted, handle: Handle) -> None:
    world.fail(DirectorySteps.create_user, refused("directory.conflict"))
    await prove_identity(handle)
    await until(handle, only_parked("directory.create_user"))
    while not world.notices:
        await asyncio.sleep(0.02)


@scenario("parked-by-a-crm-outage")
async def _(world: Scripted, handle: Handle) -> None:
    world.fail_while(CrmSteps.create_contact, lambda: True)
    await prove_identity(handle)
    await until(handle, only_parked("crm.create_contact"))
    while not world.notices:
        await asyncio.sleep(0.02)


@scenario("aborted-in-three-systems")
async def _(world: Scripted, handle: Handle) -> None:
    world.fail(DirectorySteps.join_group, refused("directory.missing"))
    await prove_identity(handle)
    await until(handle, only_parked("directory.join_group"))
    abort = resolution(DirectorySteps.join_group, "abort")
    await decide(handle, CustomerOnboarding.resolve, abort)
    await handle.result()


@scenario("withdrawing-with-a-parked-undo")
async def _(world: Scripted, handle: Handle) -> None:
    world.fail(BillingSteps.create_tax_id, refused())
    world.fail(BillingSteps.delete_customer, refused("stripe.auth"))
    await prove_identity(handle)
    await until(handle, lambda progress: progress.attention)
    await decide(handle, CustomerOnboarding.withdraw, withdrawal())
    await until(
        handle,
        lambda progress: any(
            parked.step == "billing.delete_customer" for parked in progress.attention
        ),
    )


@scenario("watched-over")
async def _(world: Scripted, handle: Handle) -> None:
    await prove_identity(handle)
    await handle.result()


# As processes are today: with people, documents and letters


async def proves(handle: Handle) -> None:
    """Confirm the address, then prove who it is."""
    await waits_to_confirm(handle)
    await handle.signal(CustomerOnboarding.email_confirmed, EmailConfirmed(event_id="confirmed"))
    await until(handle, lambda progress: progress.stage == "verifying_identity")
    await prove_identity(handle)


async def reviewed(handle: Handle) -> None:
    await proves(handle)
    await until(handle, lambda progress: progress.stage == "reviewing" and progress.waiting)


def outside(world: Scripted) -> ScriptedDocuments:
    assert isinstance(world, ScriptedDocuments)
    return world


def by_rule(terms: ReviewTerms | None = None, *documents: DocumentKind) -> Decided:
    return Decided(
        outcome="review" if terms else "approved",
        rule="review/somebody-looks",
        rule_version="1",
        documents=documents,
        review=terms,
        excluded=("sven-sales",) if terms else (),
    )


async def hear_of(handle: Handle, event: str) -> None:
    await handle.signal(CustomerOnboarding.documents_changed, DocumentsChanged(event_id=event))


@scenario("approved-by-two")
async def _(world: Scripted, handle: Handle) -> None:
    world.decided = by_rule(TWO)
    world.screened = world.screened.model_copy(update={"status": "possible", "hits": 1})
    await reviewed(handle)
    judged = HitJudged(event_id="screening/1/2")
    world.screened = world.screened.model_copy(update={"status": "accepted"})
    await handle.signal(CustomerOnboarding.hit_judged, judged)
    for name in ("rosa-reviewer", "ruth-reviewer"):
        await decide(handle, CustomerOnboarding.approve, approval(name))
    await handle.result()


@scenario("reviewed-by-the-first-of-two")
async def _(world: Scripted, handle: Handle) -> None:
    world.decided = by_rule(TWO)
    await reviewed(handle)
    await decide(handle, CustomerOnboarding.approve, approval())
    await until(handle, lambda progress: progress.waiting)


@scenario("documents-reminded-then-delivered")
async def _(world: Scripted, handle: Handle) -> None:
    world.decided = by_rule(None, *KINDS)
    await proves(handle)
    letters = outside(world).letters
    while [letter.occasion for letter in letters] != ["asked", "reminder"]:
        await asyncio.sleep(0.02)
    first, second = (outside(world).deliver(kind) for kind in KINDS)
    await hear_of(handle, "1")
    waits_for_a_look = "a look at the documents"
    await until(
        handle,
        lambda progress: progress.waiting and progress.waiting.what == waits_for_a_look,
    )
    await decide(handle, CustomerOnboarding.judge_document, judgement(first, "unreadable"))
    await until(handle, lambda progress: progress.waiting and KINDS[0] in progress.waiting.what)
    again = outside(world).deliver(KINDS[0])
    await hear_of(handle, "2")
    await until(
        handle,
        lambda progress: progress.waiting and progress.waiting.what == waits_for_a_look,
    )
    for document in (again, second):
        await decide(handle, CustomerOnboarding.judge_document, judgement(document))
    await handle.result()


@scenario("awaiting-documents")
async def _(world: Scripted, handle: Handle) -> None:
    world.decided = by_rule(None, *KINDS)
    await proves(handle)
    while not outside(world).letters:
        await asyncio.sleep(0.02)
    await until(handle, lambda progress: progress.waiting)


@scenario("rejected-in-review")
async def _(world: Scripted, handle: Handle) -> None:
    world.decided = by_rule(TWO)
    await reviewed(handle)
    await decide(handle, CustomerOnboarding.reject, rejection())
    await handle.result()


@scenario("appeal-won")
async def _(world: Scripted, handle: Handle) -> None:
    world.decided = by_rule(TERMS.model_copy(update={"owner": "senior_reviewer"}), KINDS[0])
    await reviewed(handle)
    await decide(handle, CustomerOnboarding.approve, approval("selma-senior", SENIOR))
    await until(handle, lambda progress: progress.stage == "awaiting_documents")
    while not outside(world).letters:
        await asyncio.sleep(0.02)
    document = outside(world).deliver(KINDS[0])
    await hear_of(handle, "1")
    await until(handle, lambda progress: progress.waiting and "look" in progress.waiting.what)
    await decide(handle, CustomerOnboarding.judge_document, judgement(document))
    await handle.result()


@scenario("hit-confirmed-while-provisioning")
async def _(world: Scripted, handle: Handle) -> None:
    released = world.hold(BillingSteps.create_tax_id)
    await proves(handle)
    await world.reached["billing.create_tax_id"].wait()
    await until(handle, only_running("billing.create_tax_id"))
    world.screened = world.screened.model_copy(update={"status": "confirmed", "hits": 1})
    world.decided = Decided(
        outcome="rejected", rule="onboarding_risk/listed", rule_version="1", codes=("not_accepted",)
    )
    await handle.signal(CustomerOnboarding.hit_judged, HitJudged(event_id="screening/1/2"))
    await world.reached["screening.look"].wait()
    await until(handle, only_running("billing.create_tax_id"))
    released.set()
    await handle.result()


@scenario("changed-while-reviewed")
async def _(world: Scripted, handle: Handle) -> None:
    world.decided = by_rule(TERMS)
    await reviewed(handle)
    await decide(handle, CustomerOnboarding.change, change("name"))
    await until(
        handle,
        lambda progress: progress.version == 2 and progress.stage == "reviewing",
    )
    await until(handle, lambda progress: progress.waiting)
    await decide(handle, CustomerOnboarding.approve, approval(review=2, version=2))
    await handle.result()


WHOLE = {
    "approved-by-two",
    "reviewed-by-the-first-of-two",
    "documents-reminded-then-delivered",
    "awaiting-documents",
    "rejected-in-review",
    "appeal-won",
    "hit-confirmed-while-provisioning",
    "changed-while-reviewed",
}
"""Scenarios of whole onboardings, as they begin today. Nobody watches over their customers."""
LIVING = {"watched-over"}
"""Those after which somebody watches over the customer. The others began before that."""
CONFIRMING = {"confirming", "expired-while-confirming", "resent"}
"""Scenarios of today. The others began before addresses were confirmed, and go on without."""


def world_of(name: str) -> Scripted:
    """The outside that a scenario plays against: in production's time, but for what runs out."""
    if name in WHOLE:
        return _whole(name)
    later = ("duplicates", "screening", "review", "documents", "rejection")
    policy = production_policy().model_copy(update=dict.fromkeys(later))
    if name not in LIVING:
        policy = without_life(policy)
    if name not in CONFIRMING:
        policy = policy.model_copy(update={"email": None})
    if name == "expired-while-confirming":
        brief = email_policy().model_copy(update={"expires_after": timedelta(seconds=1)})
        policy = policy.model_copy(update={"email": brief})
    if name == "resent":
        at_once = email_policy().model_copy(update={"pause": timedelta(milliseconds=1)})
        policy = policy.model_copy(update={"email": at_once})
    if name == "expired":
        soon = policy.identity.model_copy(update={"expires_after": timedelta(seconds=1)})
        policy = policy.model_copy(update={"identity": soon})
    if name == "parked-by-a-crm-outage":
        short = policy.budgets.remote.model_copy(update={"all_tries": timedelta(seconds=2)})
        budgets = policy.budgets.model_copy(update={"remote": short})
        policy = policy.model_copy(update={"budgets": budgets})
    return Scripted(policy)


def _whole(name: str) -> ScriptedDocuments:
    policy = without_life(production_policy())
    if name == "documents-reminded-then-delivered":
        assert policy.documents is not None
        soon = {"remind_after": (timedelta(seconds=1),)}
        policy = policy.model_copy(update={"documents": policy.documents.model_copy(update=soon)})
    return ScriptedDocuments(policy)
