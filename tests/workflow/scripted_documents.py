"""Documents as a test says, and an onboarding that does nothing but collect them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import ClassVar
from uuid import uuid4

from temporalio import activity, workflow

from tests.workflow.scripted import Scripted, down, signed
from workflows.actor import Role
from workflows.decisions import Taken
from workflows.onboarding.documents import (
    AskForDocuments,
    Document,
    Documents,
    DocumentState,
    DocumentSteps,
    ForDocument,
    JudgeDocument,
    LookAtDocuments,
    LookUntil,
    Stored,
    TimeToLook,
    WriteAboutDocuments,
)
from workflows.onboarding.messages import (
    DocumentJudgement,
    ForApplication,
    Letter,
    RefusalCode,
    Start,
    Withdrawal,
)
from workflows.onboarding.policy import Policy
from workflows.onboarding.rules import DocumentKind
from workflows.onboarding.stages.documents import CollectingDocuments
from workflows.onboarding.state import OnboardingState
from workflows.onboarding.steps import ApplicationSteps
from workflows.step import Undo, Undone, implements

KINDS: tuple[DocumentKind, ...] = ("proof_of_address", "source_of_funds")
REVIEWER: tuple[Role, ...] = ("reviewer",)


@workflow.defn(name="CustomerOnboarding")
class OnlyDocuments(CollectingDocuments):
    """An onboarding whose story is one stage: two documents."""

    TRANSITIONS: ClassVar[Mapping[str, frozenset[str]]] = {
        "received": frozenset({"awaiting_documents"}),
        "awaiting_documents": frozenset({"active", "expired", "withdrawn", "aborted"}),
        **dict.fromkeys(("active", "expired", "withdrawn", "aborted"), frozenset[str]()),
    }
    UNDONE = frozenset({"expired", "withdrawn", "aborted"})

    @workflow.init
    def __init__(self, start: Start) -> None:
        super().__init__("received", OnboardingState(application_id=start.application_id))

    @workflow.run
    async def run(self, start: Start) -> str:
        return await self.carry_out(self.collect)

    async def collect(self) -> str:
        about = ForApplication(application_id=self.applicant)
        received = await self.step(ApplicationSteps.receive, about)
        policy = received.policy
        self.budgets = policy.budgets
        assert policy.documents is not None
        await self.enter("awaiting_documents")
        delivered = await self.collect_documents(KINDS, policy.documents)
        return "active" if delivered else "expired"

    @workflow.update
    async def withdraw(self, withdrawal: Withdrawal) -> Taken:
        return self.stop_for("withdrawn", withdrawal)


class ScriptedDocuments(Scripted, DocumentSteps):
    """An applicant who delivers what the test says; `letters` are what they were written.

    `takes` is how long an hour of business takes here.
    """

    def __init__(self, policy: Policy | None = None) -> None:
        super().__init__(policy)
        self.asked_for: AskForDocuments | None = None
        self.documents: dict[str, Document] = {}
        self.rounds: dict[str, int] = {}
        self.letters: list[WriteAboutDocuments] = []
        self.judged: list[JudgeDocument] = []
        self.takes = timedelta(hours=1)

    def deliver(self, kind: DocumentKind, valid_until: date | None = None) -> str:
        """A document comes in at the door; the answer is its id."""
        id_ = uuid4().hex
        self.documents[id_] = Document(
            document_id=id_, kind=kind, state="received", valid_until=valid_until
        )
        self.rounds[id_] = self.asked_for.round if self.asked_for else 1
        return id_

    def states(self) -> list[DocumentState]:
        return [one.state for one in self.documents.values()]

    def _now(self, id_: str, state: DocumentState, code: RefusalCode | None = None) -> None:
        changed = {"state": state, "code": code}
        self.documents[id_] = self.documents[id_].model_copy(update=changed)

    @implements(DocumentSteps.ask)
    async def ask(self, request: AskForDocuments) -> None:
        await self._play(DocumentSteps.ask, request)
        self.asked_for = request

    @implements(DocumentSteps.write)
    async def write(self, request: WriteAboutDocuments) -> Letter:
        await self._play(DocumentSteps.write, request)
        if self._first_time(request):
            self.letters.append(request)
        return Letter(message_id="<2@example.com>")

    @implements(DocumentSteps.look)
    async def look(self, request: LookAtDocuments) -> Documents:
        await self._play(DocumentSteps.look, request)
        found = [one for id_, one in self.documents.items() if self.rounds[id_] == request.round]
        return Documents(documents=tuple(found))

    @implements(DocumentSteps.time_to_look)
    async def time_to_look(self, request: TimeToLook) -> LookUntil:
        if activity.info().is_local:  # only a regular activity hears the time of its workflow
            raise down()
        await self._play(DocumentSteps.time_to_look, request)
        now = activity.info().scheduled_time
        assert now is not None
        return LookUntil(at=now + self.takes * request.hours)

    @implements(DocumentSteps.store)
    async def store(self, request: ForDocument) -> Stored:
        await self._play(DocumentSteps.store, request)
        self._make(request, request.document_id)
        self._now(request.document_id, "stored")
        return Stored(document_id=request.document_id, sha256="0" * 64)

    @implements(DocumentSteps.erase)
    async def erase(self, request: Undo) -> Undone:
        await self._play(DocumentSteps.erase, request)
        return self._undo(request)

    @implements(DocumentSteps.judge)
    async def judge(self, request: JudgeDocument) -> None:
        await self._play(DocumentSteps.judge, request)
        if self._first_time(request):
            self.judged.append(request)
        self._now(request.document_id, request.verdict, request.code)
        if request.valid_until:
            read = {"valid_until": request.valid_until}
            one = self.documents[request.document_id]
            self.documents[request.document_id] = one.model_copy(update=read)

    @implements(DocumentSteps.give_up)
    async def give_up(self, request: ForDocument) -> None:
        await self._play(DocumentSteps.give_up, request)
        self._now(request.document_id, "gone")


def judgement(document: str, code: RefusalCode | None = None) -> DocumentJudgement:
    """What a reviewer says of a document: refused where there is a code."""
    return DocumentJudgement(
        reason="looked at it",
        by=signed(str(uuid4()), REVIEWER),
        document_id=document,
        verdict="refused" if code else "accepted",
        code=code,
    )
