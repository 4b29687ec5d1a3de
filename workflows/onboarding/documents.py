"""Documents that an applicant is asked for: what is told about them, and what has to be done.

Ids, kinds and states only: what a document holds, and what its file was called, stays outside.
"""

from abc import ABC, abstractmethod
from datetime import date, datetime
from typing import Literal, Self

from workflows.actor import Decision
from workflows.onboarding.messages import (
    DocumentId,
    DocumentJudgement,
    ForApplication,
    Letter,
    RefusalCode,
)
from workflows.onboarding.rules import DocumentKind
from workflows.request_key import Message, Request
from workflows.step import Undo, Undone, step

DocumentState = Literal["received", "stored", "accepted", "refused", "gone"]
"""Where a document is.

received  taken in at the door, in full, and not yet in the archive
stored    in the archive, and nobody has looked at it
accepted  a reviewer found that it is what was asked for
refused   a reviewer found that it is not; it stays in the archive
gone      its content is nowhere any more: erased, or never stored
"""


class DocumentsChanged(Message):
    """A hint that documents came in. Which are there is looked up, not told."""

    event_id: str


class AskForDocuments(ForApplication):
    """Which documents have to be delivered, in which round, and how many files of one kind.

    Those of the kinds in `dated` say until when they are valid. `of_customer`: whoever watches over
    a customer asks.
    """

    round: int
    kinds: tuple[DocumentKind, ...]
    files: int
    dated: tuple[DocumentKind, ...] = ()
    of_customer: bool = False


class Refusal(Message):
    """What is wrong with a document."""

    kind: DocumentKind
    code: RefusalCode | None


class WriteAboutDocuments(ForApplication):
    """A letter to the applicant: which documents are missing, until when, and why again.

    `expiring` is for a customer, whose documents are valid for a short time only.
    """

    occasion: Literal["asked", "reminder", "expiring"]
    kinds: tuple[DocumentKind, ...]
    until: datetime
    refused: tuple[Refusal, ...] = ()


class LookAtDocuments(Request):
    """Ask which documents there are, of those that were asked for in a round."""

    application_id: str
    round: int


class Document(Message):
    """A document as a process knows it."""

    document_id: DocumentId
    kind: DocumentKind
    state: DocumentState
    code: RefusalCode | None = None
    valid_until: date | None = None


class Documents(Message):
    """The documents of a round, in the order in which they came."""

    documents: tuple[Document, ...] = ()


class TimeToLook(ForApplication):
    """Ask when so many hours of business have passed for whoever looks at an applicant."""

    hours: int


class LookUntil(Message):
    """Until when reviewers may look at documents."""

    at: datetime


class ForDocument(ForApplication):
    """A step about one document."""

    document_id: DocumentId


class Stored(Message):
    """A document in the archive. `sha256` is empty where somebody decided to go on without it."""

    document_id: DocumentId
    sha256: str | None


class JudgeDocument(ForDocument):
    """What a reviewer found, to be kept with who found it. `decision` is as it was signed.

    `process` took it, where it is not the onboarding.
    """

    verdict: Literal["accepted", "refused"]
    code: RefusalCode | None
    valid_until: date | None = None
    process: str | None = None
    decision: Decision

    @classmethod
    def of(cls, judged: DocumentJudgement, application: str, process: str | None = None) -> Self:
        """A judgement, as it is to be kept."""
        return cls(
            application_id=application,
            document_id=judged.document_id,
            verdict=judged.verdict,
            code=judged.code,
            valid_until=judged.valid_until,
            process=process,
            decision=Decision(reason=judged.reason, by=judged.by),
        )


class DocumentSteps(ABC):
    """What is done to have an applicant's documents."""

    @step("local", "documents.ask", "Note which documents are asked for")
    @abstractmethod
    async def ask(self, request: AskForDocuments) -> None:
        """Let the door take in documents of these kinds."""

    @step("remote", "documents.write", "Write to the applicant about documents")
    @abstractmethod
    async def write(self, request: WriteAboutDocuments) -> Letter:
        """Tell the applicant which documents are missing."""

    @step("read", "documents.look", "Look which documents are there", near=True)
    @abstractmethod
    async def look(self, request: LookAtDocuments) -> Documents:
        """Say which documents there are."""

    @step("read", "documents.time_to_look", "Count the hours of business", near=True)
    @abstractmethod
    async def time_to_look(self, request: TimeToLook) -> LookUntil:
        """Say until when reviewers have time, from now on."""

    @step("remote", "documents.store", "Put a document into the archive")
    @abstractmethod
    async def store(self, request: ForDocument) -> Stored:
        """Take a document over from the door, and put it into the archive."""

    @step("remote", "documents.erase", "Erase a document from the archive")
    @abstractmethod
    async def erase(self, request: Undo) -> Undone:
        """Erase the document that was stored under the key `of`."""

    @step("local", "documents.judge", "Keep what a reviewer found")
    @abstractmethod
    async def judge(self, request: JudgeDocument) -> None:
        """Keep the verdict with the document, and the decision with who took it."""

    @step("local", "documents.give_up", "Note that a document is gone")
    @abstractmethod
    async def give_up(self, request: ForDocument) -> None:
        """Let the same document be delivered once more."""
