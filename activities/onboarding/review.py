"""Reviews in our own database, and the mails that remind of them."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.letters import Letters
from activities.onboarding.business_hours import ReviewHours
from activities.once import Kept, Once
from database import decisions, onboardings, reviews
from workflows.onboarding.review import (
    CloseReview,
    OfReview,
    OpenedReview,
    OpenReview,
    RemindOfReview,
    Reviewer,
)
from workflows.onboarding.steps import ReviewSteps
from workflows.step import implements


class ReviewActivities(ReviewSteps):
    """Reviews. `addresses` are where each role's reminders go."""

    def __init__(
        self,
        engine: AsyncEngine,
        letters: Letters,
        hours: ReviewHours,
        *,
        addresses: Mapping[Reviewer, str],
    ) -> None:
        self._once = Once(engine)
        self._letters = letters
        self._hours = hours
        self._addresses = addresses

    @implements(ReviewSteps.open_review)
    async def open_review(self, request: OpenReview) -> OpenedReview:
        """Put the application into the queue.

        The times are counted from our database's clock and kept with the request: a process that is
        reset hears the same again.
        """

        async def put(connection: AsyncConnection) -> OpenedReview:
            application = await onboardings.application(
                connection, request.application_id, request.version
            )
            now, terms = await reviews.now(connection), request.terms
            country = application.form["country"]
            opened = OpenedReview(
                remind_at=self._hours.after(now, terms.remind_after, country=country),
                escalate_at=self._hours.after(now, terms.escalate_after, country=country),
                due_at=self._hours.after(now, terms.decide_within, country=country),
            )
            await reviews.open_(
                connection,
                request,
                tenant=application.tenant,
                workflow_id=request.process or application.workflow_id,
                opened_at=now,
                opened=opened,
            )
            return opened

        return await self._once.ours(request, put, OpenedReview)

    @implements(ReviewSteps.remind)
    async def remind(self, request: RemindOfReview) -> None:
        """Send a mail to those in whose queue the review is."""
        what = "Yours now" if request.escalated else "Waiting"
        await self._letters.send(
            request,
            to=self._addresses[request.owner],
            subject=f"{what}: review {request.review_id}",
            text=(
                f"Nobody has decided about this application yet.\n\n"
                f"Review: {request.review_id}\n"
                f"Decide until: {request.due_at:%Y-%m-%d %H:%M} UTC\n"
                f"It takes the role {request.owner}:\n"
                f"  perdure review show {request.review_id}\n"
            ),
        )

    @implements(ReviewSteps.escalate)
    async def escalate(self, request: OfReview) -> None:
        """Move the review to the senior reviewers' queue."""

        async def move(connection: AsyncConnection) -> Kept:
            await reviews.escalate(connection, request.review_id)
            return Kept()

        await self._once.ours(request, move, Kept)

    @implements(ReviewSteps.close)
    async def close(self, request: CloseReview) -> None:
        """Take the review out of the queue; what became of it by default is kept as a decision."""

        async def take_out(connection: AsyncConnection) -> Kept:
            process = await reviews.close(connection, request.review_id, request.verdict)
            if process is not None and request.by_default:
                await decisions.keep_of_rule(
                    connection,
                    workflow_id=process,
                    kind="review",
                    content=request.verdict.model_dump(mode="json"),
                    rule="decided_too_late",
                    rule_version=request.rule_version,
                )
            return Kept()

        await self._once.ours(request, take_out, Kept)
