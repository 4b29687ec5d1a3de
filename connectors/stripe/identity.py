"""Identity by Stripe Identity: sessions in which somebody shows a document."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel

from connectors.capabilities import Sent
from connectors.errors import Refused, Unanswered
from connectors.stripe.api import Row, StripeApi, path_of
from connectors.stripe.errors import Missing
from connectors.stripe.marks import KEYS_LIVE, find_marked, marked
from workflows.onboarding.messages import IdentityStatus

SESSIONS = "/v1/identity/verification_sessions"
PROCESSING_PAUSE = timedelta(seconds=10)
"""Most documents are checked in less than a minute."""


class _Failure(BaseModel):
    code: str | None


class _Redaction(BaseModel):
    status: str


class _Session(BaseModel):
    status: Literal["requires_input", "processing", "verified", "canceled"]
    last_verification_report: str | None
    last_error: _Failure | None
    redaction: _Redaction | None
    url: str | None


class StripeIdentity:
    """Identity, in the account that the API key belongs to."""

    keys_live = KEYS_LIVE

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    async def open_session(self, key: str, *, workflow_id: str, reference: str) -> str:
        """Open a session; the answer is its id."""
        session = await self._api.post(
            SESSIONS,
            Row,
            key=key,
            type="document",
            client_reference_id=reference,
            metadata=marked(key, workflow_id),
        )
        return session.id

    async def find_session(self, sent: Sent) -> str | None:
        """The session that was opened under this key, unless it was closed: that takes the mark."""
        return await find_marked(self._api, SESSIONS, sent)

    async def read_session(self, session_id: str) -> IdentityStatus:
        """How the session stands now."""
        session = await self._session(session_id)
        return IdentityStatus(
            status=session.status,
            report_id=session.last_verification_report,
            error=session.last_error.code if session.last_error else None,
        )

    async def link(self, session_id: str) -> str | None:
        """A new link to the session's page at Stripe, while there is something to do on it.

        It lasts 48 hours, and for one attempt.
        """
        session = await self._session(session_id)
        return session.url if session.status == "requires_input" else None

    async def close_session(self, session_id: str) -> bool:
        """Have everything personal taken out of a session, which ends it; False where it was gone.

        Raises Unanswered while a document is being checked: Stripe erases nothing meanwhile.
        """
        try:
            await self._api.post_again(f"{_path(session_id)}/redact", Row)
        except Missing:
            return False
        except Refused:
            session = await self._session(session_id)
            if session.status == "processing":
                text = "the session cannot be closed while a document is being checked"
                raise Unanswered("stripe.session_processing", text, PROCESSING_PAUSE) from None
            if session.redaction is None:
                raise
        return True

    async def _session(self, session_id: str) -> _Session:
        return await self._api.get(_path(session_id), _Session)


def _path(session_id: str) -> str:
    return path_of("identity", "verification_sessions", session_id)
