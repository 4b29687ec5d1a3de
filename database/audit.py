"""The audit trail: what happened, in order, for good."""

import json
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from database.prepared import Prepared

_RECORD = Prepared("""
    INSERT INTO audit (event, actor, workflow_id, details)
    VALUES (:event, :actor, :workflow_id, CAST(:details AS jsonb))
""")


async def record(
    connection: AsyncConnection,
    event: str,
    actor: str,
    *,
    workflow_id: str | None = None,
    details: dict[str, Any],
) -> None:
    """Add a line, in the transaction of what it tells. Ids and codes only."""
    await _RECORD.row(
        connection,
        {
            "event": event,
            "actor": actor,
            "workflow_id": workflow_id,
            "details": json.dumps(details),
        },
    )
