"""A proof of identity is good for a time only: then it is asked for again."""

from datetime import datetime, timedelta
from typing import Literal

from temporalio import workflow

from workflows.hints import dropping_what_is_no_hint
from workflows.onboarding.life import AskedForProof, AskForProof, RecordProof, Reverification
from workflows.onboarding.life_steps import LifeSteps, ProofLetterSteps
from workflows.onboarding.messages import IdentityChanged, OpenSession, ReadSession
from workflows.onboarding.steps import IdentitySteps
from workflows.onboarding.watches.customer import Customer
from workflows.request_key import request_key
from workflows.step import Undo, Undone, declaration_of

LOOK_AGAIN = timedelta(days=1)
"""How often a session is looked at that nothing is heard of. Its link lasts two days."""


class ProvingIdentityAgain(Customer):
    """A customer who proves who they are once more, after a time that depends on their risk."""

    @property
    def proof_due(self) -> datetime:
        """When to ask for a proof, or to look how the one stands that was asked for."""
        asked = self.state.reverification
        return asked.look_at if asked else self.state.reverify_at

    @property
    def proof_heard(self) -> bool:
        """Whether something was heard that nobody has looked at yet."""
        return self.state.proof_heard and self.state.reverification is not None

    async def see_to_proof(self) -> None:
        """Ask for a proof, or look at the one that was asked for."""
        asked = self.state.reverification
        if asked is None:
            await self._ask_for_proof()
        else:
            self.state.proof_heard = False
            await self._look_at_proof(asked)

    async def _ask_for_proof(self) -> None:
        # A request that parked has the same key in the next run: it is counted when it is over.
        number = self.state.reverified + 1
        part = f"reverify-{number}"
        if self.stage == "active":
            await self.enter("reverifying")
        process = workflow.info().workflow_id
        session = await self.step(
            IdentitySteps.open_session,
            OpenSession(application_id=self.id, process=process),
            part=part,
            undo=IdentitySteps.close_session,
        )
        until = workflow.now() + self.state.policy.reverify_within
        await self.step(
            ProofLetterSteps.ask_for_proof,
            AskForProof(application_id=self.id, until=until),
            part=part,
            if_skipped=AskedForProof(message_id=None),
        )
        self.state.reverified = number
        self.state.reverification = Reverification(
            session_id=session.session_id,
            key=request_key(process, declaration_of(IdentitySteps.open_session).name, part),
            part=part,
            until=until,
            look_at=min(until, workflow.now() + LOOK_AGAIN),
        )

    async def _look_at_proof(self, asked: Reverification) -> None:
        now = await self.glance(
            IdentitySteps.read_session,
            ReadSession(session_id=asked.session_id, application_id=self.id),
        )
        late = workflow.now() >= asked.until
        if now is not None and now.status == "verified":
            self.keep(asked.key)
            await self._proved("verified")
        elif late or (now is not None and now.status == "canceled"):
            await self._not_proved(asked)
        else:
            look_at = min(asked.until, workflow.now() + LOOK_AGAIN)
            self.state.reverification = asked.model_copy(update={"look_at": look_at})

    async def _not_proved(self, asked: Reverification) -> None:
        """Nobody came in time: somebody decides whether to ask again, or to do without."""
        await self.step(
            IdentitySteps.close_session,
            Undo(of=asked.key),
            part=asked.part,
            if_skipped=Undone(existed=True),
        )
        self.keep(asked.key)
        once_more = await self.ask("not_proved", asked.part)
        if once_more:
            self.state.reverification = None
        else:
            await self._proved("accepted")

    async def _proved(self, outcome: Literal["verified", "accepted"]) -> None:
        self.state.proved_at = workflow.now()
        self.state.reverification = None
        proof = RecordProof(
            application_id=self.id,
            outcome=outcome,
            proved_at=self.state.proved_at,
            reverify_at=self.state.reverify_at,
        )
        await self.step(LifeSteps.record_proof, proof, part=f"reverify-{self.state.reverified}")
        await self.enter("active")

    @workflow.signal
    @dropping_what_is_no_hint
    def identity_changed(self, hint: IdentityChanged) -> None:
        """Something happened to an identity session: what it is now is asked, not told."""
        self.state.proof_heard = True
