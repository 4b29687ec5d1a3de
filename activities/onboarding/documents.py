"""What is done to have an applicant's documents: asked for, put into the archive, judged."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.letters import Letters
from activities.onboarding import document_letters
from activities.onboarding.business_hours import ReviewHours
from activities.once import Kept, Once
from connectors.capabilities import Archive, Sent
from connectors.errors import Refused, Unanswered
from database import decisions, documents, onboardings, reviews
from database.connection import statement, transaction
from database.spool import Spool
from workflows.onboarding.documents import (
    AskForDocuments,
    Document,
    Documents,
    DocumentSteps,
    ForDocument,
    JudgeDocument,
    LookAtDocuments,
    LookUntil,
    Stored,
    TimeToLook,
    WriteAboutDocuments,
)
from workflows.onboarding.messages import Letter
from workflows.step import Undo, Undone, implements

Answer = TypeVar("Answer")


class NoDocument(Refused):
    """Our database knows no such document: a defect."""

    def __init__(self, id_: str) -> None:
        super().__init__("documents.missing", f"there is no document {id_}")


class DocumentActivities(DocumentSteps):
    """Documents, taken from the spool of the door to the archive."""

    def __init__(
        self,
        engine: AsyncEngine,
        archive: Archive,
        spool: Spool,
        letters: Letters,
        hours: ReviewHours,
    ) -> None:
        self._engine = engine
        self._once = Once(engine)
        self._archive = archive
        self._spool = spool
        self._letters = letters
        self._hours = hours

    @implements(DocumentSteps.ask)
    async def ask(self, request: AskForDocuments) -> None:
        """Let the door take in documents of these kinds."""

        async def let_in(connection: AsyncConnection) -> Kept:
            await documents.ask(
                connection,
                request.application_id,
                kinds=request.kinds,
                round_=request.round,
                files=request.files,
                dated=request.dated,
                of_customer=request.of_customer,
            )
            return Kept()

        await self._once.ours(request, let_in, Kept)

    @implements(DocumentSteps.write)
    async def write(self, request: WriteAboutDocuments) -> Letter:
        """Tell the applicant which documents are missing."""
        async with statement(self._engine) as connection:
            application = await onboardings.application(
                connection, request.application_id, request.version
            )
        return await self._letters.send(
            request,
            to=application.form["email"],
            subject=document_letters.subject(request),
            text=document_letters.text(
                request, name=application.form["name"], onboarding=application.id
            ),
        )

    @implements(DocumentSteps.look)
    async def look(self, request: LookAtDocuments) -> Documents:
        """The documents of a round."""
        async with statement(self._engine) as connection:
            rows = await documents.many(connection, request.application_id, round_=request.round)
        return Documents(
            documents=tuple(
                Document(
                    document_id=row["id"],
                    kind=row["kind"],
                    state=row["state"],
                    code=row["code"],
                    valid_until=row["valid_until"],
                )
                for row in rows
            )
        )

    @implements(DocumentSteps.time_to_look)
    async def time_to_look(self, request: TimeToLook) -> LookUntil:
        """When so many hours of business have passed at the office that looks at the applicant."""
        async with statement(self._engine) as connection:
            application = await onboardings.application(
                connection, request.application_id, request.version
            )
            now = await reviews.now(connection)
        country = application.form["country"]
        return LookUntil(at=self._hours.after(now, request.hours, country=country))

    @implements(DocumentSteps.store)
    async def store(self, request: ForDocument) -> Stored:
        """Take a document over from the spool: it is deleted there once the archive has it."""
        id_ = request.document_id

        async def send(_: str) -> Stored:
            row = await self._row(id_)
            owner, sha256 = row["onboarding_id"], row["sha256"]
            if await _blocking(lambda: self._spool.has(id_, sha256)):
                file, type_ = self._spool.file(id_), row["media_type"]
                await self._archive.put(owner, sha256, file, media_type=type_)
            elif not await self._archive.holds(owner, sha256):
                text = "the document is not in the spool: have gateways and workers the same one?"
                raise Refused("archive.not_in_spool", text)
            async with statement(self._engine) as connection:
                await documents.stored(connection, id_)
            return Stored(document_id=id_, sha256=sha256)

        stored = await self._once.theirs(request, Stored, send=send)
        await _blocking(lambda: self._spool.drop(id_))
        return stored

    @implements(DocumentSteps.erase)
    async def erase(self, request: Undo) -> Undone:
        """Erase what was stored, from the archive and from the spool."""

        async def find(_: Sent, input_: dict[str, Any]) -> Stored | None:
            row = await self._row(input_["document_id"])
            there = await self._archive.holds(row["onboarding_id"], row["sha256"])
            return Stored(document_id=row["id"], sha256=row["sha256"]) if there else None

        async def remove(stored: Stored) -> None:
            row = await self._row(stored.document_id)
            await self._archive.erase(row["onboarding_id"], row["sha256"])
            await _blocking(lambda: self._spool.drop(stored.document_id))
            async with transaction(self._engine) as connection:
                await documents.gone(connection, stored.document_id)

        return await self._once.undo(request, Stored, find=find, remove=remove)

    @implements(DocumentSteps.judge)
    async def judge(self, request: JudgeDocument) -> None:
        """Keep the verdict with the document, and who found it with the decisions."""

        async def keep(connection: AsyncConnection) -> Kept:
            row = await documents.one(connection, request.document_id)
            if row is None:
                raise NoDocument(request.document_id)
            await documents.judged(
                connection,
                request.document_id,
                verdict=request.verdict,
                code=request.code,
                valid_until=request.valid_until,
            )
            found = {"document_id", "verdict", "code", "valid_until"}
            await decisions.keep_of_person(
                connection,
                workflow_id=request.process or row["workflow_id"],
                kind="judge_document",
                content=request.model_dump(mode="json", include=found),
                reason=request.decision.reason,
                by=request.decision.by,
            )
            return Kept()

        await self._once.ours(request, keep, Kept)

    @implements(DocumentSteps.give_up)
    async def give_up(self, request: ForDocument) -> None:
        """Note that a document is gone, so that the same one may be delivered once more."""

        async def note(connection: AsyncConnection) -> Kept:
            await documents.gone(connection, request.document_id)
            return Kept()

        await self._once.ours(request, note, Kept)

    async def _row(self, id_: str) -> RowMapping:
        async with statement(self._engine) as connection:
            row = await documents.one(connection, id_)
        if row is None:
            raise NoDocument(id_)
        return row


async def _blocking(work: Callable[[], Answer]) -> Answer:
    """Do what blocks where it holds up nobody. Raises Unanswered where the spool fails."""
    try:
        return await asyncio.to_thread(work)
    except OSError:
        raise Unanswered("archive.spool", "the spool cannot be read or written") from None
