"""What the mechanism of processes needs done: deciders verified, decisions kept, notices sent."""

from collections.abc import Mapping
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from temporalio.exceptions import ApplicationError

from activities.letters import Letters
from activities.once import Kept, Once
from database import decisions
from database.connection import statement
from workflows.actor import signature_bytes, signing_bytes
from workflows.decisions import Notice, ProcessSteps, RecordDecision, VerifyActor
from workflows.request_key import Request
from workflows.step import implements


class ActorRefused(ApplicationError):
    """The decision is not vouched for: a defect, or an attempt to act as somebody else."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the decision was refused: {why}", type="ActorRefused", non_retryable=True
        )


class ProcessActivities(ProcessSteps):
    """The mechanism's own steps.

    `public_keys` are the gateway's, by name: several while keys are rotated. `operators` is the
    address that notices go to; nobody is told where it is empty.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        letters: Letters,
        *,
        public_keys: Mapping[str, Ed25519PublicKey],
        operators: str | None,
    ) -> None:
        self._engine = engine
        self._once = Once(engine)
        self._letters = letters
        self._public_keys = public_keys
        self._operators = operators

    @implements(ProcessSteps.verify_actor)
    async def verify_actor(self, request: VerifyActor) -> None:
        """Check the signature over exactly this decision. Needs no database."""
        by = request.decision.by
        if by.update_id != request.update_id:
            raise ActorRefused("it was signed for another request")
        if by.expires_at <= datetime.now(UTC):
            raise ActorRefused("its signature has expired")
        key = self._public_keys.get(by.signing_key)
        if key is None:
            raise ActorRefused("nobody knows the key it was signed with")
        signed = signing_bytes(
            workflow_id=request.workflow_id,
            update=request.update,
            content=request.content,
            by=by.actor,
            update_id=by.update_id,
            expires_at=by.expires_at,
        )
        try:
            key.verify(signature_bytes(by), signed)
        except (InvalidSignature, ValueError):
            raise ActorRefused("its signature is not ours") from None
        if not set(by.actor.roles) & set(request.roles):
            raise ActorRefused(f"it takes the role {' or '.join(request.roles)}")

    @implements(ProcessSteps.record_decision)
    async def record_decision(self, request: RecordDecision) -> None:
        """Keep who decided what, when and why."""

        async def keep(connection: AsyncConnection) -> Kept:
            await decisions.keep_of_person(
                connection,
                workflow_id=request.workflow_id,
                kind=request.update,
                content=request.content,
                reason=request.decision.reason,
                by=request.decision.by,
            )
            return Kept()

        await self._once.ours(request, keep, Kept)

    @implements(ProcessSteps.notify)
    async def notify(self, request: Notice) -> None:
        """Tell the operators by mail that a process waits for them."""
        if self._operators is None:
            return
        await self._letters.send(
            request,
            to=self._operators,
            subject=f"Parked: {request.summary} ({request.step})",
            text=(
                f"{request.workflow_id}\n"
                f"{request.step}: {request.reason.kind}\n"
                f"{request.reason.type}: {request.reason.text}\n\n"
                f"It waits for the role {request.owner}:\n"
                f"  perdure attention list\n"
                f"  perdure attention resolve --help\n"
            ),
        )

    @implements(ProcessSteps.database_answers)
    async def database_answers(self, request: Request) -> None:
        """Returns once our own database answers; until then it is tried again."""
        async with statement(self._engine) as connection:
            # What answers must be what steps need: the ledger itself.
            await connection.execute(text("SELECT 1 FROM requests LIMIT 1"))
