"""Customer onboarding, told from the signup to the welcome."""

from datetime import timedelta
from typing import Literal

from temporalio import workflow

from workflows.decisions import Taken
from workflows.onboarding.messages import (
    TRANSITIONS,
    UNDONE,
    CreateCompany,
    CreateContact,
    CreateCustomer,
    CreateTaxId,
    CreateUser,
    Decide,
    ForApplication,
    IdentityChanged,
    IdentityPolicy,
    JoinGroup,
    Letter,
    OnboardingState,
    OpenSession,
    ReadSession,
    Received,
    RecordStage,
    Start,
    Started,
    Validate,
    Welcome,
    Withdrawal,
)
from workflows.onboarding.steps import (
    ApplicationSteps,
    BillingSteps,
    CrmSteps,
    DirectorySteps,
    IdentitySteps,
    NoticeSteps,
)
from workflows.process import Process

LOOK_AGAIN = timedelta(days=1)
"""How often a session is looked at that nothing is heard of. Its link lasts two days."""


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
