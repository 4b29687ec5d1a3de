"""What is done about customers in our own database, and what they and operators are told."""

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio.exceptions import ApplicationError

from activities.letters import Letters
from activities.once import Kept, Once
from database import customers, documents, onboardings, reviews
from database.connection import statement
from workflows.conduct import REFUSED_GENERATION
from workflows.onboarding.life import (
    Approved,
    AskedForProof,
    AskForProof,
    Paper,
    PutBefore,
    RecordDifference,
    RecordLife,
    RecordProof,
    RecordScreening,
    TakenUp,
    TakeUp,
)
from workflows.onboarding.life_steps import LifeSteps, ProofLetterSteps
from workflows.onboarding.policy import Policy
from workflows.step import implements


class LifeActivities(LifeSteps, ProofLetterSteps):
    """Customers, under the policy of the day."""

    def __init__(self, engine: AsyncEngine, policy: Policy, letters: Letters) -> None:
        self._engine = engine
        self._once = Once(engine)
        self._policy = policy
        self._letters = letters

    @implements(LifeSteps.take_up)
    async def take_up(self, request: TakeUp) -> TakenUp:
        """Keep the customer, and answer the policy that this worker has."""
        life = self._policy.life
        until = request.reverify_at
        if life is not None:
            until = request.proved_at + life.reverify_after.of(request.risk)

        async def keep(connection: AsyncConnection) -> TakenUp:
            await customers.take_up(
                connection,
                id_=request.application_id,
                tenant=request.tenant,
                workflow_id=request.workflow_id,
                since=request.since,
                risk=request.risk,
                proved_at=request.proved_at,
                reverify_at=until,
                list_version=request.list_version,
            )
            application = await onboardings.application(
                connection, request.application_id, request.version
            )
            return TakenUp(
                policy=life,
                budgets=self._policy.budgets,
                screening=self._policy.screening,
                reviews=await reviews.how_many(connection, request.application_id),
                excluded=await onboardings.involved(connection, application),
                papers=tuple(
                    Paper(kind=row["kind"], valid_until=row["valid_until"])
                    for row in await documents.that_expire(connection, request.application_id)
                ),
                round=await documents.last_round(connection, request.application_id),
            )

        return await self._once.ours(request, keep, TakenUp)

    @implements(LifeSteps.record_stage)
    async def record_stage(self, request: RecordLife) -> None:
        """Keep the stage."""

        async def keep(connection: AsyncConnection) -> Kept:
            await customers.record_stage(
                connection, request.application_id, request.stage, keep_for=request.keep_for
            )
            return Kept()

        await self._once.ours(request, keep, Kept)

    @implements(LifeSteps.record_proof)
    async def record_proof(self, request: RecordProof) -> None:
        """Keep since when the proof of identity is good."""

        async def keep(connection: AsyncConnection) -> Kept:
            await customers.record_proof(
                connection,
                request.application_id,
                request.outcome,
                proved_at=request.proved_at,
                reverify_at=request.reverify_at,
            )
            return Kept()

        await self._once.ours(request, keep, Kept)

    @implements(LifeSteps.record_screening)
    async def record_screening(self, request: RecordScreening) -> None:
        """Keep what came of the screening."""

        async def keep(connection: AsyncConnection) -> Kept:
            await customers.record_screening(
                connection,
                request.application_id,
                request.status,
                list_version=request.list_version,
            )
            return Kept()

        await self._once.ours(request, keep, Kept)

    @implements(LifeSteps.record_difference)
    async def record_difference(self, request: RecordDifference) -> None:
        """Keep what was found and what became of it."""

        async def keep(connection: AsyncConnection) -> Kept:
            await customers.record_difference(
                connection, request.application_id, request.difference, request.outcome
            )
            return Kept()

        await self._once.ours(request, keep, Kept)

    @implements(LifeSteps.put_before)
    async def put_before(self, request: PutBefore) -> Approved:
        """Refuse what nobody has decided about; an operator's retry is a generation of its own."""
        if request.generation > 1:
            return Approved(go_on=True)
        raise ApplicationError(
            _question(request),
            {REFUSED_GENERATION: request.generation},
            type=f"customer.{request.question}",
            non_retryable=True,
        )

    @implements(ProofLetterSteps.ask_for_proof)
    async def ask_for_proof(self, request: AskForProof) -> AskedForProof:
        """Send the mail. It has no link in it: that is a secret, and soon expires."""
        async with statement(self._engine) as connection:
            application = await onboardings.application(
                connection, request.application_id, request.version
            )
        letter = await self._letters.send(
            request,
            to=application.form["email"],
            subject="Please confirm your identity",
            text=(
                f"Hello {application.form['name']},\n\n"
                "from time to time we have to make sure that we still know who you are.\n"
                f"Please sign in and confirm your identity by {request.until:%d %B %Y}.\n"
            ),
        )
        return AskedForProof(message_id=letter.message_id)


def _question(request: PutBefore) -> str:
    """What is to be decided, and what the answers mean."""
    if request.question == "hits":
        return (
            "somebody on a list may be the customer, and nobody has judged that in time: retry has"
            " them screened and reviewed again; skip leaves it until the list changes again"
        )
    if request.question == "documents":
        return (
            "a document has expired, and the customer sent no new one in time: retry asks them once"
            " more, skip leaves it as it is; offboarding is a decision of its own"
        )
    if request.question == "not_proved" or request.difference is None:
        return (
            "the customer did not prove who they are in time: retry asks once more, skip does"
            " without until it is due again; offboarding is a decision of its own"
        )
    thing, fields = request.difference.thing.replace("_", " "), request.difference.fields
    if request.question == "repair":
        return f"the {thing} is gone: retry makes it anew, skip leaves it so"
    return (
        f"the {thing} is not as in the application ({', '.join(fields)}): put it right there, then"
        " retry to have it looked at again; skip leaves it as it is"
    )
