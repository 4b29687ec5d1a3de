"""Whatever happens, in whatever order: an onboarding comes to an end, and to a right one.

Hypothesis makes up applicants, outages, decisions of rules and people, and an order of messages.
What must hold is the same for all: only transitions of the table, every wait with an end, nothing
left of whoever did not become a customer, everything there of whoever did.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, cast, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from tests.patience import SOON
from tests.workflow.conftest import Begin, Onboarding
from tests.workflow.reviewing import TERMS, approval, rejection
from tests.workflow.scripted import (
    change,
    down,
    email_policy,
    production_policy,
    refused,
    resend,
    resolution,
    withdrawal,
)
from tests.workflow.scripted_documents import KINDS, ScriptedDocuments, judgement
from workflows.decisions import Resolution
from workflows.onboarding.confirmation import ConfirmationSteps, EmailConfirmed
from workflows.onboarding.decision import Decide, Decided
from workflows.onboarding.documents import DocumentsChanged
from workflows.onboarding.messages import (
    ENDS,
    TRANSITIONS,
    UNDONE,
    IdentityChanged,
    IdentityStatus,
    RefusalCode,
)
from workflows.onboarding.policy import Policy
from workflows.onboarding.screening import HitJudged, ScreeningSteps
from workflows.onboarding.steps import (
    ApplicationSteps,
    BillingSteps,
    CrmSteps,
    DirectorySteps,
    IdentitySteps,
    NoticeSteps,
    ReviewSteps,
)
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.step import implements

HOUR = timedelta(hours=1)
MADE = 7
"""What a company has in the three systems, and its identity session."""

Action = Literal[
    "confirm", "resend", "prove", "deliver", "accept", "refuse", "approve", "approve as another",
    "reject", "withdraw", "cancel", "wait", "hint twice", "change address", "change name",
    "confirm hit", "clear hit",
]  # fmt: skip

FALLIBLE: tuple[Callable[..., object], ...] = (
    ConfirmationSteps.send,
    IdentitySteps.open_session,
    IdentitySteps.close_session,
    ScreeningSteps.screen,
    BillingSteps.create_customer,
    BillingSteps.delete_customer,
    DirectorySteps.create_user,
    DirectorySteps.join_group,
    DirectorySteps.delete_user,
    CrmSteps.create_contact,
    CrmSteps.archive_company,
    NoticeSteps.reject,
    NoticeSteps.welcome,
    ReviewSteps.remind,
    ApplicationSteps.decide,
)


@dataclass(frozen=True)
class Fate:
    """What an applicant meets with."""

    identity: tuple[Literal["verified", "requires_input", "canceled", "processing"], ...]
    outcome: Literal["approved", "review", "rejected"]
    approvers: int
    by_default: Literal["reject", "expire"]
    documents: bool
    failing: tuple[tuple[int, Literal["refused", "down"]], ...]
    actions: tuple[Action, ...]


FATES = st.builds(
    Fate,
    identity=st.lists(
        st.sampled_from(["verified", "verified", "requires_input", "canceled", "processing"]),
        min_size=1,
        max_size=3,
    ).map(tuple),
    outcome=st.sampled_from(["approved", "review", "review", "rejected"]),
    approvers=st.integers(1, 2),
    by_default=st.sampled_from(["reject", "expire"]),
    documents=st.booleans(),
    failing=st.lists(
        st.tuples(st.integers(0, len(FALLIBLE) - 1), st.sampled_from(["refused", "down"])),
        max_size=3,
    ).map(tuple),
    actions=st.lists(st.sampled_from(get_args(Action)), max_size=10).map(tuple),
)


def impatient(policy: Policy) -> Policy:
    """Hours for days, and tries that do not keep a test waiting."""
    email = email_policy(policy).model_copy(
        update={"expires_after": 2 * HOUR, "pause": timedelta(seconds=0.01), "resends": 2}
    )
    identity = policy.identity.model_copy(update={"expires_after": 2 * HOUR, "tries": 2})
    assert policy.documents is not None
    documents = policy.documents.model_copy(
        update={
            "remind_after": (HOUR / 2, HOUR),
            "expires_after": 2 * HOUR,
            "look_hours": 1,
            "tries": 2,
        }
    )
    pause = timedelta(seconds=0.01)
    quick = {"first_pause": pause, "longest_pause": pause}
    budgets = policy.budgets.model_copy(
        update={
            "remote": policy.budgets.remote.model_copy(update=quick),
            "read": policy.budgets.read.model_copy(update=quick),
        }
    )
    changed = {"email": email, "identity": identity, "documents": documents, "budgets": budgets}
    return policy.model_copy(update=changed)


class World(ScriptedDocuments):
    """A scripted outside that turns out as a fate says."""

    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self.fate = fate
        self.policy = impatient(production_policy())
        self.looks = 0
        self.confirmed = False
        for step, how in fate.failing:
            self.fail(FALLIBLE[step], refused() if how == "refused" else down())

    @implements(ApplicationSteps.decide)
    async def decide(self, request: Decide) -> Decided:
        await self._play(ApplicationSteps.decide, request)
        fate = self.fate
        good = request.identity == "verified" and request.screening != "confirmed"
        outcome = fate.outcome if good else "rejected"
        terms = TERMS.model_copy(
            update={"approvers": fate.approvers, "by_default": fate.by_default}
        )
        return Decided(
            outcome=outcome,
            rule="fate",
            rule_version="1",
            codes=("not_accepted",) if outcome == "rejected" else (),
            documents=KINDS if fate.documents else (),
            review=terms if outcome == "review" else None,
            excluded=("ada-account-manager",),
        )

    def prove(self) -> None:
        status = self.fate.identity[min(self.looks, len(self.fate.identity) - 1)]
        self.looks += 1
        error = "document_expired" if status == "requires_input" else None
        self.identity = IdentityStatus(status=status, report_id=f"vr_{self.looks}", error=error)


@dataclass
class Played:
    """An onboarding that meets its fate."""

    one: Onboarding
    world: World
    heard: int = field(default=0)

    async def act(self, action: Action) -> None:
        """Do one thing. That it may be refused, or come after the end, is part of the play."""
        try:
            await self._act(action)
        except WorkflowUpdateFailedError:
            pass
        except RPCError as error:
            if "completed" not in error.message and "not found" not in error.message:
                raise

    async def _act(self, action: Action) -> None:
        handle, world = self.one.handle, self.world
        self.heard += 1
        match action:
            case "confirm":
                world.confirmed = True
                event = EmailConfirmed(event_id=f"c{self.heard}")
                await handle.signal(CustomerOnboarding.email_confirmed, event)
            case "prove" | "hint twice":
                if action == "prove":
                    world.prove()
                hint = IdentityChanged(event_id=f"i{self.heard}", session_id="vs_1")
                await handle.signal(CustomerOnboarding.identity_changed, hint)
                await handle.signal(CustomerOnboarding.identity_changed, hint)
            case "deliver":
                for kind in KINDS:
                    world.deliver(kind)
                changed = DocumentsChanged(event_id=f"d{self.heard}")
                await handle.signal(CustomerOnboarding.documents_changed, changed)
            case "confirm hit" | "clear hit":
                status = "confirmed" if action == "confirm hit" else "accepted"
                world.screened = world.screened.model_copy(update={"status": status})
                judged = HitJudged(event_id=f"h{self.heard}")
                await handle.signal(CustomerOnboarding.hit_judged, judged)
            case "cancel":
                await handle.cancel()
            case "wait":
                await self.one.pass_time(HOUR / 2)
            case _:
                await self._decide(action)

    async def _decide(self, action: Action) -> None:
        match action:
            case "resend":
                await self.one.decide(CustomerOnboarding.resend_confirmation, resend())
            case "accept" | "refuse":
                code: RefusalCode | None = None if action == "accept" else "unreadable"
                for document in list(self.world.documents):
                    said = judgement(document, code)
                    with contextlib.suppress(WorkflowUpdateFailedError):
                        await self.one.decide(CustomerOnboarding.judge_document, said)
            case "approve" | "approve as another":
                name = "rosa-reviewer" if action == "approve" else "sam-reviewer"
                await self.one.decide(CustomerOnboarding.approve, approval(name))
            case "reject":
                await self.one.decide(CustomerOnboarding.reject, rejection())
            case "change address" | "change name":
                field = "email" if action == "change address" else "name"
                version = (await self.one.progress()).version + 1
                self.world.confirmed &= field != "email"
                await self.one.decide(CustomerOnboarding.change, change(field, version=version))
            case "withdraw":
                await self.one.decide(CustomerOnboarding.withdraw, withdrawal())

    async def settled(self) -> bool:
        """Wait until it waits for somebody; False once it has come to its end."""
        progress = await self.one.until(
            lambda now: now.stage in ENDS or now.waiting or now.attention, 20
        )
        return progress.stage not in ENDS

    async def bring_to_its_end(self) -> str:
        """Let time pass and operators decide until nothing is left to happen."""
        for _ in range(60):
            if not await self.settled():
                return await asyncio.wait_for(self.one.handle.result(), SOON)
            progress = await self.one.progress()
            if progress.attention:
                item = progress.attention[0]
                choice: Literal["skip", "retry"] = "skip" if "skip" in item.choices else "retry"
                by = resolution(BillingSteps.create_customer, choice).by
                decided = Resolution(reason="settled", by=by, step=item.step, action=choice)
                await self._ignoring_refusals(decided)
            elif progress.waiting:
                assert progress.waiting.until is not None, "every wait has an end"
                now = await self.one.environment.get_current_time(self.one.handle)
                left = progress.waiting.until - now
                await self.one.pass_time(max(left, timedelta()) + timedelta(seconds=1))
        raise AssertionError(f"it does not end: {await self.one.progress()}")

    async def _ignoring_refusals(self, decided: Resolution) -> None:
        try:
            await self.one.decide(CustomerOnboarding.resolve, decided)
        except (WorkflowUpdateFailedError, RPCError):
            await asyncio.sleep(0.05)


@pytest.mark.slow
@given(fate=FATES)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_every_fate_comes_to_a_right_end(onboarding: Begin, fate: Fate) -> None:
    world = World(fate)
    async with onboarding(world, confirms=False) as one:
        played = Played(one, world)
        for action in fate.actions:
            if not await played.settled():
                break
            await played.act(action)
        end = await played.bring_to_its_end()
        history = await one.handle.fetch_history()
    passed = list(zip(["received", *world.stages], world.stages, strict=False))
    assert all(after in TRANSITIONS[stage] for stage, after in passed), passed
    assert world.stages[-1] == end
    if end in UNDONE:
        kept = [key for key in world.made if not _was_skipped(world, key)]
        assert not kept, "nothing is left of whoever did not become a customer"
    if end == "active":
        made = [key for key in world.made if not _was_skipped(world, key)]
        assert sum("document" not in key for key in made) == MADE
        assert fate.outcome != "rejected"
        assert len(world.mails) <= 1
    if end == "active" and fate.outcome == "review":
        assert world.closed[-1].verdict.outcome == "approved"
    assert len(history.events) < 2000


def _was_skipped(world: World, key: str) -> bool:
    """Whether an operator decided to leave it: an undo that could not be done may be skipped."""
    undone = {
        "identity.open_session": "identity.close_session",
        "billing.create_customer": "billing.delete_customer",
        "directory.create_user": "directory.delete_user",
        "crm.create_company": "crm.archive_company",
    }
    return any(make in key and undo in world.calls for make, undo in undone.items())


@pytest.mark.slow
async def test_the_longest_way_stays_short_in_history(onboarding: Begin) -> None:
    """Everything as often as the policy allows: mails, tries, refusals, people, changes."""
    fate = Fate(
        identity=("requires_input",) * 4 + ("verified",),
        outcome="review",
        approvers=2,
        by_default="expire",
        documents=True,
        failing=(),
        actions=(),
    )
    world = World(fate)
    bounds = production_policy()
    email, documents = email_policy(bounds), bounds.documents
    assert documents is not None
    quick = email.model_copy(update={"pause": timedelta(seconds=0.01)})
    world.policy = bounds.model_copy(update={"email": quick})
    async with onboarding(world, confirms=False) as one:
        played = Played(one, world)

        async def through_a_round(refusals: int) -> None:
            world.looks = 0
            world.documents.clear()  # only those of a round are told to its process
            for action in (*["resend"] * email.resends, "confirm", *["prove"] * 5):
                await played.settled()
                await played.act(cast(Action, action))
            await one.until(lambda now: now.stage == "reviewing" and now.waiting, 20)
            review = len(world.closed) + 1
            version = (await one.progress()).version
            for name in ("rosa-reviewer", "sam-reviewer"):
                said = approval(name, review=review, version=version)
                await one.decide(CustomerOnboarding.approve, said)
            await one.until(lambda now: now.stage == "awaiting_documents" and now.waiting, 20)
            for _ in range(refusals):
                await played.act("deliver")
                await one.until(lambda now: now.waiting and "look" in now.waiting.what, 20)
                await played.act("refuse")
                await one.until(lambda now: now.waiting and "look" not in now.waiting.what, 20)

        for _ in range(bounds.changes):
            await through_a_round(documents.tries - 1)
            world.confirmed = False
            version = (await one.progress()).version + 1
            both = change("email", "name", version=version)
            await one.decide(CustomerOnboarding.change, both)
        await through_a_round(documents.tries - 1)
        await played.act("withdraw")
        assert await asyncio.wait_for(one.handle.result(), SOON) == "withdrawn"
        history = await one.handle.fetch_history()
    assert len(history.events) < 2000
