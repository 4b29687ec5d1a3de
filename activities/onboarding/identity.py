"""Who the applicant is, asked of an identity service."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from activities.onboarding.reading import application_of
from activities.once import Once
from connectors.capabilities import Identity, Sent
from database import onboardings
from database.connection import statement
from workflows.onboarding.messages import IdentityStatus, OpenSession, ReadSession, Session
from workflows.onboarding.steps import IdentitySteps
from workflows.step import Undo, Undone, implements


class IdentityActivities(IdentitySteps):
    """Identity sessions."""

    def __init__(self, engine: AsyncEngine, identity: Identity) -> None:
        self._engine = engine
        self._once = Once(engine)
        self._identity = identity

    @implements(IdentitySteps.open_session)
    async def open_session(self, request: OpenSession) -> Session:
        """Open the session, and name our process in it so that its events find back.

        The link to it is a secret of the applicant: it is kept with the onboarding, and goes
        neither into the history nor into the ledger. It soon expires: each read brings a new one.
        """
        application = await application_of(self._engine, request)

        async def send(key: str) -> Session:
            session_id = await self._identity.open_session(
                key,
                workflow_id=request.process or application.workflow_id,
                reference=application.id,
            )
            return Session(session_id=session_id)

        session = await self._once.theirs(
            request, Session, send=send, find=self._find, keys_live=self._identity.keys_live
        )
        await self._keep_link(application.id, session.session_id)
        return session

    @implements(IdentitySteps.read_session)
    async def read_session(self, request: ReadSession) -> IdentityStatus:
        """Ask how the session stands now, and have a link that works while it waits for input."""
        status = await self._identity.read_session(request.session_id)
        if status.status == "requires_input" and request.application_id is not None:
            await self._keep_link(request.application_id, request.session_id)
        return status

    @implements(IdentitySteps.close_session)
    async def close_session(self, request: Undo) -> Undone:
        """Close the session and have erased what it collected."""

        async def find(sent: Sent, _: dict[str, Any]) -> Session | None:
            return await self._find(sent)

        async def remove(session: Session) -> bool:
            return await self._identity.close_session(session.session_id)

        return await self._once.undo(request, Session, find=find, remove=remove)

    async def _keep_link(self, application_id: str, session_id: str) -> None:
        link = await self._identity.link(session_id)
        async with statement(self._engine) as connection:
            await onboardings.keep_identity_link(connection, application_id, link)

    async def _find(self, sent: Sent) -> Session | None:
        session_id = await self._identity.find_session(sent)
        return Session(session_id=session_id) if session_id else None
