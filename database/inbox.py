"""The inbox: what came in from outside, each event once, until Temporal has taken it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.prepared import Prepared
from workflows.events import Event

_INSERT = Prepared("""
    WITH new AS (
        INSERT INTO inbox (source, event_id, type, object_id, workflow_id, happened_at, note, state,
                           done_at)
        SELECT told.*, CASE WHEN note IS NULL THEN 'waiting' ELSE 'ignored' END,
               CASE WHEN note IS NOT NULL THEN clock_timestamp() END
        FROM unnest(CAST(:sources AS text[]), CAST(:event_ids AS text[]), CAST(:types AS text[]),
                    CAST(:object_ids AS text[]), CAST(:workflow_ids AS text[]),
                    CAST(:happened AS timestamptz[]), CAST(:notes AS text[]))
             AS told (source, event_id, type, object_id, workflow_id, happened_at, note)
        ON CONFLICT (source, event_id) DO NOTHING RETURNING 1
    )
    SELECT count(*) FROM new
""")
_CLAIM = text("""
    UPDATE inbox SET tries = tries + 1, next_try_at = clock_timestamp() + CAST(:lease AS interval)
    WHERE id IN (
        SELECT id FROM inbox WHERE state = 'waiting' AND next_try_at <= clock_timestamp()
        ORDER BY next_try_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    RETURNING id, source, event_id, type, object_id, workflow_id, happened_at, tries
""")
_SETTLE = text("""
    UPDATE inbox
    SET state = CASE WHEN told.note IS NULL THEN 'done' ELSE 'ignored' END, note = told.note,
        done_at = clock_timestamp()
    FROM unnest(CAST(:ids AS bigint[]), CAST(:notes AS text[])) AS told (id, note)
    WHERE inbox.id = told.id
""")
_POSTPONE = text("""
    UPDATE inbox SET note = told.note, next_try_at = clock_timestamp()
        + least(interval '1 second' * power(2, least(tries, 10)), interval '5 minutes')
    FROM unnest(CAST(:ids AS bigint[]), CAST(:notes AS text[])) AS told (id, note)
    WHERE inbox.id = told.id
""")

LEASE = timedelta(seconds=30)
"""How long handing over may take before somebody else tries."""


@dataclass(frozen=True)
class Waiting(Event):
    """An event on its way to Temporal."""

    id: int
    tries: int


async def take_in(connection: AsyncConnection, events: Sequence[Event]) -> int:
    """Add events; how many of them were new. What nobody waits for is settled with it."""
    values = {
        "sources": [event.source for event in events],
        "event_ids": [event.event_id for event in events],
        "types": [event.type for event in events],
        "object_ids": [event.object_id for event in events],
        "workflow_ids": [event.workflow_id for event in events],
        "happened": [event.happened_at for event in events],
        "notes": [event.nobody_waits for event in events],
    }
    return int(await _INSERT.value(connection, values))


async def claim(connection: AsyncConnection, limit: int) -> list[Waiting]:
    """Take up to `limit` events that wait; nobody else gets them while the lease lasts."""
    rows = await connection.execute(_CLAIM, {"limit": limit, "lease": LEASE})
    return [Waiting(**row) for row in rows.mappings()]


async def settle(connection: AsyncConnection, notes: Mapping[int, str | None]) -> None:
    """Note of events, by id, that they need nothing any more; a note says why nobody was told."""
    await connection.execute(_SETTLE, {"ids": list(notes), "notes": list(notes.values())})


async def postpone(connection: AsyncConnection, notes: Mapping[int, str]) -> None:
    """Try events again later: in 2 seconds at first, in 5 minutes at most, and never give up."""
    await connection.execute(_POSTPONE, {"ids": list(notes), "notes": list(notes.values())})
