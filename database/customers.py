"""Customers, as lists show them: one row for each, from the end of the onboarding on."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.audit import record
from workflows.onboarding.life import Difference, LifeStage
from workflows.onboarding.rules import Risk

_TAKE_UP = text("""
    INSERT INTO customers (id, tenant, workflow_id, stage, since, risk, proved_at, reverify_at,
                           list_version, list_told)
    VALUES (:id, :tenant, :workflow_id, 'active', :since, :risk, :proved_at, :reverify_at,
            :list_version, :list_version)
    ON CONFLICT (id) DO UPDATE
    SET risk = :risk, reverify_at = :reverify_at, compared_at = clock_timestamp()
""")
# Whoever leaves is not under review any more.
_STAGE = text("""
    WITH changed AS (
        UPDATE customers
        SET stage = :stage, stage_since = clock_timestamp(),
            identity_link = CASE WHEN :stage = 'reverifying' THEN identity_link END,
            left_at = CASE WHEN :stage = 'offboarded' THEN clock_timestamp() END,
            keep_until = clock_timestamp() + CAST(:keep_for AS interval)
        WHERE id = :id
        RETURNING workflow_id
    ), voided AS (
        UPDATE reviews SET state = 'void', closed_at = clock_timestamp()
        FROM changed
        WHERE reviews.workflow_id = changed.workflow_id AND state = 'open'
            AND :stage = 'offboarded'
        RETURNING reviews.id, reviews.workflow_id
    ), told_of_reviews AS (
        INSERT INTO audit (event, actor, workflow_id, details)
        SELECT 'review.closed', 'process', workflow_id,
               jsonb_build_object('review', id, 'outcome', 'void')
        FROM voided
    )
    SELECT workflow_id FROM changed
""")
_PROOF = text("""
    UPDATE customers SET proved_at = :proved_at, reverify_at = :reverify_at
    WHERE id = :id RETURNING workflow_id
""")
_SCREENING = text("""
    UPDATE customers SET list_version = :list_version, screening = :status
    WHERE id = :id RETURNING workflow_id
""")
# Whoever could not be told waits behind all others: one that is lost must not keep them from it.
_TO_TELL = text("""
    SELECT id, workflow_id FROM customers
    WHERE stage <> 'offboarded' AND list_told IS DISTINCT FROM :list_version
      AND (list_tried_at IS NULL OR list_tried_at < :not_since)
    ORDER BY list_tried_at NULLS FIRST, since, id LIMIT :limit
""")
_TOLD = text("""
    UPDATE customers
    SET list_told = CASE WHEN id = ANY(:told) THEN :list_version ELSE list_told END,
        list_tried_at = clock_timestamp()
    WHERE id = ANY(:tried)
""")
_NOW = text("SELECT clock_timestamp()")
_WORKFLOW_ID = text("SELECT workflow_id FROM customers WHERE id = :id")
_ONE = text("""
    SELECT c.*, a.form, a.version FROM customers c
    JOIN applications a USING (id)
    WHERE c.id = :id AND (CAST(:tenant AS text) IS NULL OR c.tenant = :tenant)
    ORDER BY a.version DESC LIMIT 1
""")
_MANY = text("""
    SELECT * FROM customers
    WHERE (CAST(:tenant AS text) IS NULL OR tenant = :tenant)
      AND (CAST(:stages AS text[]) IS NULL OR stage = ANY(:stages))
      AND (CAST(:risks AS text[]) IS NULL OR risk = ANY(:risks))
      AND (CAST(:reverify_before AS timestamptz) IS NULL OR reverify_at < :reverify_before)
      AND (CAST(:since_from AS timestamptz) IS NULL OR since >= :since_from)
      AND (CAST(:since_before AS timestamptz) IS NULL OR since < :since_before)
      AND (CAST(:after_id AS text) IS NULL OR (since, id) < (:after_at, :after_id))
    ORDER BY since DESC, id DESC
    LIMIT :limit
""")


async def take_up(
    connection: AsyncConnection,
    *,
    id_: str,
    tenant: str,
    workflow_id: str,
    since: datetime,
    risk: Risk,
    proved_at: datetime,
    reverify_at: datetime,
    list_version: str | None = None,
) -> None:
    """Keep a new customer; of one who is known, that the systems outside are compared now."""
    values = {
        "id": id_,
        "tenant": tenant,
        "workflow_id": workflow_id,
        "since": since,
        "risk": risk,
        "proved_at": proved_at,
        "reverify_at": reverify_at,
        "list_version": list_version,
    }
    await connection.execute(_TAKE_UP, values)


async def record_stage(
    connection: AsyncConnection, id_: str, stage: LifeStage, *, keep_for: timedelta | None
) -> None:
    """Keep the stage that a customer is in now; of one who left, until when to keep what is kept.

    Nothing else is deleted: applications, decisions, audit and the ledger stay.
    """
    process = await connection.scalar(_STAGE, {"id": id_, "stage": stage, "keep_for": keep_for})
    await _record(connection, "stage", process, {"stage": stage})


async def record_proof(
    connection: AsyncConnection,
    id_: str,
    outcome: str,
    *,
    proved_at: datetime,
    reverify_at: datetime,
) -> None:
    """Keep since when a customer's proof of identity is good, and until when."""
    values = {"id": id_, "proved_at": proved_at, "reverify_at": reverify_at}
    process = await connection.scalar(_PROOF, values)
    await _record(connection, "proof", process, {"outcome": outcome})


async def record_screening(
    connection: AsyncConnection, id_: str, status: str, *, list_version: str
) -> None:
    """Keep what came of screening a customer again, with which version of the list."""
    values = {"id": id_, "status": status, "list_version": list_version}
    process = await connection.scalar(_SCREENING, values)
    await _record(
        connection, "screening", process, {"status": status, "list_version": list_version}
    )


async def now(connection: AsyncConnection) -> datetime:
    """The time by our database's clock."""
    at = await connection.scalar(_NOW)
    assert isinstance(at, datetime)
    return at


async def to_tell(
    connection: AsyncConnection, list_version: str, *, not_since: datetime, limit: int
) -> Sequence[RowMapping]:
    """Customers to tell of this version of the list, whom nobody tried to since: id, workflow_id.

    Those who were not tried, or longest ago, come first.
    """
    values = {"list_version": list_version, "not_since": not_since, "limit": limit}
    return (await connection.execute(_TO_TELL, values)).mappings().all()


async def told(
    connection: AsyncConnection, list_version: str, *, told: Sequence[str], tried: Sequence[str]
) -> None:
    """Note which customers' processes were told of a version of the list, of those tried."""
    values = {"list_version": list_version, "told": list(told), "tried": list(tried)}
    await connection.execute(_TOLD, values)


async def record_difference(
    connection: AsyncConnection, id_: str, difference: Difference, outcome: str
) -> None:
    """Tell what was not outside as it should be, and what became of it."""
    process = await connection.scalar(_WORKFLOW_ID, {"id": id_})
    await _record(connection, "difference", process, difference.model_dump() | {"outcome": outcome})


async def one(connection: AsyncConnection, id_: str, *, tenant: str | None) -> RowMapping | None:
    """A customer with the latest version of the form; `tenant=None` sees every tenant's."""
    return (await connection.execute(_ONE, {"id": id_, "tenant": tenant})).mappings().first()


async def many(
    connection: AsyncConnection,
    *,
    tenant: str | None,
    stages: list[str] | None = None,
    risks: list[str] | None = None,
    reverify_before: datetime | None = None,
    since_from: datetime | None = None,
    since_before: datetime | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """Customers, the newest first, after the row that a page ended with."""
    values = {
        "tenant": tenant,
        "stages": stages,
        "risks": risks,
        "reverify_before": reverify_before,
        "since_from": since_from,
        "since_before": since_before,
        "after_at": after[0] if after else None,
        "after_id": after[1] if after else None,
        "limit": limit,
    }
    return (await connection.execute(_MANY, values)).mappings().all()


async def _record(
    connection: AsyncConnection, what: str, process: str | None, details: dict[str, object]
) -> None:
    await record(connection, f"customer.{what}", "process", workflow_id=process, details=details)
