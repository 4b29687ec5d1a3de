"""Which addresses are confirmed, by version of the application that names them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.audit import record
from workflows.onboarding.confirmation_link import Link

_OPEN = text("""
    SELECT workflow_id, CAST(extract(epoch FROM clock_timestamp()) AS bigint) + :seconds AS until
    FROM onboardings WHERE id = :id
""")
# An address counts as confirmed whichever version named it when it was.
_ASKED = text("""
    SELECT o.tenant, o.workflow_id, o.stage, o.ended_at IS NOT NULL AS ended,
           asked.form->>'email' AS email,
           asked.form->>'email' IS DISTINCT FROM latest.form->>'email' AS changed,
           extract(epoch FROM clock_timestamp()) > :until AS expired,
           (SELECT min(c.confirmed_at) FROM confirmations c JOIN applications a USING (id, version)
            WHERE c.id = o.id AND a.form->>'email' = asked.form->>'email') AS confirmed_at
    FROM onboardings o
    JOIN applications asked ON asked.id = o.id AND asked.version = :version
    JOIN LATERAL (
        SELECT form FROM applications WHERE id = o.id ORDER BY version DESC LIMIT 1
    ) latest ON true
    WHERE o.id = :id
""")
_CONFIRM = text("""
    INSERT INTO confirmations (id, version) VALUES (:id, :version)
    ON CONFLICT DO NOTHING
    RETURNING confirmed_at
""")
_IS_CONFIRMED = text("""
    SELECT EXISTS (
        SELECT FROM confirmations c JOIN applications a USING (id, version)
        WHERE c.id = :id AND a.form->>'email' = (
            SELECT form->>'email' FROM applications WHERE id = :id AND version = :version
        )
    )
""")


@dataclass(frozen=True)
class Asked:
    """What a link asks to confirm, and how that stands. `email` is personal data.

    `changed` says that a later version names another address, `confirmed_at` when this one was
    confirmed, whichever link did it.
    """

    tenant: str
    workflow_id: str
    stage: str
    ended: bool
    email: str
    changed: bool
    expired: bool
    confirmed_at: datetime | None


async def opened(
    connection: AsyncConnection, id_: str, version: int, *, seconds: int
) -> int | None:
    """The time so many seconds from now, since 1970; None where there is no such onboarding."""
    values = {"id": id_, "seconds": seconds}
    row = (await connection.execute(_OPEN, values)).mappings().first()
    if row is None:
        return None
    until = int(row["until"])
    details = {"id": id_, "version": version, "until": until}
    await record(
        connection,
        "confirmation.opened",
        "process",
        workflow_id=row["workflow_id"],
        details=details,
    )
    return until


async def asked(connection: AsyncConnection, link: Link) -> Asked | None:
    """What a link is about; None where there is no such version of an application."""
    values = {"id": link.application_id, "version": link.version, "until": link.until}
    row = (await connection.execute(_ASKED, values)).mappings().first()
    return Asked(**row) if row is not None else None


async def confirm(connection: AsyncConnection, link: Link, workflow_id: str) -> datetime | None:
    """Note that the address of a version is confirmed; None where that was noted before."""
    values = {"id": link.application_id, "version": link.version}
    confirmed_at = await connection.scalar(_CONFIRM, values)
    if confirmed_at is None:
        return None
    await record(
        connection, "email.confirmed", "applicant", workflow_id=workflow_id, details=values
    )
    assert isinstance(confirmed_at, datetime)
    return confirmed_at


async def is_confirmed(connection: AsyncConnection, id_: str, version: int) -> bool:
    """Whether the address is confirmed that a version of an application names."""
    values = {"id": id_, "version": version}
    return bool(await connection.scalar(_IS_CONFIRMED, values))
