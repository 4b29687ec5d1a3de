"""What is done with an application in our own database."""

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.onboarding.decision import Deliberation
from activities.onboarding.duplicates import Acquaintances
from activities.once import Once
from activities.rules.rulings import Rulings
from database import decisions, onboardings
from workflows.onboarding.decision import Decide, Decided
from workflows.onboarding.messages import (
    ForApplication,
    Received,
    RecordStage,
    Validate,
    Validated,
)
from workflows.onboarding.policy import Policy
from workflows.onboarding.rules import AdverseAction
from workflows.onboarding.steps import ApplicationSteps
from workflows.step import implements

IDENTITY_RULE = "identity_verified"
IDENTITY_RULE_VERSION = "1"


class ApplicationActivities(ApplicationSteps):
    """Applications, under the policy of the day that they were taken up."""

    def __init__(
        self,
        engine: AsyncEngine,
        policy: Policy,
        *,
        rulings: Rulings,
        acquaintances: Acquaintances,
    ) -> None:
        self._once = Once(engine)
        self._policy = policy
        self._rulings = rulings
        self._acquaintances = acquaintances

    @implements(ApplicationSteps.receive)
    async def receive(self, request: ForApplication) -> Received:
        """Take the application up."""

        async def take_up(connection: AsyncConnection) -> Received:
            application = await onboardings.application(
                connection, request.application_id, request.version
            )
            await onboardings.handed_over(connection, application.id)
            rules = await self._rulings.take_up(connection)
            return Received(
                policy=self._policy,
                rules=rules,
                has_tax_id=bool(application.form.get("tax_id")),
                is_company=application.form["kind"] == "company",
            )

        return await self._once.ours(request, take_up, Received)

    @implements(ApplicationSteps.validate)
    async def validate(self, request: Validate) -> Validated:
        """Check that we serve the applicant's country and currency, and whether we know them.

        A no is kept as a decision.
        """

        async def check(connection: AsyncConnection) -> Validated:
            application = await onboardings.application(
                connection, request.application_id, request.version
            )
            problems: list[AdverseAction] = []
            if application.form["country"] not in request.countries:
                problems.append("country_not_served")
            if application.form["currency"] not in request.currencies:
                problems.append("currency_not_served")
            if problems:
                await decisions.keep_of_rule(
                    connection,
                    workflow_id=application.workflow_id,
                    kind="validate",
                    content={"outcome": "rejected", "codes": problems},
                    rule="territory",
                    rule_version=request.policy_version,
                )
            known = request.duplicates is not None and await self._acquaintances.known(
                connection, application, request.duplicates
            )
            return Validated(problems=tuple(problems), possible_duplicate=known)

        return await self._once.ours(request, check, Validated)

    @implements(ApplicationSteps.decide)
    async def decide(self, request: Decide) -> Decided:
        """Ask the tables that the process took up; one that took up none is older than they are."""

        async def by_rule(connection: AsyncConnection) -> Decided:
            application = await onboardings.application(
                connection, request.application_id, request.version
            )
            if request.rules is None:
                decided = _by_identity_alone(request)
            else:
                decided = await Deliberation(
                    connection, self._rulings, request.rules, application, request
                ).decide()
            await decisions.keep_of_rule(
                connection,
                workflow_id=application.workflow_id,
                kind="decide",
                content={"outcome": decided.outcome, "codes": list(decided.codes)},
                rule=decided.rule,
                rule_version=decided.rule_version,
            )
            return decided

        return await self._once.ours(request, by_rule, Decided)

    @implements(ApplicationSteps.record_stage)
    async def record_stage(self, request: RecordStage) -> None:
        """Keep the stage. However the review's stage is left, nothing of it stays in the queue."""
        values = onboardings.stage_values(
            request.application_id,
            request.stage,
            adverse_actions=request.adverse_actions,
            appeal_until=request.appeal_until,
        )
        await self._once.ours_at_once(request, onboardings.RECORD_STAGE, values)


def _by_identity_alone(request: Decide) -> Decided:
    verified = request.identity == "verified"
    return Decided(
        outcome="approved" if verified else "rejected",
        rule=IDENTITY_RULE,
        rule_version=IDENTITY_RULE_VERSION,
        codes=() if verified else ("identity_not_verified",),
    )
