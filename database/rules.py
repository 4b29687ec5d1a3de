"""Versions of decision tables that were used, and what was decided under them."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database import decisions
from workflows.rules import RuleVersions, Ruling

_KEEP = text("""
    INSERT INTO rule_versions (table_name, version, content)
    VALUES (:table, :version, :content)
    ON CONFLICT DO NOTHING
""")
_KEPT = text("""
    SELECT count(*) FROM rule_versions
    JOIN unnest(CAST(:tables AS text[]), CAST(:versions AS text[])) AS asked (table_name, version)
    USING (table_name, version)
""")
_CONTENT = text("""
    SELECT content FROM rule_versions WHERE table_name = :table AND version = :version
""")
# The last ruling of each table stands; those before it were of applications since corrected.
_STANDING = text("""
    SELECT DISTINCT ON (d.workflow_id, d.kind)
           d.workflow_id, d.content, d.rule_version, d.decided_at, o.id AS onboarding, o.stage
    FROM decisions d JOIN onboardings o USING (workflow_id)
    WHERE d.actor_kind = 'rule' AND d.kind LIKE 'rule.%'
      AND (CAST(:tenant AS text) IS NULL OR o.tenant = :tenant)
      AND (CAST(:stages AS text[]) IS NULL OR o.stage = ANY(:stages))
      AND (CAST(:since AS timestamptz) IS NULL OR o.created_at >= :since)
    ORDER BY d.workflow_id, d.kind, d.id DESC
""")


@dataclass(frozen=True)
class StandingRuling:
    """What a table once said of an onboarding, and what it was told then."""

    onboarding: str
    stage: str
    table: str
    version: str
    row: str
    decided_at: datetime
    inputs: Mapping[str, Any]
    answer: Mapping[str, Any]


async def keep_version(
    connection: AsyncConnection, *, table: str, version: str, content: str
) -> None:
    """Keep a version that is used. The first time counts; later ones change nothing."""
    await connection.execute(_KEEP, {"table": table, "version": version, "content": content})


async def are_kept(connection: AsyncConnection, versions: RuleVersions) -> bool:
    """Whether every one of these versions is kept."""
    values = {"tables": list(versions), "versions": list(versions.values())}
    return bool(await connection.scalar(_KEPT, values) == len(versions))


async def content_of(connection: AsyncConnection, table: str, version: str) -> str | None:
    """The file of a version as it was first used; None where it never was."""
    found = await connection.scalar(_CONTENT, {"table": table, "version": version})
    return None if found is None else str(found)


async def keep_ruling(
    connection: AsyncConnection, *, workflow_id: str, told: Mapping[str, Any], ruling: Ruling
) -> None:
    """Keep what a table decided, with what it was told. Any: JSON values."""
    said = ruling.model_dump(mode="json")
    answer = {name: said[name] for name in said if name not in _APART}
    await decisions.keep_of_rule(
        connection,
        workflow_id=workflow_id,
        kind=f"rule.{ruling.table}",
        content={
            "table": ruling.table,
            "row": ruling.row,
            "reason": ruling.reason,
            "answer": answer,
            "inputs": dict(told),
            "inputs_hash": ruling.inputs_hash,
        },
        rule=f"{ruling.table}/{ruling.row}",
        rule_version=ruling.version,
    )


_APART = frozenset(Ruling.model_fields) - {"route"}


async def standing(
    connection: AsyncConnection,
    *,
    tenant: str | None = None,
    stages: list[str] | None = None,
    since: datetime | None = None,
) -> AsyncIterator[StandingRuling]:
    """The ruling of each table that stands for each onboarding, one onboarding after another.

    `since` is when it was received. Rows are fetched as they are asked for.
    """
    values = {"tenant": tenant, "stages": stages, "since": since}
    async with connection.stream(_STANDING, values) as rows:
        async for row in rows:
            content = row.content
            yield StandingRuling(
                onboarding=row.onboarding,
                stage=row.stage,
                table=content["table"],
                version=row.rule_version,
                row=content["row"],
                decided_at=row.decided_at,
                inputs=content["inputs"],
                answer=content["answer"],
            )
