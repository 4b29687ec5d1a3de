"""Statement files that were sent: each content once, and what came of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.statements import SEEN

_RECEIVE = text("""
    INSERT INTO source_files (id, tenant, bank_account, sha256, size, received_by)
    VALUES (:id, :tenant, :bank_account, :sha256, :size, :received_by)
    ON CONFLICT (sha256, coalesce(tenant, ''), coalesce(bank_account, '')) DO UPDATE
    SET state = 'received', error = NULL, detail = NULL, position = NULL, read_at = NULL,
        received_by = EXCLUDED.received_by
    WHERE source_files.error IN ('lost', 'own_withdrawal', 'defect')
    RETURNING *
""")
_BY_CONTENT = text("""
    SELECT * FROM source_files
    WHERE sha256 = :sha256 AND coalesce(tenant, '') = coalesce(CAST(:tenant AS text), '')
      AND coalesce(bank_account, '') = coalesce(CAST(:bank_account AS text), '')
""")
# A file is there for its sender's tenant, and for whoever sees a statement in it.
_THERE = f"""
    (CAST(:seer AS text) IS NULL OR f.tenant = :seer
     OR EXISTS (SELECT FROM statements s WHERE s.file = f.id AND {SEEN}))
"""
_MANY = text(f"""
    SELECT * FROM source_files f
    WHERE {_THERE}
      AND (CAST(:state AS text) IS NULL
           OR EXISTS (SELECT FROM statements s
                      WHERE s.file = f.id AND s.state = :state AND {SEEN}))
      AND (CAST(:after_id AS text) IS NULL OR (received_at, id) < (:after_at, :after_id))
    ORDER BY f.received_at DESC, f.id DESC LIMIT :limit
""")
_ONE = text(f"SELECT * FROM source_files f WHERE id = :id AND {_THERE}")
# Who reads a file holds it; a file that is being read is passed over, not waited for.
_NEXT = text("""
    SELECT * FROM source_files
    WHERE state = 'received' AND id <> ALL(CAST(:but AS text[]))
    ORDER BY received_at, id LIMIT 1
    FOR UPDATE SKIP LOCKED
""")
_READ = text("""
    UPDATE source_files SET state = 'read', read_at = clock_timestamp() WHERE id = :id
""")
_REFUSED = text("""
    UPDATE source_files
    SET state = 'refused', error = :error, detail = :detail, position = :position,
        read_at = clock_timestamp()
    WHERE id = :id
""")


@dataclass(frozen=True)
class Received:
    """A file at the door: see `database.source_tables.SourceFileRow`."""

    id: str
    sha256: str
    size: int
    received_by: str
    tenant: str | None = None
    bank_account: str | None = None


async def receive(connection: AsyncConnection, file: Received) -> tuple[RowMapping, bool]:
    """The row of a file, and whether it is new: the same content has one row.

    What was lost is there again once it is sent again, as is what met a defect, and what its sender
    may not send once somebody else does.
    """
    row = (await connection.execute(_RECEIVE, vars(file))).mappings().first()
    if row is not None:
        return row, True
    return (await connection.execute(_BY_CONTENT, vars(file))).mappings().one(), False


async def one(connection: AsyncConnection, id_: str, *, seer: str | None) -> RowMapping | None:
    """A file, where it is there for the tenant `seer`; None of whom is all."""
    return (await connection.execute(_ONE, {"id": id_, "seer": seer})).mappings().first()


async def many(
    connection: AsyncConnection,
    *,
    seer: str | None,
    state: str | None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """The latest files that are there for the tenant `seer`, the latest first, after the row that
    a page ended with; perhaps only those with a statement in a state.
    """
    after_at, after_id = after or (None, None)
    values = {
        "seer": seer,
        "state": state,
        "after_at": after_at,
        "after_id": after_id,
        "limit": limit,
    }
    return (await connection.execute(_MANY, values)).mappings().all()


async def next_to_read(
    connection: AsyncConnection, *, but: Iterable[str] = ()
) -> RowMapping | None:
    """The oldest file that nobody reads, held until the transaction ends."""
    found = await connection.execute(_NEXT, {"but": list(but)})
    return found.mappings().first()


async def read(connection: AsyncConnection, id_: str) -> None:
    """Note that all of a file that can count does."""
    await connection.execute(_READ, {"id": id_})


async def refused(
    connection: AsyncConnection, id_: str, *, error: str, detail: str, position: str | None
) -> None:
    """Note that nothing of a file counts."""
    values = {"id": id_, "error": error, "detail": detail, "position": position}
    await connection.execute(_REFUSED, values)
