"""What reviewers say of onboardings that may be of one applicant."""

from typing import Literal

from temporalio import workflow

from workflows.decisions import Taken
from workflows.onboarding.duplicates import DuplicateSteps, Link, Merge, Relate
from workflows.onboarding.reviewing import Reviewing
from workflows.onboarding.stages.onboarding import Onboarding
from workflows.onboarding.state import OnboardingState


class RelatingDuplicates(Reviewing[OnboardingState], Onboarding):
    """An onboarding under review that may be merged into another one, or linked with it."""

    @workflow.update(description="It is the same applicant as another one, which goes on instead.")
    async def merge(self, merge: Merge) -> Taken:
        """Turn this one down in favour of the other: a no, with all that a no needs."""
        taken = await self._take(merge)
        self.beside(self._relate("merge", merge))
        return taken

    @merge.validator
    def _may_merge(self, merge: Merge) -> None:
        self._review_of(merge)

    @workflow.update(description="It has to do with another one; both go on.")
    async def link(self, link: Link) -> Taken:
        """Link two onboardings. The review goes on: somebody has yet to decide."""
        await self.verify(link, roles=self._review_of(link).deciders)
        self._review_of(link)
        self.beside(self.keep_decision("link", link))
        self.beside(self._relate("link", link))
        return self.taken()

    @link.validator
    def _may_link(self, link: Link) -> None:
        self._review_of(link)

    async def _relate(self, relation: Literal["merge", "link"], decision: Merge | Link) -> None:
        related = Relate(application_id=self.applicant, other=decision.other, relation=relation)
        part = decision.by.update_id
        await self._have_done(DuplicateSteps.relate, related, part, if_skipped=None)
