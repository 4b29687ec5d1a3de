"""What everything that watches over a customer stands on."""

from typing import cast

from temporalio import workflow
from temporalio.exceptions import FailureError

from workflows.attempt import attempt
from workflows.conduct import Undoing, reason_of
from workflows.onboarding.life import (
    LIFE_TRANSITIONS,
    Approved,
    Difference,
    LifeStage,
    LifeState,
    Made,
    PutBefore,
    Question,
    RecordLife,
)
from workflows.onboarding.life_steps import TAKEN_BACK, LifeSteps
from workflows.process import Process
from workflows.step import Input, Method, Output, Steps, declaration_of


class Customer(Process[LifeState]):
    """A customer, without anybody who watches yet: each watch adds its own part.

    What is known of the customer is in `state`, which goes over from run to run.
    """

    TRANSITIONS = LIFE_TRANSITIONS
    UNDONE = frozenset({"offboarded"})

    def __init__(self, state: LifeState) -> None:
        super().__init__(state.stage, state)
        self.budgets = state.budgets
        self.version = state.version
        self._conduct.decided[:] = state.decided
        self._conduct.notices_before = state.noticed
        for made in state.made:
            self._conduct.will_undo(Undoing(TAKEN_BACK[made.undo], made.of, made.part))

    @property
    def id(self) -> str:
        """The id of the application that the customer came with."""
        return self.state.application_id

    @property
    def made(self) -> list[Made]:
        """What will be taken back when they leave."""
        return [
            Made(undo=declaration_of(one.method).name, of=one.of, part=one.part)
            for one in self._conduct.undos
        ]

    def keep(self, key: str) -> None:
        """Let what was made under a key be, whatever comes."""
        self._conduct.undos = [one for one in self._conduct.undos if one.of != key]

    async def record_stage(self, stage: str) -> None:
        """Keep the stage where lists are made from."""
        self.state.stage = cast("LifeStage", stage)
        self.state.entered += 1
        left = self.state.stage == "offboarded"
        await self.step(
            LifeSteps.record_stage,
            RecordLife(
                application_id=self.id,
                stage=self.state.stage,
                keep_for=self.state.policy.keep_for if left else None,
            ),
            part=f"{stage}-{self.state.entered}",
        )

    async def ask(
        self,
        question: Question,
        part: str,
        difference: Difference | None = None,
    ) -> bool:
        """Put something before somebody: *retry* is a yes, *skip* a no."""
        asked = PutBefore(application_id=self.id, question=question, difference=difference)
        approved = await self.step(
            LifeSteps.put_before, asked, part=part, if_skipped=Approved(go_on=False)
        )
        return approved.go_on

    async def glance(self, method: Method[Steps, Input, Output], request: Input) -> Output | None:
        """What a read answers; None where nothing comes within its budget, and nobody is called."""
        try:
            return await attempt(
                declaration_of(method), method, request, self.budgets, self._display
            )
        except FailureError as failure:
            workflow.logger.warning("no answer", extra={"reason": reason_of(failure).type})
            return None
