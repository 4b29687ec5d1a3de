"""An outside that does what a test says: every step of an onboarding, scripted.

It keeps what was made under which request key, so that a test can say what is left of it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from uuid import uuid4

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.onboarding.policy import load_policy
from workflows.actor import Actor, SignedActor
from workflows.conduct import REFUSED_GENERATION
from workflows.decisions import Notice, ProcessSteps, RecordDecision, Resolution, VerifyActor
from workflows.onboarding.confirmation import (
    ConfirmationStatus,
    ConfirmationSteps,
    OpenConfirmation,
    OpenedConfirmation,
    ReadConfirmation,
    SendConfirmation,
)
from workflows.onboarding.decision import Decide, Decided
from workflows.onboarding.duplicates import DuplicateSteps, Relate
from workflows.onboarding.messages import (
    Change,
    Company,
    ConfirmationResend,
    Contact,
    CreateCompany,
    CreateContact,
    CreateCustomer,
    CreateTaxId,
    CreateUser,
    Customer,
    ForApplication,
    IdentityStatus,
    JoinGroup,
    Letter,
    Membership,
    OpenSession,
    ReadSession,
    Received,
    RecordStage,
    Reject,
    Session,
    TaxId,
    User,
    Validate,
    Validated,
    Welcome,
    Withdrawal,
)
from workflows.onboarding.policy import EmailPolicy, Policy
from workflows.onboarding.review import (
    CloseReview,
    OfReview,
    OpenedReview,
    OpenReview,
    RemindOfReview,
)
from workflows.onboarding.rules import AdverseAction
from workflows.onboarding.screening import HitsNow, LookAtHits, Screen, Screened, ScreeningSteps
from workflows.onboarding.steps import (
    ApplicationSteps,
    BillingSteps,
    CrmSteps,
    DirectorySteps,
    IdentitySteps,
    NoticeSteps,
    ReviewSteps,
)
from workflows.progress import Choice
from workflows.request_key import Request
from workflows.step import Undo, Undone, declaration_of, implements

RULES = Path(__file__).parents[2] / "rules" / "policy.toml"


def production_policy() -> Policy:
    return load_policy(RULES, "production")


def without_life(policy: Policy) -> Policy:
    """A policy under which nobody watches over customers: the onboarding is all there is."""
    return policy.model_copy(update={"life": None})


def email_policy(policy: Policy | None = None) -> EmailPolicy:
    """What a policy says of confirming; production's where none is given."""
    email = (policy or production_policy()).email
    assert email is not None
    return email


def refused(type_: str = "stripe.invalid_request", generation: int = 1) -> ApplicationError:
    """A failure as the request ledger tells it: a definite no to this generation."""
    return ApplicationError(
        "a definite no", {REFUSED_GENERATION: generation}, type=type_, non_retryable=True
    )


def down() -> ApplicationError:
    return ApplicationError("no answer", type="stripe.connection")


class Scripted(
    ApplicationSteps,
    ConfirmationSteps,
    IdentitySteps,
    ScreeningSteps,
    BillingSteps,
    DirectorySteps,
    CrmSteps,
    NoticeSteps,
    ReviewSteps,
    DuplicateSteps,
    ProcessSteps,
):
    """Every step, done as the script says.

    failing   what the next calls of a step raise; a function is asked each time
    reminded, escalated, closed   what reviews were told; an hour of business is an hour here
    confirmed whether the applicant's address is, as soon as anybody looks
    decided   what the rules say; without it identity decides
    told_no, related   letters of rejection, and how duplicates were related
    held      steps that wait until the test lets them go on; `reached` says that they are there
    """

    def __init__(
        self, policy: Policy | None = None, *, has_tax_id: bool = True, is_company: bool = True
    ) -> None:
        self.policy = policy or without_life(production_policy())
        self.has_tax_id = has_tax_id
        self.is_company = is_company
        self.problems: tuple[AdverseAction, ...] = ()
        self.possible_duplicate = False
        self.decided: Decided | None = None
        self.confirmed = True
        self.links: list[SendConfirmation] = []
        self.identity = IdentityStatus(status="verified", report_id="vr_1")
        self.screened = Screened(
            status="clear", politically_exposed=False, hits=0, list_version="1"
        )
        self.failing: dict[str, list[Exception] | Callable[[], Exception | None]] = {}
        self.held: dict[str, asyncio.Event] = {}
        self.reached: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.calls: list[str] = []
        self.requests: list[Request] = []
        self.stages: list[str] = []
        self.records: list[RecordStage] = []
        self.made: dict[str, str] = {}
        self.closed_in_billing: set[str] = set()
        self.mails: list[str] = []
        self.told_no: list[Reject] = []
        self.related: list[Relate] = []
        self.decisions: list[RecordDecision] = []
        self.notices: list[Notice] = []
        self.reminded: list[RemindOfReview] = []
        self.escalated: list[str] = []
        self.closed: list[CloseReview] = []
        self._done: set[str] = set()

    def hold(self, step: Callable[..., object]) -> asyncio.Event:
        """Hold a step until the event is set."""
        return self.held.setdefault(declaration_of(step).name, asyncio.Event())

    def fail(self, step: Callable[..., object], *failures: Exception) -> None:
        self.failing[declaration_of(step).name] = list(failures)

    def fail_while(self, step: Callable[..., object], condition: Callable[[], bool]) -> None:
        self.failing[declaration_of(step).name] = lambda: down() if condition() else None

    async def _play(self, step: Callable[..., object], request: Request) -> None:
        name = declaration_of(step).name
        self.calls.append(name)
        self.requests.append(request)
        self.reached[name].set()
        if name in self.held:
            await self.held[name].wait()
        script = self.failing.get(name)
        failure = script() if callable(script) else (script.pop(0) if script else None)
        if failure is not None:
            raise failure

    def _first_time(self, request: Request) -> bool:
        """Steps run at least once; what they do, they do once for each key."""
        first = request.request_key not in self._done
        self._done.add(request.request_key)
        return first

    def _make(self, request: Request, thing: str) -> str:
        return self.made.setdefault(request.request_key, thing)

    def _undo(self, undo: Undo) -> Undone:
        return Undone(existed=self.made.pop(undo.of, None) is not None)

    @implements(ApplicationSteps.receive)
    async def receive(self, request: ForApplication) -> Received:
        await self._play(ApplicationSteps.receive, request)
        return Received(
            policy=self.policy,
            has_tax_id=self.has_tax_id,
            is_company=self.is_company,
            rules={"onboarding_risk": "1"},
        )

    @implements(ApplicationSteps.validate)
    async def validate(self, request: Validate) -> Validated:
        await self._play(ApplicationSteps.validate, request)
        return Validated(problems=self.problems, possible_duplicate=self.possible_duplicate)

    @implements(ApplicationSteps.decide)
    async def decide(self, request: Decide) -> Decided:
        await self._play(ApplicationSteps.decide, request)
        if self.decided is not None:
            return self.decided
        verified = request.identity == "verified"
        outcome: Literal["approved", "rejected"] = "approved" if verified else "rejected"
        return Decided(outcome=outcome, rule="identity_verified", rule_version="1")

    @implements(ApplicationSteps.record_stage)
    async def record_stage(self, request: RecordStage) -> None:
        await self._play(ApplicationSteps.record_stage, request)
        if self._first_time(request):
            self.stages.append(request.stage)
            self.records.append(request)

    @implements(ConfirmationSteps.open)
    async def open(self, request: OpenConfirmation) -> OpenedConfirmation:
        await self._play(ConfirmationSteps.open, request)
        return OpenedConfirmation(until=4_000_000_000)

    @implements(ConfirmationSteps.send)
    async def send(self, request: SendConfirmation) -> Letter:
        await self._play(ConfirmationSteps.send, request)
        if self._first_time(request):
            self.links.append(request)
        return Letter(message_id="<2@example.com>")

    @implements(ConfirmationSteps.read)
    async def read(self, request: ReadConfirmation) -> ConfirmationStatus:
        await self._play(ConfirmationSteps.read, request)
        return ConfirmationStatus(confirmed=self.confirmed)

    @implements(IdentitySteps.open_session)
    async def open_session(self, request: OpenSession) -> Session:
        await self._play(IdentitySteps.open_session, request)
        return Session(session_id=self._make(request, "vs_1"))

    @implements(IdentitySteps.read_session)
    async def read_session(self, request: ReadSession) -> IdentityStatus:
        await self._play(IdentitySteps.read_session, request)
        return self.identity

    @implements(IdentitySteps.close_session)
    async def close_session(self, request: Undo) -> Undone:
        await self._play(IdentitySteps.close_session, request)
        return self._undo(request)

    @implements(ScreeningSteps.screen)
    async def screen(self, request: Screen) -> Screened:
        await self._play(ScreeningSteps.screen, request)
        return self.screened

    @implements(ScreeningSteps.look_at_hits)
    async def look_at_hits(self, request: LookAtHits) -> HitsNow:
        await self._play(ScreeningSteps.look_at_hits, request)
        exposed = self.screened.politically_exposed
        return HitsNow(status=self.screened.status, politically_exposed=exposed)

    @implements(BillingSteps.create_customer)
    async def create_customer(self, request: CreateCustomer) -> Customer:
        await self._play(BillingSteps.create_customer, request)
        return Customer(customer_id=self._make(request, "cus_1"))

    @implements(BillingSteps.delete_customer)
    async def delete_customer(self, request: Undo) -> Undone:
        await self._play(BillingSteps.delete_customer, request)
        return self._undo(request)

    @implements(BillingSteps.close_customer)
    async def close_customer(self, request: Undo) -> Undone:
        await self._play(BillingSteps.close_customer, request)
        if existed := request.of in self.made:
            self.closed_in_billing.add(request.of)
        return Undone(existed=existed)

    @implements(BillingSteps.create_tax_id)
    async def create_tax_id(self, request: CreateTaxId) -> TaxId:
        await self._play(BillingSteps.create_tax_id, request)
        return TaxId(tax_id=self._make(request, "txi_1"), customer_id=request.customer_id)

    @implements(BillingSteps.delete_tax_id)
    async def delete_tax_id(self, request: Undo) -> Undone:
        await self._play(BillingSteps.delete_tax_id, request)
        return self._undo(request)

    @implements(DirectorySteps.create_user)
    async def create_user(self, request: CreateUser) -> User:
        await self._play(DirectorySteps.create_user, request)
        return User(user_id=self._make(request, "user_1"))

    @implements(DirectorySteps.delete_user)
    async def delete_user(self, request: Undo) -> Undone:
        await self._play(DirectorySteps.delete_user, request)
        return self._undo(request)

    @implements(DirectorySteps.join_group)
    async def join_group(self, request: JoinGroup) -> Membership:
        await self._play(DirectorySteps.join_group, request)
        return Membership(group_id=self._make(request, "group_1"), user_id=request.user_id)

    @implements(DirectorySteps.leave_group)
    async def leave_group(self, request: Undo) -> Undone:
        await self._play(DirectorySteps.leave_group, request)
        return self._undo(request)

    @implements(CrmSteps.create_contact)
    async def create_contact(self, request: CreateContact) -> Contact:
        await self._play(CrmSteps.create_contact, request)
        return Contact(contact_id=self._make(request, "contact_1"))

    @implements(CrmSteps.archive_contact)
    async def archive_contact(self, request: Undo) -> Undone:
        await self._play(CrmSteps.archive_contact, request)
        return self._undo(request)

    @implements(CrmSteps.create_company)
    async def create_company(self, request: CreateCompany) -> Company:
        await self._play(CrmSteps.create_company, request)
        return Company(company_id=self._make(request, "company_1"))

    @implements(CrmSteps.archive_company)
    async def archive_company(self, request: Undo) -> Undone:
        await self._play(CrmSteps.archive_company, request)
        return self._undo(request)

    @implements(NoticeSteps.welcome)
    async def welcome(self, request: Welcome) -> Letter:
        await self._play(NoticeSteps.welcome, request)
        if self._first_time(request):
            self.mails.append(request.request_key)
        return Letter(message_id="<1@example.com>")

    @implements(NoticeSteps.reject)
    async def reject(self, request: Reject) -> Letter:
        await self._play(NoticeSteps.reject, request)
        if self._first_time(request):
            self.told_no.append(request)
        return Letter(message_id="<2@example.com>")

    @implements(DuplicateSteps.relate)
    async def relate(self, request: Relate) -> None:
        await self._play(DuplicateSteps.relate, request)
        if self._first_time(request):
            self.related.append(request)

    @implements(ReviewSteps.open_review)
    async def open_review(self, request: OpenReview) -> OpenedReview:
        if activity.info().is_local:  # only a regular activity hears the time of its workflow
            raise down()
        await self._play(ReviewSteps.open_review, request)
        now, terms = activity.info().scheduled_time, request.terms
        assert now is not None
        return OpenedReview(
            remind_at=now + timedelta(hours=terms.remind_after),
            escalate_at=now + timedelta(hours=terms.escalate_after),
            due_at=now + timedelta(hours=terms.decide_within),
        )

    @implements(ReviewSteps.remind)
    async def remind(self, request: RemindOfReview) -> None:
        await self._play(ReviewSteps.remind, request)
        if self._first_time(request):
            self.reminded.append(request)

    @implements(ReviewSteps.escalate)
    async def escalate(self, request: OfReview) -> None:
        await self._play(ReviewSteps.escalate, request)
        if self._first_time(request):
            self.escalated.append(request.review_id)

    @implements(ReviewSteps.close)
    async def close(self, request: CloseReview) -> None:
        await self._play(ReviewSteps.close, request)
        if self._first_time(request):
            self.closed.append(request)

    @implements(ProcessSteps.verify_actor)
    async def verify_actor(self, request: VerifyActor) -> None:
        await self._play(ProcessSteps.verify_actor, request)

    @implements(ProcessSteps.record_decision)
    async def record_decision(self, request: RecordDecision) -> None:
        await self._play(ProcessSteps.record_decision, request)
        if self._first_time(request):
            self.decisions.append(request)

    @implements(ProcessSteps.notify)
    async def notify(self, request: Notice) -> None:
        await self._play(ProcessSteps.notify, request)
        if self._first_time(request):
            self.notices.append(request)

    @implements(ProcessSteps.database_answers)
    async def database_answers(self, request: Request) -> None:
        await self._play(ProcessSteps.database_answers, request)


def signed(
    update_id: str,
    roles: tuple[str, ...] = ("operator",),
    *,
    name: str = "olga-operator",
    kind: Literal["person", "service"] = "person",
) -> SignedActor:
    """An actor as the gateway names one; the scripted steps do not look at the signature."""
    return SignedActor(
        actor=Actor(name=name, kind=kind, roles=roles),  # type: ignore[arg-type]
        update_id=update_id,
        expires_at=datetime.now(UTC) + timedelta(minutes=5),
        signing_key="test",
        signature="",
    )


def withdrawal(reason: str = "changed their mind") -> Withdrawal:
    return Withdrawal(reason=reason, by=signed(str(uuid4())))


def resend(reason: str = "no mail came") -> ConfirmationResend:
    return ConfirmationResend(reason=reason, by=signed(str(uuid4())))


def change(*fields: str, version: int = 2) -> Change:
    return Change(reason="they moved", by=signed(str(uuid4())), version=version, fields=fields)


def resolution(
    step: Callable[..., object], action: Choice, *, part: str = "", version: int | None = None
) -> Resolution:
    name = declaration_of(step).name + (f"/{part}" if part else "")
    by = signed(str(uuid4()))
    return Resolution(reason="looked into it", by=by, step=name, action=action, version=version)
