"""The request ledger for operators: what is in it, and having a request carried out again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.audit import record


class NotReopened(Exception):
    """A request that is not settled, or not there, cannot be reopened."""


class OtherGeneration(Exception):
    """The request is in another generation than whoever wants to reopen it has seen."""


_SHOW = text("SELECT * FROM requests WHERE key = :key")
_OF_PROCESS = text("""
    SELECT * FROM requests
    WHERE workflow_id = :workflow_id
      AND (CAST(:after_key AS text) IS NULL OR (created_at, key) > (:after_at, :after_key))
    ORDER BY created_at, key
    LIMIT :limit
""")
_LOCK = text("SELECT * FROM requests WHERE key = :key FOR UPDATE")
_REOPEN = text("""
    UPDATE requests
    SET state = 'pending', generation = generation + 1, fingerprint = NULL, result = NULL,
        earlier = CASE WHEN result IS NULL THEN earlier
                       ELSE earlier || jsonb_build_array(result) END,
        refusal = NULL, token = NULL, first_sent_at = NULL, settled_at = NULL
    WHERE key = :key
    RETURNING generation
""")


async def reopen(
    connection: AsyncConnection, key: str, generation: int, *, actor: str, reason: str
) -> int:
    """Have a settled request carried out again on purpose; the answer is the new generation.

    `generation` is the one that was looked at: two people reopen it once. The process that wants it
    must ask again: reset it to before the step, or retry the step. Raises NotReopened or
    OtherGeneration.
    """
    row = (await connection.execute(_LOCK, {"key": key})).mappings().first()
    if row is None:
        raise NotReopened(f"there is no request {key}")
    if row["generation"] != generation:
        raise OtherGeneration(f"{key} is in generation {row['generation']} by now")
    if row["state"] == "pending":
        raise NotReopened(f"{key} is pending: it will be carried out anyway")
    raised = await connection.scalar(_REOPEN, {"key": key})
    assert isinstance(raised, int)
    details = {
        "key": key,
        "was": row["state"],
        "result": row["result"],
        "generation": raised,
        "reason": reason,
    }
    await record(
        connection, "request.reopened", actor, workflow_id=row["workflow_id"], details=details
    )
    return raised


async def show(connection: AsyncConnection, key: str) -> RowMapping | None:
    """The ledger's row for a key."""
    return (await connection.execute(_SHOW, {"key": key})).mappings().first()


async def of_process(
    connection: AsyncConnection,
    workflow_id: str,
    *,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """The requests of one process in their order, after the row that a page ended with."""
    values = {
        "workflow_id": workflow_id,
        "after_at": after[0] if after else None,
        "after_key": after[1] if after else None,
        "limit": limit,
    }
    return (await connection.execute(_OF_PROCESS, values)).mappings().all()
