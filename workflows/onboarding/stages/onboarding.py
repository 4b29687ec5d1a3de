"""What every stage of an onboarding stands on."""

from datetime import timedelta

from workflows.onboarding.messages import RecordStage
from workflows.onboarding.state import OnboardingState
from workflows.onboarding.steps import ApplicationSteps
from workflows.process import Process

LOOK_AGAIN = timedelta(days=1)
"""How often it is looked whether something passed unheard. A session's link lasts two days."""


class Onboarding(Process[OnboardingState]):
    """An onboarding, without a story yet: each stage adds its own part of it.

    A changed application is gone through again. `in_round` tells the rounds apart, so that a step
    that may be done again never meets the request key of the round before.
    """

    @property
    def applicant(self) -> str:
        """The id of the application, by which our database knows the applicant."""
        return self.state.application_id

    def in_round(self, part: str = "") -> str:
        """The part of a step in this round: as it is in the first, with the round in later ones."""
        if self.state.round == 1:
            return part
        return f"{part}-round-{self.state.round}" if part else f"round-{self.state.round}"

    async def record_stage(self, stage: str) -> None:
        """Keep the stage where lists are made from."""
        record = RecordStage(application_id=self.applicant, stage=stage)
        if stage == "rejected":
            told = {
                "adverse_actions": self.state.adverse_actions,
                "appeal_until": self.state.appeal_until,
            }
            record = record.model_copy(update=told)
        await self.step(
            ApplicationSteps.record_stage,
            record,
            part=self.in_round(stage),
        )
