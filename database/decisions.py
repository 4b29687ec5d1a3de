"""Who decided what: rows that outlive the histories of processes."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.audit import record
from database.prepared import Prepared
from workflows.actor import Actor, SignedActor

_INSERT = Prepared("""
    INSERT INTO decisions (workflow_id, kind, content, reason, actor, actor_kind, roles,
                           update_id, signing_key, signature, rule_version)
    VALUES (:workflow_id, :kind, CAST(:content AS jsonb), :reason, :actor, :actor_kind,
            CAST(:roles AS jsonb), :update_id, :signing_key, :signature, :rule_version)
""")
_DECIDERS = text("""
    SELECT DISTINCT d.actor FROM decisions d JOIN onboardings o USING (workflow_id)
    WHERE o.id = :onboarding AND d.actor_kind = 'person'
      AND d.kind NOT IN ('withdraw', 'resolve', 'appeal')
    UNION SELECT judged_by FROM screening_hits
    WHERE application_id = :onboarding AND judged_by IS NOT NULL
    UNION SELECT s.decided_by FROM identity_sessions s JOIN onboardings o USING (workflow_id)
    WHERE o.id = :onboarding AND s.decided_by IS NOT NULL
""")
_INTERNAL = text("""
    SELECT d.kind, d.reason, d.actor, d.actor_kind, d.content, d.rule_version, d.decided_at
    FROM decisions d
    WHERE d.workflow_id = :workflow_id
    ORDER BY d.id
""")


async def deciders(connection: AsyncConnection, onboarding: str) -> list[str]:
    """Who decided about an application, judged its hits, or said who the applicant is: API keys."""
    return list(await connection.scalars(_DECIDERS, {"onboarding": onboarding}))


async def of_process(connection: AsyncConnection, workflow_id: str) -> Sequence[RowMapping]:
    """Every decision about a process, in order."""
    return (await connection.execute(_INTERNAL, {"workflow_id": workflow_id})).mappings().all()


async def keep_of_person(
    connection: AsyncConnection,
    *,
    workflow_id: str,
    kind: str,
    content: dict[str, Any],
    reason: str,
    by: SignedActor,
) -> None:
    """Keep a signed decision, and a line of audit with it."""
    row = {
        "workflow_id": workflow_id,
        "kind": kind,
        "content": json.dumps(content),
        "reason": reason,
        "actor": by.actor.name,
        "actor_kind": by.actor.kind,
        "roles": json.dumps(by.actor.roles),
        "update_id": by.update_id,
        "signing_key": by.signing_key,
        "signature": by.signature,
        "rule_version": None,
    }
    await _keep(connection, row, {"update_id": by.update_id, "content": content, "reason": reason})


async def keep_of_caller(
    connection: AsyncConnection,
    *,
    workflow_id: str,
    kind: str,
    content: dict[str, Any],
    reason: str,
    by: Actor,
) -> None:
    """Keep what somebody asked for whom the door recognised, and a line of audit with it."""
    row = {
        "workflow_id": workflow_id,
        "kind": kind,
        "content": json.dumps(content),
        "reason": reason,
        "actor": by.name,
        "actor_kind": by.kind,
        "roles": json.dumps(by.roles),
        "update_id": None,
        "signing_key": None,
        "signature": None,
        "rule_version": None,
    }
    await _keep(connection, row, {"content": content, "reason": reason})


async def keep_of_rule(
    connection: AsyncConnection,
    *,
    workflow_id: str,
    kind: str,
    content: dict[str, Any],
    rule: str,
    rule_version: str,
) -> None:
    """Keep a decision that a rule took, and a line of audit with it."""
    row = {
        "workflow_id": workflow_id,
        "kind": kind,
        "content": json.dumps(content),
        "reason": rule,
        "actor": f"rule:{rule}",
        "actor_kind": "rule",
        "roles": "[]",
        "update_id": None,
        "signing_key": None,
        "signature": None,
        "rule_version": rule_version,
    }
    await _keep(connection, row, {"content": content, "rule_version": rule_version})


async def _keep(connection: AsyncConnection, row: dict[str, Any], details: dict[str, Any]) -> None:
    await _INSERT.row(connection, row)
    await record(
        connection,
        f"decision.{row['kind']}",
        row["actor"],
        workflow_id=row["workflow_id"],
        details=details,
    )
