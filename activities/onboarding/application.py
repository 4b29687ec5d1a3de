"""What is done with an application in our own database."""

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.once import Once
from database import decisions, onboardings
from workflows.onboarding.messages import (
    ENDS,
    Decide,
    Decided,
    ForApplication,
    Policy,
    Received,
    RecordStage,
    Validate,
    Validated,
)
from workflows.onboarding.steps import ApplicationSteps
from workflows.step import implements

IDENTITY_RULE = "identity_verified"
IDENTITY_RULE_VERSION = "1"


class ApplicationActivities(ApplicationSteps):
    """Applications, under the policy of the day that they were taken up."""

    def __init__(self, engine: AsyncEngine, policy: Policy) -> None:
        self._once = Once(engine)
        self._policy = policy

    @implements(ApplicationSteps.receive)
    async def receive(self, request: ForApplication) -> Received:
        """Take the application up."""

        async def take_up(connection: AsyncConnection) -> Received:
            application = await onboardings.application(
                connection, request.application_id, request.version
            )
            await onboardings.handed_over(connection, application.id)
            return Received(
                policy=self._policy,
                has_tax_id=bool(application.form.get("tax_id")),
                is_company=application.form["kind"] == "company",
            )

        return await self._once.ours(request, take_up, Received)

    @implements(ApplicationSteps.validate)
    async def validate(self, request: Validate) -> Validated:
        """Check that we serve the applicant's country and currency; a no is kept as a decision."""

        async def check(connection: AsyncConnection) -> Validated:
            application = await onboardings.application(
                connection, request.application_id, request.version
            )
            problems = []
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
            return Validated(problems=tuple(problems))

        return await self._once.ours(request, check, Validated)

    @implements(ApplicationSteps.decide)
    async def decide(self, request: Decide) -> Decided:
        """Approve whom identity verified."""

        async def by_rule(connection: AsyncConnection) -> Decided:
            application = await onboardings.application(
                connection, request.application_id, request.version
            )
            verified = request.identity == "verified"
            decided = Decided(
                outcome="approved" if verified else "rejected",
                rule=IDENTITY_RULE,
                rule_version=IDENTITY_RULE_VERSION,
                codes=() if verified else ("identity_not_verified",),
            )
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
        """Keep the stage."""
        values = {"id": request.application_id, "stage": request.stage, "ends": list(ENDS)}
        await self._once.ours_at_once(request, onboardings.RECORD_STAGE, values)
