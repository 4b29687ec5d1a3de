"""The stage in which people look at an application, and agree or say no."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.decisions import Taken
from workflows.onboarding.review import (
    BY_DEFAULT,
    AboutReview,
    Approval,
    CloseReview,
    OfReview,
    OpenedReview,
    OpenReview,
    Rejection,
    RemindOfReview,
    ReviewTerms,
    UnderReview,
    Verdict,
    review_id,
)
from workflows.onboarding.stages.onboarding import Onboarding
from workflows.onboarding.steps import ReviewSteps

Due = tuple[datetime, Callable[[UnderReview], Awaitable[None]]]
"""What is to be done about an open review, and when."""


class Reviewing(Onboarding):
    """An onboarding that people look at: they agree, or one says no, or the time runs out."""

    async def review(self, terms: ReviewTerms, *, excluded: tuple[str, ...] = ()) -> Verdict:
        """Put the application before people, and answer what came of it.

        `excluded` names the actors who may not decide. When nobody decided in time it is what the
        terms say, never an approval. Whoever agreed has agreed in this review alone: another one of
        the same applicant begins with nobody.
        """
        self.state.reviews += 1
        number = self.state.reviews
        opened = await self.step(
            ReviewSteps.open_review,
            OpenReview(
                application_id=self.applicant, number=number, terms=terms, excluded=excluded
            ),
            part=str(number),
        )
        one = UnderReview(
            id=review_id(self.applicant, number),
            number=number,
            version=self.version,
            terms=terms,
            excluded=excluded,
            owner=terms.owner,
            due_at=opened.due_at,
        )
        self.state.review = one
        try:
            await self._until_settled(one, opened)
        finally:
            self.state.review = None
        verdict = _verdict_of(one)
        await self.step(
            ReviewSteps.close,
            CloseReview(
                review_id=one.id,
                verdict=verdict,
                by_default=not one.settled,
                rule_version=terms.version,
            ),
            part=str(number),
        )
        return verdict

    async def _until_settled(self, one: UnderReview, opened: OpenedReview) -> None:
        """Wait for people, remind them, and put it before others; until the time is up."""
        marks: list[Due] = [(opened.remind_at, self._remind), (opened.escalate_at, self._escalate)]
        due = sorted((mark for mark in marks if mark[0] < one.due_at), key=lambda mark: mark[0])
        try:
            await self._wait_for_people(one, due)
        except Exception:  # it is stopped, or gone through again: what was said stays on record
            await self._keep_decisions(one)
            raise
        await self._keep_decisions(one)  # and what was said while it was put before others

    async def _wait_for_people(self, one: UnderReview, due: list[Due]) -> None:
        in_time = True
        while in_time and not one.settled:
            next_at = min((at for at, _ in due), default=one.due_at + timedelta(seconds=1))
            in_time = await self.wait_for(
                lambda: one.kept < len(one.decisions),
                until=one.due_at,
                look_after=max(next_at - workflow.now(), timedelta(0)),
                what="a review" if one.missing == 1 else f"a review by {one.missing} people",
                who=f"a {one.owner.replace('_', ' ')}",
            )
            await self._keep_decisions(one)
            while in_time and due and due[0][0] <= workflow.now() and not one.settled:
                await due.pop(0)[1](one)

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
            raise _no("NotReviewing", f"nothing is under review: the onboarding is {self.stage}")
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
