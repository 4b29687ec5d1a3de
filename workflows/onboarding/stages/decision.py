"""The stage in which rules decide, and what becomes of those who are turned down."""

from collections.abc import Sequence
from typing import Literal

from temporalio import workflow

from workflows.onboarding.decision import Decide, Decided
from workflows.onboarding.messages import (
    Letter,
    Received,
    Reject,
    Validated,
)
from workflows.onboarding.policy import Policy
from workflows.onboarding.rules import AdverseAction
from workflows.onboarding.screening import Screened
from workflows.onboarding.stages.onboarding import Onboarding
from workflows.onboarding.steps import ApplicationSteps, NoticeSteps


class Deciding(Onboarding):
    """An onboarding that is decided by the tables that it took up."""

    async def decide(
        self,
        received: Received,
        validated: Validated,
        identity: Literal["verified", "failed"],
        screened: Screened | None,
    ) -> Decided:
        """Ask the tables. What was not looked into is for a person to look at."""
        return await self.step(
            ApplicationSteps.decide,
            Decide(
                application_id=self.applicant,
                identity=identity,
                rules=received.rules,
                screening=screened.status if screened else None,
                politically_exposed=bool(screened and screened.politically_exposed),
                possible_duplicate=validated.possible_duplicate,
            ),
            part=self.in_round(),
        )

    async def turn_down(self, policy: Policy, codes: Sequence[AdverseAction]) -> str:
        """Tell the applicant, in the words that are for them; the answer is the end."""
        if policy.rejection is not None:
            self.state.adverse_actions = tuple(codes)
            self.state.appeal_until = workflow.now() + policy.rejection.appeal_within
            await self.step(
                NoticeSteps.reject,
                Reject(
                    application_id=self.applicant,
                    codes=self.state.adverse_actions,
                    appeal_until=self.state.appeal_until,
                ),
                part=self.in_round(),
                if_skipped=Letter(message_id=None),
            )
        return "rejected"
