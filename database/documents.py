"""Documents that onboardings asked for, and what came of them. Their content is elsewhere."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database import inbox
from database.audit import record
from workflows.events import DOCUMENT_RECEIVED, Event

_PROCESS = text("SELECT workflow_id FROM onboardings WHERE id = :id")
_ASK_NO_MORE = text("""
    DELETE FROM document_requests WHERE onboarding_id = :id AND kind <> ALL(:kinds)
""")
_ASK = text("""
    INSERT INTO document_requests (onboarding_id, kind, round, files, dated, of_customer)
    SELECT :id, kind, :round, :files, kind = ANY(CAST(:dated AS text[])), :of_customer
    FROM unnest(CAST(:kinds AS text[])) AS kind
    ON CONFLICT (onboarding_id, kind) DO UPDATE
    SET round = excluded.round, files = excluded.files, dated = excluded.dated,
        of_customer = excluded.of_customer, asked_at = clock_timestamp()
""")
_WAITS = """CASE WHEN r.of_customer THEN EXISTS (
    SELECT FROM customers c WHERE c.id = r.onboarding_id AND c.stage <> 'offboarded'
) ELSE o.stage = 'awaiting_documents' END"""
"""Whether a document is waited for: by the onboarding, or by who watches over the customer."""
# Held until the row is in: who sends the same, or one too many, waits here.
_HOLD = text(f"""
    SELECT r.round, r.files, r.dated, o.workflow_id, {_WAITS} AS waits
    FROM document_requests r JOIN onboardings o ON o.id = r.onboarding_id
    WHERE r.onboarding_id = :id AND r.kind = :kind
    FOR UPDATE OF r
""")  # noqa: S608 - a text of our own
_OF_KIND = text("""
    SELECT * FROM documents
    WHERE onboarding_id = :id AND kind = :kind AND round = :round AND state <> 'gone'
    ORDER BY created_at, id
""")
_INSERT = text("""
    INSERT INTO documents (id, onboarding_id, kind, round, sha256, size, media_type, state,
                           uploaded_by, valid_until)
    VALUES (:id, :onboarding_id, :kind, :round, :sha256, :size, :media_type, 'received',
            :uploaded_by, :valid_until)
    RETURNING *
""")
_ASKED = text(f"""
    SELECT r.kind, r.round, r.asked_at, {_WAITS} AS waits
    FROM document_requests r JOIN onboardings o ON o.id = r.onboarding_id
    WHERE r.onboarding_id = :id ORDER BY r.kind
""")  # noqa: S608
_THAT_EXPIRE = text("""
    SELECT kind, valid_until FROM (
        SELECT DISTINCT ON (kind) kind, valid_until FROM documents
        WHERE onboarding_id = :id AND state IN ('stored', 'accepted')
        ORDER BY kind, created_at DESC
    ) AS latest
    WHERE valid_until IS NOT NULL ORDER BY kind
""")
_LAST_ROUND = text("""
    SELECT greatest((SELECT max(round) FROM documents WHERE onboarding_id = :id),
                    (SELECT max(round) FROM document_requests WHERE onboarding_id = :id), 0)
""")
_OF_ONBOARDING = text("""
    SELECT * FROM documents
    WHERE onboarding_id = :id AND (CAST(:round AS integer) IS NULL OR round = :round)
    ORDER BY created_at, id
""")
_ONE = text("""
    SELECT d.*, o.tenant, o.workflow_id, o.stage FROM documents d
    JOIN onboardings o ON o.id = d.onboarding_id
    WHERE d.id = :id
""")
_STORED = text("""
    UPDATE documents SET state = 'stored', stored_at = clock_timestamp()
    WHERE id = :id AND state = 'received'
""")
_JUDGED = text("""
    UPDATE documents
    SET state = :verdict, code = :code, judged_at = clock_timestamp(),
        valid_until = coalesce(CAST(:valid_until AS date), valid_until)
    WHERE id = :id AND state = 'stored'
""")
_GONE = text("""
    UPDATE documents d SET state = 'gone', gone_at = clock_timestamp()
    FROM onboardings o
    WHERE d.id = :id AND d.state <> 'gone' AND o.id = d.onboarding_id
    RETURNING o.workflow_id
""")
_WANTED = text("""
    SELECT id FROM documents WHERE id = ANY(:ids) AND state = 'received'
""")
_LEFT_BEHIND = text("""
    SELECT d.id FROM documents d JOIN onboardings o ON o.id = d.onboarding_id
    WHERE d.state = 'received' AND o.ended_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM document_requests r JOIN customers c ON c.id = r.onboarding_id
        WHERE r.onboarding_id = d.onboarding_id AND r.round = d.round AND r.of_customer
            AND c.stage <> 'offboarded'
    )
""")


@dataclass(frozen=True)
class Upload:
    """A document at the door: what is known of it before anybody wants it."""

    onboarding_id: str
    kind: str
    sha256: str
    size: int
    media_type: str
    uploaded_by: str
    valid_until: date | None = None


class NotAskedFor(Exception):
    """Nobody waits for a document of this kind now."""


class NotDated(Exception):
    """A document of this kind says until when it is valid."""


class Enough(Exception):
    """There are as many documents of this kind as are taken in."""


async def ask(
    connection: AsyncConnection,
    onboarding_id: str,
    *,
    kinds: Sequence[str],
    round_: int,
    files: int,
    dated: Sequence[str] = (),
    of_customer: bool = False,
) -> None:
    """Let documents of these kinds in, and no others, so many of each.

    Those of the `dated` kinds say until when they are valid.
    """
    process = await connection.scalar(_PROCESS, {"id": onboarding_id})
    await record(
        connection,
        "documents.asked",
        "process",
        workflow_id=process,
        details={"kinds": list(kinds), "round": round_},
    )
    values = {
        "id": onboarding_id,
        "kinds": list(kinds),
        "round": round_,
        "files": files,
        "dated": list(dated),
        "of_customer": of_customer,
    }
    await connection.execute(_ASK_NO_MORE, values)
    await connection.execute(_ASK, values)


async def asked(connection: AsyncConnection, onboarding_id: str) -> Sequence[RowMapping]:
    """The kinds that an onboarding asked for: kind, round, asked_at, and whether it `waits`."""
    return (await connection.execute(_ASKED, {"id": onboarding_id})).mappings().all()


async def that_expire(connection: AsyncConnection, onboarding_id: str) -> Sequence[RowMapping]:
    """The latest document of each kind that is valid until a day: kind, valid_until."""
    return (await connection.execute(_THAT_EXPIRE, {"id": onboarding_id})).mappings().all()


async def last_round(connection: AsyncConnection, onboarding_id: str) -> int:
    """The last round in which documents were asked for; 0 where there was none."""
    return int(await connection.scalar(_LAST_ROUND, {"id": onboarding_id}) or 0)


async def must_be_asked_for(
    connection: AsyncConnection, onboarding_id: str, kind: str, valid_until: date | None
) -> None:
    """Raises NotAskedFor, or NotDated."""
    request = await _request(connection, onboarding_id, kind)
    if request["dated"] and valid_until is None:
        raise NotDated


async def take_in(connection: AsyncConnection, upload: Upload) -> tuple[RowMapping, bool]:
    """The row of a document, and whether it is new: the same content has one row.

    The event that tells its process is in the same transaction. Raises NotAskedFor or Enough.
    """
    request = await _request(connection, upload.onboarding_id, upload.kind)
    wanted = {"id": upload.onboarding_id, "kind": upload.kind, "round": request["round"]}
    there = (await connection.execute(_OF_KIND, wanted)).mappings().all()
    for row in there:
        if row["sha256"] == upload.sha256:
            return row, False
    if len(there) >= request["files"]:
        raise Enough
    id_ = uuid.uuid4().hex
    values = vars(upload) | {"id": id_, "round": request["round"]}
    row = (await connection.execute(_INSERT, values)).mappings().one()
    process = request["workflow_id"]
    event = Event(
        source="documents",
        event_id=id_,
        type=DOCUMENT_RECEIVED,
        object_id=id_,
        workflow_id=process,
        happened_at=datetime.now(UTC),
    )
    await inbox.take_in(connection, [event])
    details = {"id": id_, "kind": upload.kind, "sha256": upload.sha256, "size": upload.size}
    await record(
        connection, "document.received", upload.uploaded_by, workflow_id=process, details=details
    )
    return row, True


async def _request(connection: AsyncConnection, onboarding_id: str, kind: str) -> RowMapping:
    found = await connection.execute(_HOLD, {"id": onboarding_id, "kind": kind})
    request = found.mappings().first()
    if request is None or not request["waits"]:
        raise NotAskedFor
    return request


async def many(
    connection: AsyncConnection, onboarding_id: str, *, round_: int | None = None
) -> Sequence[RowMapping]:
    """The documents of an onboarding, perhaps only of a round, in the order in which they came."""
    values = {"id": onboarding_id, "round": round_}
    return (await connection.execute(_OF_ONBOARDING, values)).mappings().all()


async def one(connection: AsyncConnection, id_: str) -> RowMapping | None:
    """A document with its tenant and its process."""
    return (await connection.execute(_ONE, {"id": id_})).mappings().first()


async def stored(connection: AsyncConnection, id_: str) -> None:
    """Note that the archive has a document."""
    await connection.execute(_STORED, {"id": id_})


async def judged(
    connection: AsyncConnection,
    id_: str,
    *,
    verdict: str,
    code: str | None,
    valid_until: date | None = None,
) -> None:
    """Note what a reviewer found, and the day that they read in it, if they did."""
    values = {"id": id_, "verdict": verdict, "code": code, "valid_until": valid_until}
    await connection.execute(_JUDGED, values)


async def gone(connection: AsyncConnection, id_: str) -> None:
    """Note that a document's content is nowhere any more."""
    process = await connection.scalar(_GONE, {"id": id_})
    if process is not None:
        details = {"id": id_}
        await record(connection, "document.gone", "process", workflow_id=process, details=details)


async def wanted(connection: AsyncConnection, ids: Sequence[str]) -> set[str]:
    """Those of these documents that have yet to be put into the archive."""
    return set((await connection.execute(_WANTED, {"ids": list(ids)})).scalars())


async def left_behind(connection: AsyncConnection) -> Sequence[str]:
    """The documents that came in when their onboarding had ended, or was about to."""
    return (await connection.execute(_LEFT_BEHIND)).scalars().all()
