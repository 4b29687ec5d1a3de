"""Identity by a reviewer: somebody of ours looks at the applicant, and says who they are.

The sessions are given: they are in our database, of which connectors know nothing. Where it does
not answer, its own error goes on: that is our outage and nobody else's. What a reviewer decides
comes in at the gateway.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Literal, Protocol

from connectors.capabilities import Sent
from connectors.errors import Refused
from workflows.events import Event
from workflows.onboarding.messages import IdentityStatus

State = Literal["open", "verified", "failed", "closed"]


class Sessions(Protocol):
    """The sessions: each method is one transaction."""

    async def open(self, key: str, *, workflow_id: str, reference: str) -> str:
        """The id of the session under this key, opened where there is none."""

    async def find(self, key: str) -> str | None:
        """The id of the session under this key, unless it was closed."""

    async def state(self, session_id: str) -> State | None:
        """How a session stands; None where it never was."""

    async def close(self, session_id: str) -> bool:
        """Close a session, and forget what was found out; False where it never was."""


class ManualIdentity:
    """Identity, in sessions that a reviewer decides once."""

    keys_live = timedelta.max
    """A key is kept with its session."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def open_session(self, key: str, *, workflow_id: str, reference: str) -> str:
        """Put a session before the reviewers; the answer is its id."""
        return await self._sessions.open(key, workflow_id=workflow_id, reference=reference)

    async def find_session(self, sent: Sent) -> str | None:
        """The session that was opened under this key."""
        return await self._sessions.find(sent.key)

    async def read_session(self, session_id: str) -> IdentityStatus:
        """How the session stands now. Raises Refused (`identity.missing`)."""
        match await self._sessions.state(session_id):
            case None:
                raise Refused("identity.missing", "there is no such identity session")
            case "open":
                return IdentityStatus(status="requires_input")
            case "verified":
                return IdentityStatus(status="verified", report_id=session_id)
            case "failed":  # for good: whoever is to try again is not decided about yet
                return IdentityStatus(status="canceled", report_id=session_id, error="reviewer")
            case "closed":
                return IdentityStatus(status="canceled")

    async def link(self, session_id: str) -> str | None:
        """None: the applicant hears from the reviewer."""
        return None

    async def close_session(self, session_id: str) -> bool:
        """Close a session, and forget what was found out; False where it never was."""
        return await self._sessions.close(session_id)


class NothingOutside:
    """The events of a system that is ours: whoever decides tells at once."""

    async def since(self, at: datetime) -> AsyncIterator[Event]:
        """None."""
        nothing: tuple[Event, ...] = ()
        for event in nothing:
            yield event
