"""A document that a customer delivered may expire: then they are asked for a new one in time."""

from datetime import UTC, datetime, time, timedelta

from temporalio import workflow

from workflows.hints import dropping_what_is_no_hint
from workflows.onboarding.documents import (
    AskForDocuments,
    Document,
    DocumentsChanged,
    DocumentSteps,
    ForDocument,
    LookAtDocuments,
    Refusal,
    Stored,
    TimeToLook,
    WriteAboutDocuments,
)
from workflows.onboarding.judging import Judging
from workflows.onboarding.life import LifeState, Paper, PapersAsked
from workflows.onboarding.life_policy import ExpiringPolicy
from workflows.onboarding.messages import Letter
from workflows.onboarding.rules import DocumentKind
from workflows.onboarding.watches.customer import Customer

NEVER = datetime.max.replace(tzinfo=UTC)
LOOK_AGAIN = timedelta(days=1)
"""How often it is looked whether something came in that nothing is heard of."""


class RenewingDocuments(Judging[LifeState], Customer):
    """A customer whose documents are replaced before the day on which they expire."""

    @property
    def papers_due(self) -> datetime:
        """When to ask for a new document, or to look what became of those that were asked for."""
        if self.state.papers_asked is not None:
            return self.state.papers_asked.look_at
        policy = self.state.policy.documents
        if policy is None:
            return NEVER
        ends = [_end_of(one) - policy.ask_before for one in self._watched()]
        return min(ends, default=NEVER)

    @property
    def papers_heard(self) -> bool:
        """Whether something was heard that nobody has looked at yet."""
        heard = self.state.papers_heard or bool(self.state.documents.judged)
        return heard and self.state.papers_asked is not None

    async def see_to_papers(self) -> None:
        """Ask for new documents, or look at what came of it."""
        policy, asked = self.state.policy.documents, self.state.papers_asked
        if policy is None:  # nobody sees to it any more
            self.state.papers_asked = None
        elif asked is None:
            await self._ask_for_papers(policy)
        else:
            self.state.papers_heard = False
            await self._look_at_papers(policy, asked)

    def _watched(self) -> list[Paper]:
        return [one for one in self.state.papers if one not in self.state.papers_left]

    async def _ask_for_papers(self, policy: ExpiringPolicy) -> None:
        now = workflow.now()
        expiring = [one for one in self._watched() if _end_of(one) - policy.ask_before <= now]
        if not expiring:
            return
        number, round_ = self.state.papers_number + 1, self.state.papers_round + 1
        kinds = tuple(one.kind for one in expiring)
        await self._let_in(round_, kinds, policy, part=f"papers-{number}")
        until = max(min(_end_of(one) for one in expiring), now + policy.deliver_within)
        self.state.papers_number, self.state.papers_round = number, round_
        self.state.papers_asked = PapersAsked(
            number=number,
            round=round_,
            kinds=kinds,
            until=until,
            due=(now, *(now + after for after in sorted(policy.remind_after))),
            look_at=now,
        )

    async def _let_in(
        self, round_: int, kinds: tuple[DocumentKind, ...], policy: ExpiringPolicy, *, part: str
    ) -> None:
        """Have the door take in documents of these kinds, each with its day, and no others."""
        request = AskForDocuments(
            application_id=self.id,
            round=round_,
            kinds=kinds,
            files=policy.files,
            dated=kinds,
            of_customer=True,
        )
        await self.step(DocumentSteps.ask, request, part=part)

    async def _look_at_papers(self, policy: ExpiringPolicy, asked: PapersAsked) -> None:
        await self.keep_judgements()
        found = await self._found(asked)
        there = {one.kind for one in found if one.state in ("stored", "accepted")}
        missing = tuple(kind for kind in asked.kinds if kind not in there)
        anew = tuple(
            one
            for one in found
            if one.state == "refused"
            and one.kind in missing
            and one.document_id not in asked.refused
        )
        if missing:
            asked = asked.model_copy(update={"judged_at": None})
            await self._wait_for_papers(policy, asked, missing, anew)
        elif await self._were_looked_at(policy, asked, found):
            await self._renewed(policy, asked, found)

    async def _wait_for_papers(
        self,
        policy: ExpiringPolicy,
        asked: PapersAsked,
        missing: tuple[DocumentKind, ...],
        refused: tuple[Document, ...],
    ) -> None:
        """Write where a letter is due, and put it before somebody when it is too late."""
        now = workflow.now()
        if refused:
            told = (*asked.refused, *(one.document_id for one in refused))
            until = max(asked.until, now + policy.deliver_within)
            asked = asked.model_copy(update={"refused": told, "until": until})
            await self._write(asked, missing, f"refused-{len(told)}", refused)
        elif now >= asked.until:
            await self._too_late(policy, asked)
            return
        elif (due := sum(at <= now for at in asked.due)) > asked.letters:
            await self._write(asked, missing, str(due))
            asked = asked.model_copy(update={"letters": due})
        after = [at for at in (*asked.due, asked.until, now + LOOK_AGAIN) if at > now]
        self.state.papers_asked = asked.model_copy(update={"look_at": min(after)})

    async def _too_late(self, policy: ExpiringPolicy, asked: PapersAsked) -> None:
        """Somebody decides whether to ask the customer once more, or to leave it as it is."""
        if await self.ask("documents", f"papers-{asked.number}"):
            now = workflow.now()
            again = {"until": now + policy.deliver_within, "due": (*asked.due, now), "look_at": now}
            self.state.papers_asked = asked.model_copy(update=again)
            return
        left = tuple(one for one in self.state.papers if one.kind in asked.kinds)
        self.state.papers_left = (*self.state.papers_left, *left)
        await self._close(policy, asked)

    async def _were_looked_at(
        self, policy: ExpiringPolicy, asked: PapersAsked, found: list[Document]
    ) -> bool:
        """Whether reviewers accepted a document of each kind, or had their time to refuse."""
        accepted = {one.kind for one in found if one.state == "accepted"}
        if accepted.issuperset(asked.kinds):
            return True
        judged_at = asked.judged_at
        if judged_at is None:
            ask = TimeToLook(application_id=self.id, version=self.version, hours=policy.look_hours)
            judged_at = (await self.step(DocumentSteps.time_to_look, ask)).at
        self.state.papers_asked = asked.model_copy(
            update={"judged_at": judged_at, "look_at": judged_at}
        )
        return workflow.now() >= judged_at

    async def _renewed(
        self, policy: ExpiringPolicy, asked: PapersAsked, found: list[Document]
    ) -> None:
        """What came counts from now on, in the place of what expires."""
        counts = {one.kind: one for one in found if one.state in ("stored", "accepted")}
        new = tuple(
            Paper(kind=kind, valid_until=one.valid_until)
            for kind, one in counts.items()
            if one.valid_until is not None
        )
        others = (one for one in self.state.papers if one.kind not in counts)
        self.state.papers = (*others, *new)
        await self._close(policy, asked)

    async def _close(self, policy: ExpiringPolicy, asked: PapersAsked) -> None:
        await self._let_in(asked.round, (), policy, part=f"papers-{asked.number}-over")
        self.state.papers_asked = None
        self.state.documents.open = []

    async def _found(self, asked: PapersAsked) -> list[Document]:
        """What came in, put into the archive; where that is skipped, it may be sent again."""
        look = LookAtDocuments(application_id=self.id, round=asked.round)
        found = []
        for one in (await self.step(DocumentSteps.look, look)).documents:
            found.append(await self._take_over(one) if one.state == "received" else one)
        self.let_judge(found)
        return found

    async def _take_over(self, document: Document) -> Document:
        """It is evidence, and so nothing takes it out of the archive when the customer leaves."""
        about = ForDocument(application_id=self.id, document_id=document.document_id)
        stored = await self.step(
            DocumentSteps.store,
            about,
            part=document.document_id,
            if_skipped=Stored(document_id=document.document_id, sha256=None),
        )
        if stored.sha256 is not None:
            return document.model_copy(update={"state": "stored"})
        await self.step(DocumentSteps.give_up, about, part=document.document_id)
        return document.model_copy(update={"state": "gone"})

    async def _write(
        self,
        asked: PapersAsked,
        kinds: tuple[DocumentKind, ...],
        letter: str,
        refused: tuple[Document, ...] = (),
    ) -> None:
        await self.step(
            DocumentSteps.write,
            WriteAboutDocuments(
                application_id=self.id,
                occasion="expiring" if asked.letters == 0 or refused else "reminder",
                kinds=kinds,
                until=asked.until,
                refused=tuple(Refusal(kind=one.kind, code=one.code) for one in refused),
            ),
            part=f"papers-{asked.number}-{letter}",
            if_skipped=Letter(message_id=None),
        )

    @workflow.signal
    @dropping_what_is_no_hint
    def documents_changed(self, hint: DocumentsChanged) -> None:
        """Documents may have come in."""
        self.state.papers_heard = True


def _end_of(paper: Paper) -> datetime:
    """The moment from which a document is not valid any more: the end of its last day, in UTC."""
    return datetime.combine(paper.valid_until, time.min, UTC) + timedelta(days=1)
