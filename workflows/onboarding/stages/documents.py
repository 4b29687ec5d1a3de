"""The stage in which an applicant delivers documents."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio import workflow

from workflows.hints import dropping_what_is_no_hint
from workflows.onboarding.documents import (
    AskForDocuments,
    Document,
    DocumentsChanged,
    DocumentState,
    DocumentSteps,
    ForDocument,
    LookAtDocuments,
    Refusal,
    Stored,
    TimeToLook,
    WriteAboutDocuments,
)
from workflows.onboarding.judging import Judging
from workflows.onboarding.messages import Letter
from workflows.onboarding.policy import DocumentsPolicy
from workflows.onboarding.rules import DocumentKind
from workflows.onboarding.stages.onboarding import Onboarding
from workflows.onboarding.state import OnboardingState
from workflows.process import Changed, Stopped

Kinds = tuple[DocumentKind, ...]
Found = tuple[Document, ...]


class _Asking:
    """One time that documents are asked for: the letters about it, and how long it takes."""

    def __init__(self, number: int, policy: DocumentsPolicy, refused: Found) -> None:
        begun = workflow.now()
        self.number = number
        self.refused = refused
        self.expires_at = begun + policy.expires_after
        self.judged_at: datetime | None = None
        self.in_time = True
        self._letters = [begun, *(begun + after for after in sorted(policy.remind_after))]
        self._written = 0

    def letter_due(self) -> int | None:
        """The number of the letter that is due now, noted as written: the last one, of several."""
        due = sum(at <= workflow.now() for at in self._letters)
        if due <= self._written:
            return None
        self._written = due
        return due

    def look_after(self) -> timedelta:
        """When to look again though nothing is heard: where the next letter is due."""
        now = workflow.now()
        return min([at - now for at in self._letters if at > now], default=timedelta.max)


class CollectingDocuments(Judging[OnboardingState], Onboarding):
    """An onboarding that asks its applicant for documents."""

    async def collect_documents(self, kinds: Kinds, policy: DocumentsPolicy) -> bool:
        """Have a document of each kind; False where they did not come in time, or never fitted.

        A kind that was refused is asked for again, with all the time that there was at first.
        """
        if not kinds:
            return True
        standing = self.state.standing
        standing.documents = standing.documents or self.state.round
        request = AskForDocuments(
            application_id=self.applicant,
            round=standing.documents,
            kinds=kinds,
            files=policy.files,
            dated=tuple(kind for kind in kinds if kind in policy.dated),
        )
        try:
            await self.step(DocumentSteps.ask, request, part=self.in_round())
            asking = _Asking(1, policy, refused=())
            while True:
                end = await self._await_delivery(kinds, policy, asking)
                if isinstance(end, bool):
                    return end
                asking = _Asking(asking.number + 1, policy, refused=end)
        except (Stopped, Changed):
            await self.keep_judgements()
            raise
        finally:
            self.state.documents.open = []

    async def _await_delivery(
        self, kinds: Kinds, policy: DocumentsPolicy, asking: _Asking
    ) -> bool | Found:
        """Write, remind, and wait until all is there and was looked at, or it is too late.

        The answer is what was refused instead, where that has to be asked for again.
        """
        while True:
            heard = list(self.state.documents.heard)
            await self.keep_judgements()
            found = await self._look()
            if self._has_news(heard):
                continue
            missing = _without(kinds, found, "stored", "accepted")
            if refused := self._refused_anew(missing, found):
                times = Counter(one.kind for one in found if one.state == "refused")
                return refused if max(times.values()) < policy.tries else False
            if not missing:
                if not _without(kinds, found, "accepted") or await self._looked_at(policy, asking):
                    return True
            elif not asking.in_time:
                return False
            elif letter := asking.letter_due():
                await self._write(missing, asking, letter)
            await self._wait(missing, asking, heard)

    async def _wait(self, missing: Kinds, asking: _Asking, heard: list[str]) -> None:
        """Wait for documents where any are missing, and otherwise for a reviewer."""
        asking.in_time = await self.wait_for(
            lambda: self._has_news(heard),
            until=asking.expires_at if missing else asking.judged_at or workflow.now(),
            look_after=asking.look_after(),
            what=f"documents: {', '.join(missing)}" if missing else "a look at the documents",
            who="the applicant" if missing else "a reviewer",
        )

    async def _looked_at(self, policy: DocumentsPolicy, asking: _Asking) -> bool:
        """Whether reviewers had their time, from when everything was there."""
        if asking.judged_at is None and policy.look_hours is None:
            asking.judged_at = workflow.now() + (policy.look_within or timedelta(0))
        elif asking.judged_at is None:
            ask = TimeToLook(
                application_id=self.applicant, version=self.version, hours=policy.look_hours or 0
            )
            asking.judged_at = (await self.step(DocumentSteps.time_to_look, ask)).at
        return workflow.now() >= asking.judged_at

    def _has_news(self, heard: list[str]) -> bool:
        return self.state.documents.heard != heard or bool(self.state.documents.judged)

    def _refused_anew(self, missing: Kinds, found: Found) -> Found:
        """What was refused, is missing now, and has not been asked for again."""
        known = self.state.documents.refused
        refused = [
            one
            for one in found
            if one.state == "refused" and one.kind in missing and one.document_id not in known
        ]
        known.extend(one.document_id for one in refused)
        return tuple(refused)

    async def _look(self) -> Found:
        """The documents of this round; what came in is put into the archive at once."""
        look = LookAtDocuments(application_id=self.applicant, round=self.state.standing.documents)
        there = await self.step(DocumentSteps.look, look)
        found = [
            await self._take_over(one) if one.state == "received" else one
            for one in there.documents
        ]
        self.let_judge(found)
        return tuple(found)

    async def _take_over(self, document: Document) -> Document:
        """Have a document put into the archive; where that is skipped, it may be sent again."""
        about = ForDocument(application_id=self.applicant, document_id=document.document_id)
        stored = await self.step(
            DocumentSteps.store,
            about,
            part=document.document_id,
            undo=DocumentSteps.erase,
            if_skipped=Stored(document_id=document.document_id, sha256=None),
        )
        if stored.sha256 is None:
            await self.step(DocumentSteps.give_up, about, part=document.document_id)
        state: DocumentState = "gone" if stored.sha256 is None else "stored"
        return document.model_copy(update={"state": state})

    async def _write(self, missing: Kinds, asking: _Asking, letter: int) -> None:
        await self.step(
            DocumentSteps.write,
            WriteAboutDocuments(
                application_id=self.applicant,
                occasion="asked" if letter == 1 else "reminder",
                kinds=missing,
                until=asking.expires_at,
                refused=tuple(Refusal(kind=one.kind, code=one.code) for one in asking.refused),
            ),
            part=self.in_round(f"{asking.number}-{letter}"),
            if_skipped=Letter(message_id=None),
        )

    @workflow.signal
    @dropping_what_is_no_hint
    def documents_changed(self, hint: DocumentsChanged) -> None:
        """Documents may have come in."""
        if hint.event_id not in self.state.documents.heard:
            self.state.documents.heard.append(hint.event_id)


def _without(kinds: Kinds, found: Sequence[Document], *states: DocumentState) -> Kinds:
    """The kinds of which there is no document in one of these states."""
    there = {one.kind for one in found if one.state in states}
    return tuple(kind for kind in kinds if kind not in there)
