"""When people look at an application, and agree or say no: of an applicant, or of a customer."""

from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.decisions import Taken
from workflows.onboarding.life import is_customer
from workflows.onboarding.review import (
    BY_DEFAULT,
    AboutReview,
    Approval,
    CloseReview,
    Mark,
    OfReview,
    OpenedReview,
    OpenReview,
    Rejection,
    RemindOfReview,
    Reviewed,
    ReviewTerms,
    UnderReview,
    Verdict,
    review_id,
)
from workflows.onboarding.steps import ReviewSteps
from workflows.process import Process

Subject = TypeVar("Subject", bound=Reviewed)


class Reviewing(Process[Subject]):
    """A process whose applicant people look at: they agree, or one says no, or time runs out."""

    async def review(self, terms: ReviewTerms, *, excluded: tuple[str, ...] = ()) -> Verdict:
        """Put the application before people, and answer what came of it.

        `excluded` names the actors who may not decide. When nobody decided in time it is what the
        terms say, never an approval. Whoever agreed has agreed in this review alone: another one of
        the same applicant begins with nobody.
        """
        self.state.reviews += 1
        number, process = self.state.reviews, workflow.info().workflow_id
        opened = await self.step(
            ReviewSteps.open_review,
            OpenReview(
                application_id=self.state.application_id,
                number=number,
                process=process if is_customer(process) else None,
                terms=terms,
                excluded=excluded,
            ),
            part=str(number),
        )
        self.state.review = UnderReview(
            id=review_id(self.state.application_id, number),
            number=number,
            version=self.version,
            terms=terms,
            excluded=excluded,
            owner=terms.owner,
            due_at=opened.due_at,
            marks=_marks(opened),
        )
        return await self.see_through(self.state.review)

    async def see_through(self, one: UnderReview) -> Verdict:
        """What came of a review that is open: in this run of the process, or since one before."""
        try:
            await self._until_settled(one)
        finally:
            self.state.review = None
        verdict = _verdict_of(one)
        await self.step(
            ReviewSteps.close,
            CloseReview(
                review_id=one.id,
                verdict=verdict,
                by_default=not one.settled,
                rule_version=one.terms.version,
            ),
            part=str(one.number),
        )
        return verdict

    async def _until_settled(self, one: UnderReview) -> None:
        """Wait for people, remind them, and put it before others; until the time is up."""
        try:
            await self._wait_for_people(one)
        except Exception:  # it is stopped, or gone through again: what was said stays on record
            await self._keep_decisions(one)
            raise
        await self._keep_decisions(one)  # and what was said while it was put before others

    async def _wait_for_people(self, one: UnderReview) -> None:
        in_time, marks = True, one.marks
        while in_time and not one.settled:
            next_at = marks[0].at if marks else one.due_at + timedelta(seconds=1)
            in_time = await self.wait_for(
                lambda: one.kept < len(one.decisions),
                until=one.due_at,
                look_after=max(next_at - workflow.now(), timedelta(0)),
                what="a review" if one.missing == 1 else f"a review by {one.missing} people",
                who=f"a {one.owner.replace('_', ' ')}",
            )
            await self._keep_decisions(one)
            while in_time and marks and marks[0].at <= workflow.now() and not one.settled:
                if marks.pop(0).what == "remind":
                    await self._remind(one)
                else:
                    await self._escalate(one)

    async def _keep_decisions(self, one: UnderReview) -> None:
        while one.kept < len(one.decisions):
            await self.keep_decision(*one.decisions[one.kept])
            one.kept += 1

    async def _remind(self, one: UnderReview) -> None:
        self.tell(
            ReviewSteps.remind,
            RemindOfReview(review_id=one.id, owner=one.owner, due_at=one.due_at),
            part=str(one.number),
        )

    async def _escalate(self, one: UnderReview) -> None:
        one.owner = "senior_reviewer"
        number = str(one.number)
        await self.step(ReviewSteps.escalate, OfReview(review_id=one.id), part=number)
        self.tell(
            ReviewSteps.remind,
            RemindOfReview(review_id=one.id, owner=one.owner, due_at=one.due_at, escalated=True),
            part=f"{number}-escalated",
        )

    @workflow.update(description="Agree with the application that is under review.")
    async def approve(self, approval: Approval) -> Taken:
        """Agree. Answers as soon as it is accepted; another person may have to agree, too."""
        return await self._take(approval)

    @approve.validator
    def _may_approve(self, approval: Approval) -> None:
        self._review_of(approval)

    @workflow.update(description="Say no to the application that is under review.")
    async def reject(self, rejection: Rejection) -> Taken:
        """Say no, which ends the review, whoever agreed before."""
        return await self._take(rejection)

    @reject.validator
    def _may_reject(self, rejection: Rejection) -> None:
        self._review_of(rejection)

    async def _take(self, decision: Approval | Rejection) -> Taken:
        await self.verify(decision, roles=self._review_of(decision).deciders)
        update = workflow.current_update_info()
        assert update is not None, "decisions come as updates"
        # Much may have happened while the signature was checked.
        self._review_of(decision).decisions.append((update.name, decision))
        return self.taken()

    def _review_of(self, decision: AboutReview) -> UnderReview:
        """The open review, where this decision may be taken in it now.

        Raises ApplicationError, whose type says why not.
        """
        one, actor = self.state.review, decision.by.actor
        if one is None or self.taken().stopping:
            raise _no("NotReviewing", f"nothing is under review: it is {self.stage}")
        if one.settled or workflow.now() >= one.due_at:
            raise _no("AlreadyDecided", "the review has come to its end")
        if decision.review != one.number:
            raise _no("OtherReview", f"another review is open by now: the one of {one.id}")
        # A change counts from when it was taken, even if the story has yet to hear of it.
        if one.version != decision.version or one.version != self.version:
            raise _no("OtherVersion", f"the application is in version {self.version} by now")
        if actor.kind != "person":
            raise _no("NotAPerson", "people decide in a review: this is the key of a service")
        if not set(actor.roles) & set(one.deciders):
            raise _no("NotTheirs", f"this review takes the role {' or '.join(one.deciders)}")
        if actor.name in one.excluded:
            raise _no("Excluded", "whoever has a part in this application may not decide about it")
        if isinstance(decision, Approval) and actor.name in one.agreed:
            raise _no("AgreedAlready", "the same person has agreed already: it takes another one")
        return one


def _marks(opened: OpenedReview) -> list[Mark]:
    """What is to be done while nobody decides, in the order in which it is due."""
    marks = [
        Mark(at=opened.remind_at, what="remind"),
        Mark(at=opened.escalate_at, what="escalate"),
    ]
    return sorted((one for one in marks if one.at < opened.due_at), key=lambda one: one.at)


def _verdict_of(one: UnderReview) -> Verdict:
    if one.rejection is not None:
        return Verdict(outcome="rejected", codes=one.rejection.codes)
    if one.settled:
        return Verdict(outcome="approved")
    if one.terms.by_default == "reject":
        return Verdict(outcome="rejected", codes=(BY_DEFAULT,))
    return Verdict(outcome="expired")


def _no(type_: str, text: str) -> ApplicationError:
    return ApplicationError(text, type=type_)
