"""Customer onboarding, told from the signup to the welcome."""

import math
from datetime import timedelta
from typing import Literal

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.decisions import Taken
from workflows.onboarding.messages import (
    TRANSITIONS,
    UNDONE,
    ConfirmationResend,
    CreateCompany,
    CreateContact,
    CreateCustomer,
    CreateTaxId,
    CreateUser,
    Decide,
    EmailConfirmed,
    EmailPolicy,
    ForApplication,
    IdentityChanged,
    IdentityPolicy,
    JoinGroup,
    Letter,
    Mailing,
    OnboardingState,
    OpenConfirmation,
    OpenSession,
    ReadConfirmation,
    ReadSession,
    Received,
    RecordStage,
    SendConfirmation,
    Start,
    Started,
    Validate,
    Welcome,
    Withdrawal,
)
from workflows.onboarding.steps import (
    ApplicationSteps,
    BillingSteps,
    ConfirmationSteps,
    CrmSteps,
    DirectorySteps,
    IdentitySteps,
    NoticeSteps,
)
from workflows.process import Process

LOOK_AGAIN = timedelta(days=1)
"""How often it is looked whether something passed unheard. A session's link lasts two days."""


@workflow.defn
class CustomerOnboarding(Process[OnboardingState]):
    """One applicant, from the signup to one of the five ends."""

    TRANSITIONS = TRANSITIONS
    UNDONE = UNDONE

    @workflow.init
    def __init__(self, start: Start) -> None:
        super().__init__("received", OnboardingState(application_id=start.application_id))

    @workflow.run
    async def run(self, start: Start) -> str:
        """Onboard, and answer how it ended."""
        return await self.carry_out(self.onboard)

    async def onboard(self) -> str:
        """The story."""
        applicant = self.state.application_id
        received = await self.step(
            ApplicationSteps.receive, ForApplication(application_id=applicant)
        )
        policy = received.policy
        self.budgets = policy.budgets

        await self.enter("validating")
        validated = await self.step(
            ApplicationSteps.validate,
            Validate(
                application_id=applicant,
                countries=policy.countries,
                currencies=policy.currencies,
                policy_version=policy.version,
            ),
        )
        if validated.problems:
            return "rejected"

        await self.enter("verifying_email")
        if not await self.confirm_email(policy.email):
            return "expired"

        await self.enter("verifying_identity")
        identity = await self.verify_identity(policy.identity)
        if identity == "expired":
            return "expired"

        await self.enter("deciding")
        decided = await self.step(
            ApplicationSteps.decide, Decide(application_id=applicant, identity=identity)
        )
        if decided.outcome == "rejected":
            return "rejected"

        await self.enter("provisioning")
        await self.together(
            self.provision_billing(received),
            self.provision_directory(),
            self.provision_crm(received),
        )

        await self.enter("welcoming")
        await self.step(
            NoticeSteps.welcome,
            Welcome(application_id=applicant),
            if_skipped=Letter(message_id=None),
        )
        return "active"

    async def confirm_email(self, policy: EmailPolicy) -> bool:
        """Let the applicant show that mail reaches them; False where their time runs out."""
        until = workflow.now() + policy.expires_after
        mailing = self.state.mailing = Mailing(policy=policy, asked_at=workflow.now())
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
            if mailing.due:
                await self.keep_decision("resend_confirmation", mailing.resends[-1])
            status = await self.step(
                ConfirmationSteps.read, ReadConfirmation(application_id=self.state.application_id)
            )
            if status.confirmed:
                return True
            if not in_time:
                return False
            if mailing.due:
                await self.ask_to_confirm(mailing)

    async def ask_to_confirm(self, mailing: Mailing) -> None:
        """Send the mail with the link, to the address that the latest version names."""
        applicant, number = self.state.application_id, str(mailing.mails + 1)
        mailing.asked_at = workflow.now()
        link_seconds = int(mailing.policy.link_holds.total_seconds())
        opened = await self.step(
            ConfirmationSteps.open,
            OpenConfirmation(application_id=applicant, link_seconds=link_seconds),
            part=number,
        )
        self.version = max(self.version, opened.version)
        await self.step(
            ConfirmationSteps.send,
            SendConfirmation(application_id=applicant, until=opened.until),
            part=number,
            if_skipped=Letter(message_id=None),
        )
        mailing.mails += 1

    async def verify_identity(
        self, policy: IdentityPolicy
    ) -> Literal["verified", "failed", "expired"]:
        """Let the applicant prove who they are, in so many tries and so much time."""
        session = await self.step(
            IdentitySteps.open_session,
            OpenSession(application_id=self.state.application_id),
            undo=IdentitySteps.close_session,
        )
        until = workflow.now() + policy.expires_after
        heard: list[str] = []
        while True:
            in_time = await self.wait_for(
                lambda: self.state.identity_events != heard,
                until=until,
                look_after=LOOK_AGAIN,
                what="proof of identity",
                who="the applicant",
            )
            heard[:] = self.state.identity_events
            # Events come late, twice and out of order: they say when to look, never what is so.
            now = await self.step(
                IdentitySteps.read_session,
                ReadSession(
                    session_id=session.session_id, application_id=self.state.application_id
                ),
            )
            if now.status == "verified":
                return "verified"
            if now.error and now.report_id and now.report_id not in self.state.failed_reports:
                self.state.failed_reports.append(now.report_id)
            if now.status == "canceled" or len(self.state.failed_reports) >= policy.tries:
                return "failed"
            if not in_time:
                return "expired"

    async def provision_billing(self, received: Received) -> None:
        """The account that invoices are written for."""
        applicant = self.state.application_id
        customer = await self.step(
            BillingSteps.create_customer,
            CreateCustomer(application_id=applicant),
            undo=BillingSteps.delete_customer,
        )
        if received.has_tax_id:
            await self.step(
                BillingSteps.create_tax_id,
                CreateTaxId(application_id=applicant, customer_id=customer.customer_id),
                undo=BillingSteps.delete_tax_id,
            )

    async def provision_directory(self) -> None:
        """The user that signs in, in the group of the tenant's customers."""
        applicant = self.state.application_id
        user = await self.step(
            DirectorySteps.create_user,
            CreateUser(application_id=applicant),
            undo=DirectorySteps.delete_user,
        )
        await self.step(
            DirectorySteps.join_group,
            JoinGroup(application_id=applicant, user_id=user.user_id),
            undo=DirectorySteps.leave_group,
        )

    async def provision_crm(self, received: Received) -> None:
        """The contact that sales and support know, and their company."""
        applicant = self.state.application_id
        await self.step(
            CrmSteps.create_contact,
            CreateContact(application_id=applicant),
            undo=CrmSteps.archive_contact,
        )
        if received.is_company:
            await self.step(
                CrmSteps.create_company,
                CreateCompany(application_id=applicant),
                undo=CrmSteps.archive_company,
            )

    @workflow.signal
    def email_confirmed(self, hint: EmailConfirmed) -> None:
        """An address of the applicant was confirmed."""
        if hint.event_id not in self.state.confirmation_events:
            self.state.confirmation_events.append(hint.event_id)

    @workflow.update(description="Send the mail with the link once more, within limits.")
    async def resend_confirmation(self, resend: ConfirmationResend) -> Taken:
        """Have the mail sent once more. Answers as soon as that is accepted."""
        await self.verify(resend, roles=("service", "operator", "admin"))
        # Somebody else may have asked while the signature was checked.
        self.may_be_mailed().resends.append(resend)
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

    @workflow.signal
    def identity_changed(self, hint: IdentityChanged) -> None:
        """Something happened to the identity session."""
        if hint.event_id not in self.state.identity_events:
            self.state.identity_events.append(hint.event_id)

    @workflow.update(description="Take the application back: possible until the welcome.")
    async def withdraw(self, withdrawal: Withdrawal) -> Taken:
        """Take the application back. Answers at once; what was made is undone meanwhile."""
        await self.verify(withdrawal, roles=("service", "operator", "admin"))
        return self.stop_for("withdrawn", withdrawal)

    @withdraw.validator
    def _may_withdraw(self, withdrawal: Withdrawal) -> None:
        self.must_be_able_to_end("withdrawn")

    @workflow.update(description="Where the onboarding is: the answer to whoever starts it.")
    def started(self) -> Started:
        """Where the onboarding is."""
        return Started(application_id=self.state.application_id, stage=self.stage)

    async def record_stage(self, stage: str) -> None:
        """Keep the stage where lists are made from."""
        await self.step(
            ApplicationSteps.record_stage,
            RecordStage(application_id=self.state.application_id, stage=stage),
            part=stage,
        )
