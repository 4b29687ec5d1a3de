"""Runs that were ended from outside, their process half done, until somebody resolves them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.audit import record

_KEEP = text("""
    INSERT INTO lost_runs (workflow_id, run_id, workflow_type, status, ended_at)
    VALUES (:workflow_id, :run_id, :workflow_type, :status, :ended_at)
    ON CONFLICT DO NOTHING
    RETURNING run_id
""")
_OPEN = text("""
    SELECT * FROM lost_runs
    WHERE resolved_at IS NULL
      AND (CAST(:workflow_id AS text) IS NULL OR workflow_id = :workflow_id)
    ORDER BY ended_at DESC, run_id
""")
_RESOLVE = text("""
    UPDATE lost_runs SET resolved_at = clock_timestamp()
    WHERE workflow_id = :workflow_id AND resolved_at IS NULL
    RETURNING run_id
""")


@dataclass(frozen=True)
class LostRun:
    """A run that did not come to an end of its own. `status` is Temporal's: `terminated`, …"""

    workflow_id: str
    run_id: str
    workflow_type: str
    status: str
    ended_at: datetime


async def keep(connection: AsyncConnection, run: LostRun) -> bool:
    """Put a run on the attention list; False where it is, or was, on it."""
    if await connection.scalar(_KEEP, vars(run)) is None:
        return False
    await record(
        connection,
        "run.lost",
        "upkeep",
        workflow_id=run.workflow_id,
        details={"run_id": run.run_id, "status": run.status},
    )
    return True


async def unresolved(
    connection: AsyncConnection, *, workflow_id: str | None = None
) -> Sequence[RowMapping]:
    """The lost runs that wait for somebody, the latest first; perhaps only of one process."""
    return (await connection.execute(_OPEN, {"workflow_id": workflow_id})).mappings().all()


async def record_reset(
    connection: AsyncConnection, workflow_id: str, run_id: str, *, actor: str, reason: str
) -> None:
    """Tell of a run that kept failing, and was reset by somebody: it was never on this list."""
    details = {"runs": [run_id], "action": "retry", "reason": reason}
    await record(connection, "run.resolved", actor, workflow_id=workflow_id, details=details)


async def resolve(
    connection: AsyncConnection, workflow_id: str, *, actor: str, action: str, reason: str
) -> int:
    """Take the lost runs of a process off the list; how many there were."""
    runs = (await connection.execute(_RESOLVE, {"workflow_id": workflow_id})).scalars().all()
    if runs:
        details: dict[str, Any] = {"runs": list(runs), "action": action, "reason": reason}
        await record(connection, "run.resolved", actor, workflow_id=workflow_id, details=details)
    return len(runs)
