"""The stage in which an applicant proves who they are."""

from typing import Literal

from temporalio import workflow

from workflows.hints import dropping_what_is_no_hint
from workflows.onboarding.messages import (
    IdentityChanged,
    OpenSession,
    ReadSession,
)
from workflows.onboarding.policy import IdentityPolicy
from workflows.onboarding.stages.onboarding import LOOK_AGAIN, Onboarding
from workflows.onboarding.steps import IdentitySteps


class ProvingIdentity(Onboarding):
    """An onboarding that asks its applicant for proof of identity."""

    async def verify_identity(
        self, policy: IdentityPolicy
    ) -> Literal["verified", "failed", "expired"]:
        """Let the applicant prove who they are, in so many tries and so much time."""
        if self.state.standing.identity is None:
            self.state.standing.identity = await self.proof_of_identity(policy)
        return self.state.standing.identity or "expired"

    async def proof_of_identity(
        self, policy: IdentityPolicy
    ) -> Literal["verified", "failed"] | None:
        """Whether the applicant proved it in a session of their own; None where time runs out."""
        # The link to a session of the round before is gone with its stage: a look makes it anew.
        stands = self.state.session_id is not None and workflow.patched("look-at-open-session")
        session = await self.open_session()
        until = workflow.now() + policy.expires_after
        heard: list[str] = []
        while True:
            in_time = stands or await self.wait_for(
                lambda: self.state.identity_events != heard,
                until=until,
                look_after=LOOK_AGAIN,
                what="proof of identity",
                who="the applicant",
            )
            stands = False
            heard[:] = self.state.identity_events
            # Events come late, twice and out of order: they say when to look, never what is so.
            now = await self.step(
                IdentitySteps.read_session,
                ReadSession(session_id=session, application_id=self.applicant),
            )
            if now.status == "verified":
                return "verified"
            if now.error and now.report_id and now.report_id not in self.state.failed_reports:
                self.state.failed_reports.append(now.report_id)
            if now.status == "canceled" or len(self.state.failed_reports) >= policy.tries:
                return "failed"
            if not in_time:
                return None

    async def open_session(self) -> str:
        """The session that is open. One that was opened for what has changed since is closed."""
        if self.state.session_id is None:
            await self.take_back(IdentitySteps.close_session)
            session = await self.step(
                IdentitySteps.open_session,
                OpenSession(application_id=self.applicant),
                part=self.in_round(),
                undo=IdentitySteps.close_session,
            )
            self.state.session_id = session.session_id
        return self.state.session_id

    @workflow.signal
    @dropping_what_is_no_hint
    def identity_changed(self, hint: IdentityChanged) -> None:
        """Something happened to the identity session."""
        if hint.event_id not in self.state.identity_events:
            self.state.identity_events.append(hint.event_id)
