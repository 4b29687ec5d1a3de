"""Whoever became a customer may be put on a list later."""

from temporalio import workflow

from workflows.conduct import Stop
from workflows.onboarding.life import ListChanged, RecordScreening
from workflows.onboarding.life_steps import LifeSteps
from workflows.onboarding.screening import Screen, ScreeningSteps
from workflows.onboarding.watches.customer import Customer


class ScreeningAgain(Customer):
    """A customer who is screened again with each new version of the list."""

    @property
    def list_is_new(self) -> bool:
        """Whether the list has another version than the one they were screened with."""
        state = self.state
        told = state.list_told is not None and state.list_told != state.list_version
        return told and state.screening is not None

    async def screen_again(self) -> None:
        """Screen everybody in the application; whoever is on the list has to leave.

        That a party is the one who is listed is a reviewer's judgement of the hit. Until there is
        one, an operator is shown that it is missing.
        """
        told, policy = self.state.list_told, self.state.screening
        assert policy is not None, "that is what makes a list news"
        while True:
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
            if screened.status == "confirmed":
                self._stop(Stop(end="offboarded"))
            if screened.status != "possible" or not await self.ask("hits", part):
                self.state.list_version = record.list_version
                return

    @workflow.signal
    def list_changed(self, changed: ListChanged) -> None:
        """The list of those who need a second look has changed."""
        self.state.list_told = changed.list_version
