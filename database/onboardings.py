"""Applications and where their onboardings are: what is stored at the door, and what lists show."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.audit import record
from database.prepared import Effect, Prepared
from workflows.onboarding.messages import ENDS, workflow_id

_STORE_APPLICATION = text("""
    INSERT INTO applications (id, version, tenant, form, created_by)
    VALUES (:id, 1, :tenant, CAST(:form AS jsonb), :created_by)
    ON CONFLICT DO NOTHING
    RETURNING id
""")
_STORE_ONBOARDING = text("""
    INSERT INTO onboardings (id, tenant, workflow_id, stage, appeal_of)
    VALUES (:id, :tenant, :workflow_id, 'received', :appeal_of)
    ON CONFLICT DO NOTHING
""")
_CORRECT = text("""
    INSERT INTO applications (id, version, tenant, form, created_by, made_for)
    SELECT id, version + 1, tenant, form || CAST(:changes AS jsonb), :created_by,
           CAST(:made_for AS jsonb)
    FROM applications WHERE id = :id AND version = :version
    ON CONFLICT DO NOTHING
    RETURNING version
""")
_MADE_FOR = text("SELECT made_for FROM applications WHERE id = :id AND version = :version")
_TAKE_OUT = text("""
    DELETE FROM applications a WHERE a.id = :id AND a.version = :version AND NOT EXISTS (
        SELECT FROM applications later WHERE later.id = a.id AND later.version > a.version
    )
    RETURNING a.id
""")
_APPLICATION = Prepared("""
    SELECT a.id, a.version, a.tenant, a.form, o.workflow_id, o.stage, o.appeal_of
    FROM applications a JOIN onboardings o USING (id)
    WHERE a.id = :id AND a.version = :version
""")
_AUTHORS = text("SELECT created_by FROM applications WHERE id = :id")
_KEEP_IDENTITY_LINK = Prepared("""
    WITH applicant AS (
        UPDATE onboardings SET identity_link = :link
        WHERE id = :id AND stage = 'verifying_identity'
    )
    UPDATE customers SET identity_link = :link WHERE id = :id AND stage = 'reverifying'
""")
_HANDED_OVER = Prepared("""
    UPDATE onboardings SET handed_over_at = clock_timestamp()
    WHERE id = :id AND handed_over_at IS NULL
""")
_TO_HAND_OVER = text("""
    SELECT id, tenant, workflow_id FROM onboardings
    WHERE handed_over_at IS NULL AND created_at < clock_timestamp() - CAST(:older_than AS interval)
    ORDER BY created_at LIMIT :limit
""")
_ONE = text("""
    SELECT o.*, a.form, a.version FROM onboardings o
    JOIN applications a USING (id)
    WHERE o.id = :id AND (CAST(:tenant AS text) IS NULL OR o.tenant = :tenant)
    ORDER BY a.version DESC LIMIT 1
""")
_MANY = """
    SELECT * FROM onboardings
    WHERE (CAST(:tenant AS text) IS NULL OR tenant = :tenant)
      AND (CAST(:stages AS text[]) IS NULL OR stage = ANY(:stages))
      AND (CAST(:created_from AS timestamptz) IS NULL OR created_at >= :created_from)
      AND (CAST(:created_before AS timestamptz) IS NULL OR created_at < :created_before)
      AND (CAST(:after_id AS text) IS NULL OR (created_at, id) < (:after_at, :after_id))
    ORDER BY created_at DESC, id DESC
    LIMIT :limit
"""
RECORD_STAGE = Effect("""
    changed AS (
        UPDATE onboardings
        SET stage = :stage, stage_since = clock_timestamp(),
            identity_link = CASE WHEN :stage = 'verifying_identity' THEN identity_link END,
            handed_over_at = coalesce(handed_over_at, clock_timestamp()),
            ended_at = CASE WHEN :ended THEN clock_timestamp() END,
            adverse_actions = CAST(:adverse_actions AS jsonb),
            appeal_until = CASE WHEN appeal_of IS NULL THEN CAST(:appeal_until AS timestamptz) END
        FROM asked
        WHERE id = :id
        RETURNING id, workflow_id, stage
    ), told AS (
        INSERT INTO audit (event, actor, workflow_id, details)
        SELECT 'onboarding.stage', 'process', workflow_id, jsonb_build_object('stage', stage)
        FROM changed
    ), voided AS (
        UPDATE reviews SET state = 'void', closed_at = clock_timestamp()
        FROM changed
        WHERE reviews.onboarding = changed.id AND reviews.state = 'open'
            AND changed.stage <> 'reviewing'
        RETURNING reviews.id, reviews.workflow_id
    ), told_of_reviews AS (
        INSERT INTO audit (event, actor, workflow_id, details)
        SELECT 'review.closed', 'process', workflow_id,
               jsonb_build_object('review', id, 'outcome', 'void')
        FROM voided
    )
""")
"""Keep the stage that an onboarding is in now: what `stage_values` says.

A review that it went on without is taken out of the queue. A process that was started for no
application keeps nothing: there is no list to show it in.
"""


def stage_values(
    id_: str,
    stage: str,
    *,
    adverse_actions: Sequence[str] = (),
    appeal_until: datetime | None = None,
) -> dict[str, Any]:
    """What RECORD_STAGE is to keep. With a rejection comes what the applicant is told.

    An appeal cannot be appealed against, whatever `appeal_until` says.
    """
    return {
        "id": id_,
        "stage": stage,
        "ended": stage in ENDS,
        "adverse_actions": json.dumps(list(adverse_actions)) if adverse_actions else None,
        "appeal_until": appeal_until,
    }


@dataclass(frozen=True)
class Application:
    """One version of an application. `form` is personal data: read, used, never logged."""

    id: str
    version: int
    tenant: str
    workflow_id: str
    stage: str
    form: dict[str, Any]
    appeal_of: str | None = None


class NoApplication(LookupError):
    """There is no such application, or no such version of it."""


class CorrectedMeanwhile(Exception):
    """The version that was to be corrected is not the latest."""


async def store(
    connection: AsyncConnection,
    *,
    id_: str,
    tenant: str,
    form: dict[str, Any],
    created_by: str,
    appeal_of: str | None = None,
) -> bool:
    """Store an application; its onboarding can then start. False: it was stored before.

    `appeal_of` is the onboarding that it appeals against.
    """
    application = {"id": id_, "tenant": tenant, "form": json.dumps(form), "created_by": created_by}
    if await connection.scalar(_STORE_APPLICATION, application) is None:
        return False
    process = workflow_id(tenant, id_)
    await connection.execute(
        _STORE_ONBOARDING,
        {"id": id_, "tenant": tenant, "workflow_id": process, "appeal_of": appeal_of},
    )
    await record(
        connection, "application.received", created_by, workflow_id=process, details={"id": id_}
    )
    return True


async def revise(
    connection: AsyncConnection,
    *,
    id_: str,
    version: int,
    changes: dict[str, Any],
    created_by: str,
    event: str,
    made_for: Mapping[str, datetime] | None = None,
) -> int:
    """Store the version after an application's `version`; the answer is its number.

    `event` says in the audit trail why there is one, `made_for` which steps wait for it, and since
    when they are parked. Raises CorrectedMeanwhile.
    """
    parked = {step: since.isoformat() for step, since in (made_for or {}).items()}
    values = {
        "id": id_,
        "version": version,
        "changes": json.dumps(changes),
        "created_by": created_by,
        "made_for": json.dumps(parked) if parked else None,
    }
    corrected = await connection.scalar(_CORRECT, values)
    if not isinstance(corrected, int):
        raise CorrectedMeanwhile(f"{id_} has a later version than {version}")
    details = {"id": id_, "version": corrected, "fields": sorted(changes)}
    await record(connection, event, created_by, details=details)
    return corrected


async def was_made_for(
    connection: AsyncConnection, id_: str, version: int, step: str, since: datetime
) -> bool:
    """Whether a version of an application was made for a step that is parked since then."""
    made_for = await connection.scalar(_MADE_FOR, {"id": id_, "version": version})
    return bool(made_for) and made_for.get(step) == since.isoformat()


async def take_out(connection: AsyncConnection, id_: str, version: int, *, created_by: str) -> None:
    """Take out a version that its process refused, unless a later one rests on it."""
    values = {"id": id_, "version": version}
    if await connection.scalar(_TAKE_OUT, values) is not None:
        await record(connection, "application.change_refused", created_by, details=values)


async def application(connection: AsyncConnection, id_: str, version: int) -> Application:
    """One version of an application. Raises NoApplication."""
    row = await _APPLICATION.row(connection, {"id": id_, "version": version})
    if row is None:
        raise NoApplication(f"there is no application {id_} in version {version}")
    return Application(**row)


async def involved(connection: AsyncConnection, about: Application) -> tuple[str, ...]:
    """Who has a part in an application: wrote a version of it, or looks after the applicant.

    They are names of API keys.
    """
    who = set(await connection.scalars(_AUTHORS, {"id": about.id}))
    if manager := about.form.get("account_manager"):
        who.add(str(manager))
    return tuple(sorted(who))


async def keep_identity_link(connection: AsyncConnection, id_: str, link: str | None) -> None:
    """Keep where an applicant, or a customer, proves who they are, while that is to be done."""
    await _KEEP_IDENTITY_LINK.row(connection, {"id": id_, "link": link})


async def handed_over(connection: AsyncConnection, id_: str) -> None:
    """Note that Temporal has taken an onboarding."""
    await _HANDED_OVER.row(connection, {"id": id_})


async def to_hand_over(
    connection: AsyncConnection, *, older_than: timedelta, limit: int
) -> Sequence[RowMapping]:
    """Onboardings that were stored and never started: id, tenant, workflow_id."""
    rows = await connection.execute(_TO_HAND_OVER, {"older_than": older_than, "limit": limit})
    return rows.mappings().all()


async def one(connection: AsyncConnection, id_: str, *, tenant: str | None) -> RowMapping | None:
    """An onboarding with the latest version of its form; `tenant=None` sees every tenant's."""
    return (await connection.execute(_ONE, {"id": id_, "tenant": tenant})).mappings().first()


async def many(
    connection: AsyncConnection,
    *,
    tenant: str | None,
    stages: list[str] | None = None,
    created_from: datetime | None = None,
    created_before: datetime | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """Onboardings, newest first, after the row that a page ended with."""
    values = {
        "tenant": tenant,
        "stages": stages,
        "created_from": created_from,
        "created_before": created_before,
        "after_at": after[0] if after else None,
        "after_id": after[1] if after else None,
        "limit": limit,
    }
    return (await connection.execute(text(_MANY), values)).mappings().all()
