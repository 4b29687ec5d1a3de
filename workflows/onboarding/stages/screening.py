"""The stage in which the parties of an application are looked for on lists."""

from temporalio import workflow

from workflows.hints import dropping_what_is_no_hint
from workflows.onboarding.policy import ScreeningPolicy
from workflows.onboarding.screening import (
    HitJudged,
    HitsNow,
    LookAtHits,
    Screen,
    Screened,
    ScreeningSteps,
)
from workflows.onboarding.stages.onboarding import Onboarding
from workflows.onboarding.state import Hits
from workflows.process import Changed, Stopped

_DECIDED = frozenset({"awaiting_documents", "provisioning"})
"""The stages that rest on a decision, while it can be taken back."""


class Screening(Onboarding):
    """An onboarding whose parties are screened.

    What people make of the hits may change until the welcome: what was decided on other grounds is
    void then. From the welcome on it is the business of whoever watches over the customer.
    """

    async def screen(self, policy: ScreeningPolicy) -> Screened:
        """Screen everybody who is in the application now."""
        self.state.hits = Hits()  # what is judged until the answer is there is looked at once more
        screened = await self.step(
            ScreeningSteps.screen,
            Screen(application_id=self.applicant, policy=policy),
            part=self.in_round(),
        )
        self.state.hits.status = screened.status
        self.state.hits.politically_exposed = screened.politically_exposed
        return screened

    async def hits_must_stand(self) -> None:
        """Raises Changed where people found worse of the hits than what was decided on."""
        if self.state.hits.news and await self._are_worse():
            self.tell_again()
            self.check_interruption()

    async def _are_worse(self) -> bool:
        """Whether people found worse by now. What is worse stays news until it is decided about."""
        hits = self.state.hits
        heard = hits.heard
        now = await self.step(
            ScreeningSteps.look_at_hits, LookAtHits(application_id=self.applicant)
        )
        if _worse(now, hits):
            return True
        hits.seen = heard
        return False

    async def _look_beside(self) -> None:
        """Look beside the story, which goes on meanwhile, and interrupt it where it must not."""
        try:
            worse = await self._are_worse()
        except (Stopped, Changed):  # it ends, or screens anew, in any case
            return
        if worse and self.stage in _DECIDED and self.goes_on:
            self.tell_again()

    @workflow.signal
    @dropping_what_is_no_hint
    def hit_judged(self, hint: HitJudged) -> None:
        """A reviewer judged a hit. While people review the application, it is theirs to mind."""
        self.state.hits.heard += 1
        if self.stage in _DECIDED and self.goes_on:
            self.beside(self._look_beside())


def _worse(now: HitsNow, before: Hits) -> bool:
    listed = now.status == "confirmed" and before.status != "confirmed"
    return listed or (now.politically_exposed and not before.politically_exposed)
