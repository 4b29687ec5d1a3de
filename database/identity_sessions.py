"""Sessions in which reviewers find out who applicants are, and what they decided."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from database import inbox
from database.audit import record
from database.connection import statement, transaction
from workflows.events import IDENTITY_CANCELED, IDENTITY_VERIFIED, Event

State = Literal["open", "verified", "failed", "closed"]
Verdict = Literal["verified", "failed"]

_OPEN = text("""
    INSERT INTO identity_sessions (id, key, workflow_id, reference)
    VALUES (:id, :key, :workflow_id, :reference)
    ON CONFLICT (key) DO NOTHING
""")
_FIND = text("SELECT id FROM identity_sessions WHERE key = :key AND state <> 'closed'")
_STATE = text("SELECT state FROM identity_sessions WHERE id = :id")
_CLOSE = text("""
    UPDATE identity_sessions
    SET state = 'closed', decided_by = NULL, decided_at = NULL, reason = NULL
    WHERE id = :id RETURNING id
""")
# The latest version of the application: what the applicant is called now is to be looked at.
_MANY = """
    SELECT s.*, o.tenant, a.form, a.version FROM identity_sessions s
    JOIN onboardings o ON o.id = s.reference
    JOIN LATERAL (
        SELECT form, version FROM applications WHERE id = s.reference ORDER BY version DESC LIMIT 1
    ) a ON true
    WHERE (CAST(:tenant AS text) IS NULL OR o.tenant = :tenant)
      AND (CAST(:id AS text) IS NULL OR s.id = :id)
      AND (CAST(:open AS boolean) IS NULL OR (s.state = 'open') = :open)
      AND (CAST(:after_id AS text) IS NULL OR (s.opened_at, s.id) > (:after_at, :after_id))
    ORDER BY s.opened_at, s.id
    LIMIT :limit
"""
_DECIDE = text("""
    UPDATE identity_sessions
    SET state = :state, decided_by = :by, decided_at = clock_timestamp(), reason = :reason
    WHERE id = :id AND state = 'open'
    RETURNING workflow_id, decided_at
""")
_EVENTS = {"verified": IDENTITY_VERIFIED, "failed": IDENTITY_CANCELED}


class IdentitySessions:
    """The sessions in our database. Every method raises DatabaseDown."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def open(self, key: str, *, workflow_id: str, reference: str) -> str:
        """The id of the session under this key, opened where there is none.

        It is made from the key, so that nothing has to be read back.
        """
        id_ = "ids_" + hashlib.sha256(key.encode()).hexdigest()[:24]
        row = {"id": id_, "key": key, "workflow_id": workflow_id, "reference": reference}
        async with statement(self._engine) as connection:
            await connection.execute(_OPEN, row)
        return id_

    async def find(self, key: str) -> str | None:
        """The id of the session under this key, unless it was closed."""
        async with statement(self._engine) as connection:
            id_: str | None = await connection.scalar(_FIND, {"key": key})
            return id_

    async def state(self, session_id: str) -> State | None:
        """How a session stands; None where it never was."""
        async with statement(self._engine) as connection:
            state: State | None = await connection.scalar(_STATE, {"id": session_id})
            return state

    async def close(self, session_id: str) -> bool:
        """Close a session, and forget what was found out; False where it never was."""
        async with transaction(self._engine) as connection:
            return await connection.scalar(_CLOSE, {"id": session_id}) is not None


async def one(connection: AsyncConnection, id_: str, *, tenant: str | None) -> RowMapping | None:
    """A session with the application as it is now; `tenant=None` sees every tenant's."""
    rows = await _many(connection, tenant=tenant, id_=id_, limit=1)
    return rows[0] if rows else None


async def many(
    connection: AsyncConnection,
    *,
    tenant: str | None,
    open_: bool | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """Sessions, those that wait longest first, after the row that a page ended with."""
    return await _many(connection, tenant=tenant, open_=open_, after=after, limit=limit)


async def _many(
    connection: AsyncConnection,
    *,
    tenant: str | None,
    limit: int,
    id_: str | None = None,
    open_: bool | None = None,
    after: tuple[datetime, str] | None = None,
) -> Sequence[RowMapping]:
    values = {
        "tenant": tenant,
        "id": id_,
        "open": open_,
        "after_at": after[0] if after else None,
        "after_id": after[1] if after else None,
        "limit": limit,
    }
    return (await connection.execute(text(_MANY), values)).mappings().all()


async def decide(
    connection: AsyncConnection, id_: str, verdict: Verdict, *, by: str, reason: str
) -> bool:
    """Keep what a reviewer found out, and with it, in one transaction, the news for the process.

    The news waits in the inbox like an event from outside. False where the session is not open.
    """
    told = {"id": id_, "state": verdict, "by": by, "reason": reason}
    row = (await connection.execute(_DECIDE, told)).mappings().first()
    if row is None:
        return False
    news = Event(
        source="perdure",
        event_id=f"identity/{id_}",
        type=_EVENTS[verdict],
        object_id=id_,
        workflow_id=row["workflow_id"],
        happened_at=row["decided_at"],
    )
    await inbox.take_in(connection, [news])
    await record(
        connection,
        f"identity.{verdict}",
        by,
        workflow_id=row["workflow_id"],
        details={"session": id_, "reason": reason},
    )
    return True
