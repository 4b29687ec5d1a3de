"""What certificates read like, as it was written when they were made."""

from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

Format = Literal["json", "csv", "html"]

_KEEP = text("""
    INSERT INTO certificate_documents (certificate, format, content)
    VALUES (:certificate, :format, :content) ON CONFLICT DO NOTHING
""")
_THERE = text("SELECT count(*) FROM certificate_documents WHERE certificate = :certificate")
_ONE = text("""
    SELECT d.content FROM certificate_documents d
    JOIN certificates c ON c.id = d.certificate
    JOIN reconciliation_accounts a ON a.id = c.account
    WHERE d.certificate = :certificate AND d.format = :format
      AND (CAST(:tenant AS text) IS NULL OR a.tenant = :tenant)
""")


async def keep(
    connection: AsyncConnection, certificate: str, format_: Format, content: bytes
) -> None:
    """Keep a document; one that is there stays as it is."""
    values = {"certificate": certificate, "format": format_, "content": content}
    await connection.execute(_KEEP, values)


async def are_there(connection: AsyncConnection, certificate: str) -> bool:
    """Whether the documents of a certificate were written."""
    return bool(await connection.scalar(_THERE, {"certificate": certificate}))


async def one(
    connection: AsyncConnection, certificate: str, format_: Format, *, tenant: str | None
) -> bytes | None:
    """A document; None where there is none, or it is another tenant's."""
    values = {"certificate": certificate, "format": format_, "tenant": tenant}
    found: bytes | None = await connection.scalar(_ONE, values)
    return found
