"""The stage in which the parties of an application are looked for on lists."""

from workflows.onboarding.policy import ScreeningPolicy
from workflows.onboarding.screening import Screen, Screened, ScreeningSteps
from workflows.onboarding.stages.onboarding import Onboarding


class Screening(Onboarding):
    """An onboarding whose parties are screened."""

    async def screen(self, policy: ScreeningPolicy) -> Screened:
        """Screen everybody who is in the application now."""
        return await self.step(
            ScreeningSteps.screen,
            Screen(application_id=self.applicant, policy=policy),
            part=self.in_round(),
        )
