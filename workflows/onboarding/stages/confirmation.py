"""The stage in which an applicant shows that mail to their address reaches them."""

import math
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.decisions import Taken
from workflows.hints import dropping_what_is_no_hint
from workflows.onboarding.confirmation import (
    ConfirmationSteps,
    EmailConfirmed,
    OpenConfirmation,
    ReadConfirmation,
    SendConfirmation,
)
from workflows.onboarding.messages import ConfirmationResend, Letter
from workflows.onboarding.policy import EmailPolicy
from workflows.onboarding.stages.onboarding import LOOK_AGAIN, Onboarding
from workflows.onboarding.state import Mailing


class ConfirmingAddress(Onboarding):
    """An onboarding that has its applicant press a button behind a link in a mail."""

    async def confirm_address(self, policy: EmailPolicy) -> bool:
        """Let the applicant show that mail reaches them; False where their time runs out."""
        if self.state.standing.address:
            return True
        until = workflow.now() + policy.expires_after
        mailing = self.state.mailing
        if mailing is None:
            mailing = self.state.mailing = Mailing(policy=policy, asked_at=workflow.now())
        if mailing.due:
            await self.ask_to_confirm(mailing)
        heard: list[str] = []
        while True:
            in_time = await self.wait_for(
                lambda: mailing.due or self.state.confirmation_events != heard,
                until=until,
                look_after=LOOK_AGAIN,
                what="confirmed e-mail",
                who="the applicant",
            )
            heard[:] = self.state.confirmation_events
            await self.keep_noted()
            status = await self.step(
                ConfirmationSteps.read,
                ReadConfirmation(application_id=self.applicant, version=self.version),
            )
            if status.confirmed:
                self.state.standing.address = True
                return True
            if not in_time:
                return False
            if mailing.due:
                await self.ask_to_confirm(mailing)

    async def ask_to_confirm(self, mailing: Mailing) -> None:
        """Send the mail with the link, to the address that the application names now."""
        part = self.in_round(str(mailing.mails + 1))
        mailing.asked_at = workflow.now()
        link_seconds = int(mailing.policy.link_holds.total_seconds())
        opened = await self.step(
            ConfirmationSteps.open,
            OpenConfirmation(application_id=self.applicant, link_seconds=link_seconds),
            part=part,
        )
        await self.step(
            ConfirmationSteps.send,
            SendConfirmation(application_id=self.applicant, until=opened.until),
            part=part,
            if_skipped=Letter(message_id=None),
        )
        mailing.mails += 1

    @workflow.signal
    @dropping_what_is_no_hint
    def email_confirmed(self, hint: EmailConfirmed) -> None:
        """An address of the applicant was confirmed."""
        if hint.event_id not in self.state.confirmation_events:
            self.state.confirmation_events.append(hint.event_id)

    @workflow.update(description="Send the mail with the link once more, within limits.")
    async def resend_confirmation(self, resend: ConfirmationResend) -> Taken:
        """Have the mail sent once more. Answers as soon as that is accepted."""
        await self.verify(resend, roles=("service", "support", "operator", "admin"))
        # Somebody else may have asked while the signature was checked.
        self.may_be_mailed().resends.append(resend)
        self.note(resend)
        return self.taken()

    @resend_confirmation.validator
    def _may_resend(self, resend: ConfirmationResend) -> None:
        self.may_be_mailed()

    def may_be_mailed(self) -> Mailing:
        """The mailing, where one more mail may go out now.

        Raises ApplicationError of type `NotConfirming`, `StillSending`, `NoMoreMails` or `TooSoon`;
        the last has the seconds to wait in its details.
        """
        mailing = self.state.mailing
        if self.stage != "verifying_email" or mailing is None:
            raise ApplicationError(
                f"no address waits to be confirmed: the onboarding is {self.stage}",
                type="NotConfirming",
            )
        if mailing.due:
            raise ApplicationError("the last mail has yet to go out", type="StillSending")
        if len(mailing.resends) >= mailing.policy.resends:
            raise ApplicationError(
                f"the mail was sent {mailing.mails} times, which is as often as it may be",
                type="NoMoreMails",
            )
        left = mailing.asked_at + mailing.policy.pause - workflow.now()
        if left > timedelta(0):
            seconds = math.ceil(left.total_seconds())
            raise ApplicationError(
                f"the last mail has only just gone out: the next may go in {seconds} s",
                seconds,
                type="TooSoon",
            )
        return mailing
