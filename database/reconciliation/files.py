"""Files that were sent: each content once; what came of it, and which rows of it were bad."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

_RECEIVE = text("""
    INSERT INTO source_files (id, kind, account, tenant, bank_account, sha256, size,
                              received_by)
    VALUES (:id, :kind, :account, :tenant, :bank_account, :sha256, :size, :received_by)
    ON CONFLICT (kind, coalesce(account, 0), sha256) DO NOTHING
    RETURNING *
""")
_BY_CONTENT = text("""
    SELECT * FROM source_files
    WHERE kind = :kind AND coalesce(account, 0) = coalesce(CAST(:account AS integer), 0)
      AND sha256 = :sha256
""")
_ONE = text("SELECT * FROM source_files WHERE id = :id")
# Who reads a file holds it; a file that is being read is passed over, not waited for.
_NEXT = text("""
    SELECT * FROM source_files
    WHERE kind = :kind AND state = 'received' AND id <> ALL(CAST(:but AS text[]))
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
_FORGET_BAD_ROWS = text("DELETE FROM bad_rows WHERE file = :file")
_KEEP_BAD_ROW = text("""
    INSERT INTO bad_rows (file, line, field, reason) VALUES (:file, :line, :field, :reason)
    ON CONFLICT (file, line) DO NOTHING
""")


@dataclass(frozen=True)
class Received:
    """A file at the door. `account` where the file itself does not tell whose it is."""

    id: str
    kind: str
    sha256: str
    size: int
    received_by: str
    account: int | None = None
    tenant: str | None = None
    bank_account: str | None = None


async def receive(connection: AsyncConnection, file: Received) -> tuple[RowMapping, bool]:
    """The row of a file, and whether it is new: the same content has one row."""
    row = (await connection.execute(_RECEIVE, vars(file))).mappings().first()
    if row is not None:
        return row, True
    return (await connection.execute(_BY_CONTENT, vars(file))).mappings().one(), False


async def one(connection: AsyncConnection, id_: str) -> RowMapping | None:
    """A file."""
    return (await connection.execute(_ONE, {"id": id_})).mappings().first()


async def next_to_read(
    connection: AsyncConnection, kind: str, *, but: Iterable[str] = ()
) -> RowMapping | None:
    """The oldest file that nobody reads, held until the transaction ends."""
    found = await connection.execute(_NEXT, {"kind": kind, "but": list(but)})
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


async def keep_bad_rows(
    connection: AsyncConnection, id_: str, rows: Sequence[tuple[int, str | None, str]]
) -> None:
    """Keep the rows of a file that cannot be read (line, field, reason), in place of earlier."""
    await connection.execute(_FORGET_BAD_ROWS, {"file": id_})
    if rows:
        await connection.execute(
            _KEEP_BAD_ROW,
            [
                {"file": id_, "line": line, "field": field, "reason": reason}
                for line, field, reason in rows
            ],
        )
