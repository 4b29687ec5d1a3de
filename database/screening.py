"""Hits of screenings, what people judged of them, and what is remembered of that."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database import inbox
from database.audit import record
from workflows.events import HIT_JUDGED, Event

Verdict = Literal["false_positive", "confirmed"]
Judged = tuple[Sequence[str], Verdict | None]
"""The topics of an entry of a list, and what people made of the hit; None where nobody did."""

PUBLIC_OFFICE = frozenset({"role.pep", "role.rca"})
"""OpenSanctions' topics for holders of public office, and for who is close to them."""

_SUPERSEDE = text("""
    UPDATE screening_hits SET superseded = true
    WHERE application_id = :application_id AND NOT superseded
""")
# What was found of the same party before: that it is the one stands over that it is another, and
# both only while the entry says the same.
_ADD = text("""
    INSERT INTO screening_hits (request_key, application_id, version, party, party_hash, list,
                                list_version, entry, entry_version, listed, score, holds_for,
                                verdict, remembered, judged_by, judged_at, reason, until)
    SELECT :request_key, :application_id, :version, :party, :party_hash, :list, :list_version,
           :entry, :entry_version, CAST(:listed AS jsonb), :score, :holds_for,
           before.verdict, before.verdict IS NOT NULL, before.judged_by, before.judged_at,
           before.reason, before.until
    FROM (SELECT) AS this LEFT JOIN LATERAL (
        SELECT 1 AS rank, 'confirmed' AS verdict, judged_by, judged_at, reason,
               CAST(NULL AS timestamptz) AS until
        FROM screening_hits
        WHERE (party_hash, list, entry, entry_version)
            = (:party_hash, :list, :entry, :entry_version)
          AND verdict = 'confirmed' AND NOT remembered
        UNION ALL
        SELECT 2, 'false_positive', accepted_by, accepted_at, reason, until
        FROM screening_acceptances
        WHERE (party_hash, list, entry, entry_version)
            = (:party_hash, :list, :entry, :entry_version)
          AND until > clock_timestamp()
        ORDER BY rank, judged_at DESC LIMIT 1
    ) AS before ON true
    RETURNING verdict
""")
_HITS = text("""
    SELECT h.*, a.form FROM screening_hits h
    LEFT JOIN applications a ON a.id = h.application_id AND a.version = h.version
    WHERE h.application_id = :application_id AND NOT h.superseded
    ORDER BY h.score DESC, h.id
""")
_OPEN = text("""
    SELECT count(*) FROM screening_hits
    WHERE application_id = :application_id AND NOT superseded AND verdict IS NULL
""")
_LISTED = text("""
    SELECT EXISTS (
        SELECT FROM screening_hits
        WHERE application_id = :application_id AND NOT superseded AND verdict = 'confirmed'
          AND (jsonb_array_length(listed->'topics') = 0
               OR NOT listed->'topics' <@ CAST(:public_office AS jsonb)))
""")
_JUDGED = text("""
    SELECT listed->'topics' AS topics, verdict FROM screening_hits
    WHERE application_id = :application_id AND NOT superseded
""")
_HIT = text("""
    SELECT h.*, o.workflow_id FROM screening_hits h
    JOIN onboardings o ON o.id = h.application_id
    WHERE h.id = :hit AND h.application_id = :application_id
    FOR UPDATE OF h
""")
_JUDGE = text("""
    UPDATE screening_hits
    SET verdict = :verdict, remembered = false, judged_by = :by, judged_at = clock_timestamp(),
        reason = :reason, until = :until, revision = revision + 1
    WHERE id = :hit
""")
_WITHDRAW = text("""
    UPDATE screening_acceptances SET until = clock_timestamp()
    WHERE (party_hash, list, entry) = (:party_hash, :list, :entry) AND until > clock_timestamp()
""")
_ACCEPT = text("""
    INSERT INTO screening_acceptances
        (hit, party_hash, list, entry, entry_version, accepted_by, reason, until)
    SELECT id, party_hash, list, entry, entry_version, :by, :reason, :until
    FROM screening_hits WHERE id = :hit
""")


@dataclass(frozen=True)
class FoundHit:
    """A hit as a screening found it; `listed` is what the list says of the entry."""

    party: str
    party_hash: str
    list: str
    entry: str
    entry_version: str
    score: int
    listed: Mapping[str, Any]


class Superseded(Exception):
    """The hit is of an earlier screening: the application was screened again since."""


class JudgedMeanwhile(Exception):
    """Somebody judged the hit since it was looked at. `revision` is what it has now."""

    def __init__(self, revision: int) -> None:
        super().__init__(revision)
        self.revision = revision


class HoldsTooLong(ValueError):
    """A false positive would be remembered into the past, or longer than the policy allows."""

    def __init__(self, latest: datetime) -> None:
        super().__init__(latest)
        self.latest = latest


async def keep(
    connection: AsyncConnection,
    found: Sequence[FoundHit],
    *,
    request_key: str,
    application_id: str,
    version: int,
    list_version: str,
    holds_for: timedelta,
) -> list[Verdict | None]:
    """Keep the hits of a screening in the place of earlier ones; what is remembered of each."""
    await connection.execute(_SUPERSEDE, {"application_id": application_id})
    verdicts = []
    for one in found:
        row = {
            "request_key": request_key,
            "application_id": application_id,
            "version": version,
            "party": one.party,
            "party_hash": one.party_hash,
            "list": one.list,
            "list_version": list_version,
            "entry": one.entry,
            "entry_version": one.entry_version,
            "listed": json.dumps(one.listed),
            "score": one.score,
            "holds_for": holds_for,
        }
        verdicts.append(await connection.scalar(_ADD, row))
    return verdicts


async def hits(connection: AsyncConnection, application_id: str) -> Sequence[RowMapping]:
    """The hits of the latest screening, the most alike first, each with the form it is about."""
    rows = await connection.execute(_HITS, {"application_id": application_id})
    return rows.mappings().all()


async def open_hits(connection: AsyncConnection, application_id: str) -> int:
    """How many hits of the latest screening nobody has judged."""
    return int(await connection.scalar(_OPEN, {"application_id": application_id}) or 0)


async def judged(connection: AsyncConnection, application_id: str) -> list[Judged]:
    """What people made of each hit of the latest screening."""
    rows = await connection.execute(_JUDGED, {"application_id": application_id})
    return [(row.topics, row.verdict) for row in rows]


async def is_listed(connection: AsyncConnection, application_id: str) -> bool:
    """Whether somebody found a party to be on a list, other than for public office alone."""
    asked = {"application_id": application_id, "public_office": json.dumps(sorted(PUBLIC_OFFICE))}
    return bool(await connection.scalar(_LISTED, asked))


async def judge(
    connection: AsyncConnection,
    *,
    application_id: str,
    hit: int,
    verdict: Verdict,
    by: str,
    reason: str,
    until: datetime | None,
    looked_at: frozenset[int] | None,
) -> int:
    """Keep what somebody found, with a line of audit; the revision that the hit has then.

    The event that tells its process is in the same transaction.

    A false positive is remembered until a date, which is the latest that the policy allows where
    none is given. What was remembered of this party and entry before holds no more. `looked_at` are
    the revisions that the decider has seen; None is any.

    Raises LookupError, Superseded, JudgedMeanwhile, HoldsTooLong.
    """
    asked = {"hit": hit, "application_id": application_id}
    row = (await connection.execute(_HIT, asked)).mappings().first()
    if row is None:
        raise LookupError(hit)
    if row["superseded"]:
        raise Superseded
    if looked_at is not None and row["revision"] not in looked_at:
        raise JudgedMeanwhile(row["revision"])
    now = datetime.now(UTC)
    holds_until = None
    if verdict == "false_positive":
        latest = now + row["holds_for"]
        holds_until = until or latest
        if not now < holds_until <= latest:
            raise HoldsTooLong(latest)
    told = {"hit": hit, "verdict": verdict, "by": by, "reason": reason, "until": holds_until}
    await connection.execute(_JUDGE, told)
    await connection.execute(_WITHDRAW, {name: row[name] for name in _PARTY_AND_ENTRY})
    if holds_until is not None:
        await connection.execute(
            _ACCEPT, {name: told[name] for name in ("hit", "by", "reason", "until")}
        )
    revision = int(row["revision"]) + 1
    event = Event(
        source="perdure",
        event_id=f"screening/{hit}/{revision}",
        type=HIT_JUDGED,
        object_id=str(hit),
        workflow_id=row["workflow_id"],
        happened_at=now,
    )
    await inbox.take_in(connection, [event])
    await record(
        connection,
        "screening.judged",
        by,
        workflow_id=row["workflow_id"],
        details={
            "hit": hit,
            "list": row["list"],
            "entry": row["entry"],
            "verdict": verdict,
            "reason": reason,
            "until": holds_until.isoformat() if holds_until else None,
        },
    )
    return revision


_PARTY_AND_ENTRY = ("party_hash", "list", "entry")
