"""Customer onboarding, told from the signup to the welcome."""

from temporalio import workflow

from workflows.decisions import Taken
from workflows.onboarding.decision import Decided
from workflows.onboarding.life import Accounts
from workflows.onboarding.messages import (
    TRANSITIONS,
    UNDONE,
    ForApplication,
    Letter,
    Received,
    Start,
    Started,
    Validate,
    Welcome,
    Withdrawal,
)
from workflows.onboarding.review import Outcome, Verdict
from workflows.onboarding.stages.changes import Changing
from workflows.onboarding.stages.confirmation import ConfirmingAddress
from workflows.onboarding.stages.decision import Deciding
from workflows.onboarding.stages.documents import CollectingDocuments
from workflows.onboarding.stages.duplicates import RelatingDuplicates
from workflows.onboarding.stages.identity import ProvingIdentity
from workflows.onboarding.stages.life import BeginningLife
from workflows.onboarding.stages.screening import Screening
from workflows.onboarding.state import OnboardingState
from workflows.onboarding.steps import ApplicationSteps, NoticeSteps
from workflows.process import Changed


@workflow.defn
class CustomerOnboarding(
    Changing,
    ConfirmingAddress,
    ProvingIdentity,
    Screening,
    Deciding,
    RelatingDuplicates,
    CollectingDocuments,
    BeginningLife,
):
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
        applicant = self.applicant
        received = await self.step(
            ApplicationSteps.receive, ForApplication(application_id=applicant)
        )
        policy = received.policy
        self.budgets = policy.budgets
        self.state.changes_left = policy.changes

        accounts = None
        while accounts is None:
            if end := await self.as_it_stands(lambda: self.examine(received)):
                return end
            accounts = await self.provisioned(received)

        await self.step(
            NoticeSteps.welcome,
            Welcome(application_id=applicant),
            if_skipped=Letter(message_id=None),
        )
        await self.begin_life(policy, accounts)
        return "active"

    async def examine(self, received: Received) -> str | None:
        """Everything before provisioning: the end that it comes to, None where it goes on."""
        applicant, policy = self.applicant, received.policy
        await self.take_accounts_back()
        if self.stage != "validating":
            await self.enter("validating")
        validated = await self.step(
            ApplicationSteps.validate,
            Validate(
                application_id=applicant,
                countries=policy.countries,
                currencies=policy.currencies,
                policy_version=policy.version,
                duplicates=policy.duplicates,
            ),
            part=self.in_round(),
        )
        if validated.problems:
            return await self.turn_down(policy, validated.problems)

        if policy.email:
            await self.enter("verifying_email")
            if not await self.confirm_address(policy.email):
                return "expired"

        await self.enter("verifying_identity")
        identity = await self.verify_identity(policy.identity)
        if identity == "expired":
            return "expired"

        screened = None
        if policy.screening:
            await self.enter("screening")
            screened = await self.screen(policy.screening)
            self.state.list_version = screened.list_version

        await self.enter("deciding")
        decided = await self.decide(received, validated, identity, screened)
        self.state.risk = decided.risk
        verdict = await self.settle(decided)
        if verdict.outcome == "rejected":
            return await self.turn_down(policy, verdict.codes)
        if verdict.outcome == "expired":
            return "expired"
        await self.hits_must_stand()

        if policy.documents and decided.documents:
            await self.enter("awaiting_documents")
            if not await self.collect_documents(decided.documents, policy.documents):
                return "expired"

        await self.enter("provisioning")
        return None

    async def provisioned(self, received: Received) -> Accounts | None:
        """The accounts, once the welcome begins; None where it is to be decided once more."""
        try:
            accounts = await self.provision(await self.taken_up_again(received))
            await self.enter("welcoming")
        except Changed:
            await self.begin_round()
            return None
        return accounts

    async def settle(self, decided: Decided) -> Verdict:
        """The verdict of the rules or, where they send to people, that of a review."""
        if decided.review is None:
            outcome: Outcome = "approved" if decided.outcome == "approved" else "rejected"
            return Verdict(outcome=outcome, codes=decided.codes)
        await self.enter("reviewing")
        return await self.review(decided.review, excluded=decided.excluded)

    @workflow.update(description="Take the application back: possible until the welcome.")
    async def withdraw(self, withdrawal: Withdrawal) -> Taken:
        """Take the application back. Answers at once; what was made is undone meanwhile."""
        await self.verify(withdrawal, roles=("service", "support", "operator", "admin"))
        return self.stop_for("withdrawn", withdrawal)

    @withdraw.validator
    def _may_withdraw(self, withdrawal: Withdrawal) -> None:
        self.must_be_able_to_end("withdrawn")

    @workflow.update(description="Where the onboarding is: the answer to whoever starts it.")
    def started(self) -> Started:
        """Where the onboarding is."""
        return Started(application_id=self.applicant, stage=self.stage)
