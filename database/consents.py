"""Evidence of consent: who agreed to what, in which version, when, and who told us."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.audit import record

_KEEP = text("""
    INSERT INTO consents (id, subject, version, given_at, told_by, retention)
    VALUES (:id, :subject, :version, coalesce(:given_at, clock_timestamp()), :told_by, :retention)
    ON CONFLICT DO NOTHING
    RETURNING id
""")


async def keep_terms(
    connection: AsyncConnection,
    *,
    id_: str,
    version: str,
    given_at: datetime | None,
    told_by: str,
    retention: str,
) -> None:
    """Keep that the applicant of an onboarding accepted the terms, once; by default just now.

    `told_by` is the name of the API key that the signup came with, `retention` the class of
    evidence, by which it is decided how long it is kept.
    """
    values = {
        "id": id_,
        "subject": "terms",
        "version": version,
        "given_at": given_at,
        "told_by": told_by,
        "retention": retention,
    }
    if await connection.scalar(_KEEP, values) is not None:
        details = {"id": id_, "subject": "terms", "version": version, "retention": retention}
        await record(connection, "consent.given", told_by, details=details)
