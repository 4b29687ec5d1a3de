"""Whoever became a customer may be put on a list later."""

from temporalio import workflow

from workflows.conduct import Stop
from workflows.hints import dropping_what_is_no_hint
from workflows.onboarding.life import LifeState, ListChanged, RecordScreening
from workflows.onboarding.life_steps import LifeSteps
from workflows.onboarding.review import Verdict
from workflows.onboarding.reviewing import Reviewing
from workflows.onboarding.rules import ScreeningStatus
from workflows.onboarding.screening import HitJudged, LookAtHits, Screen, ScreeningSteps
from workflows.onboarding.watches.customer import Customer


class ScreeningAgain(Reviewing[LifeState], Customer):
    """A customer who is screened again with each new version of the list.

    Whoever may be on it is put before reviewers: they judge the hits, and let the customer stay or
    have them leave.
    """

    @property
    def list_is_new(self) -> bool:
        """Whether the list has another version than the one they were screened with."""
        state = self.state
        told = state.list_told is not None and state.list_told != state.list_version
        return told and state.screening is not None

    @property
    def hits_are_due(self) -> bool:
        """Whether there is something to see to: a new list, a judgement, an open review."""
        return self.list_is_new or self.state.hits_judged or self.state.review is not None

    async def see_to_hits(self) -> None:
        """See a review through that is open since the run before; screen them, or look at them."""
        if self.state.review is not None:
            part = f"review-{self.state.review.number}"
            await self._follow(await self.see_through(self.state.review), part)
        elif self.list_is_new:
            await self._screen_again()
        elif self.state.hits_judged:
            await self._look_at_judgements()

    async def _screen_again(self) -> None:
        """Screen everybody in the application until nothing that is found is left to be settled."""
        told, policy = self.state.list_told, self.state.screening
        assert policy is not None, "that is what makes a list news"
        settled = False
        while not settled:
            # A request that parked has the same key in the next run: it is counted when it is over.
            part = f"again-{self.state.screened + 1}"
            screen = Screen(application_id=self.id, policy=policy)
            screened = await self.step(ScreeningSteps.screen, screen, part=part)
            self.state.screened += 1
            record = RecordScreening(
                application_id=self.id,
                status=screened.status,
                list_version=told or screened.list_version,
            )
            await self.step(LifeSteps.record_screening, record, part=part)
            settled = await self._settled_hits(screened.status, part)
            if settled:
                self.state.list_version = record.list_version

    async def _look_at_judgements(self) -> None:
        """Look what was judged since; whoever was found to be on the list is put before people."""
        settled = False
        while not settled:
            self.state.hits_judged = False
            number = self.state.screened + 1
            now = await self.step(ScreeningSteps.look_at_hits, LookAtHits(application_id=self.id))
            record = RecordScreening(
                application_id=self.id,
                status=now.status,
                list_version=self.state.list_version or "",
            )
            await self.step(LifeSteps.record_screening, record, part=f"judged-{number}")
            self.state.screened = number
            settled = await self._settled_hits(now.status, f"judged-{number}")

    async def _settled_hits(self, status: ScreeningStatus, part: str) -> bool:
        """Whether nothing is left to be asked about the hits; else they are to be looked at anew.

        Where the policy has no terms for reviews, a judgement is all there is: an operator is shown
        that it is missing, and whoever is on the list has to leave.
        """
        if status not in ("possible", "confirmed"):
            return True
        policy = self.state.policy.review
        if policy is not None:
            terms = policy.terms(status)
            return await self._follow(await self.review(terms, excluded=self.state.excluded), part)
        if status == "confirmed":
            self._stop(Stop(end="offboarded"))
            return True
        return not await self.ask("hits", part)

    async def _follow(self, verdict: Verdict, part: str) -> bool:
        """Do what reviewers decided; whether that is the end of it.

        Whom they let stay is looked at once more: every hit was judged to be somebody else then.
        """
        if verdict.outcome == "rejected":
            self._stop(Stop(end="offboarded"))
            return True
        if verdict.outcome == "expired":
            return not await self.ask("hits", part)
        return False

    @workflow.signal
    @dropping_what_is_no_hint
    def list_changed(self, changed: ListChanged) -> None:
        """The list of those who need a second look has changed."""
        self.state.list_told = changed.list_version

    @workflow.signal
    @dropping_what_is_no_hint
    def hit_judged(self, hint: HitJudged) -> None:
        """A reviewer judged a hit of theirs."""
        self.state.hits_judged = True
