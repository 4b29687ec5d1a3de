"""What our database keeps of a case: rulings, hits, reviews, documents, and what it belongs to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.demo.reviewers import Reviewers
from workflows.onboarding.rules import DocumentKind

_CASE = text("""
    SELECT adverse_actions, appeal_of, merged_into FROM onboardings WHERE id = :id
""")
_RULINGS = text("""
    SELECT substr(kind, 6) AS table, content->>'row' AS row, rule_version AS version,
           content->>'inputs_hash' AS inputs,
           EXISTS (SELECT FROM rule_versions known WHERE known.table_name = substr(d.kind, 6)
                   AND known.version = d.rule_version) AS known
    FROM decisions d WHERE workflow_id = :workflow_id AND kind LIKE 'rule.%' ORDER BY id
""")
_HITS = text("""
    SELECT h.listed->>'name' AS listed, h.verdict, h.judged_by AS by, h.reason,
           max(a.until) AS until
    FROM screening_hits h LEFT JOIN screening_acceptances a ON a.hit = h.id
    WHERE h.application_id = :id GROUP BY h.id ORDER BY h.id
""")
_REVIEWS = text("""
    SELECT id, state, approvers, excluded FROM reviews WHERE onboarding = :id ORDER BY number
""")
_ASKED = text("SELECT kind FROM document_requests WHERE onboarding_id = :id ORDER BY kind")
_PAPERS = text("""
    SELECT id, kind, state, sha256 FROM documents WHERE onboarding_id = :id ORDER BY kind
""")


@dataclass(frozen=True)
class RulingRow:
    """What a table said: by which row, of which version, and whether we still have that."""

    table: str
    row: str
    version: str | None
    inputs: str | None
    known: bool


@dataclass(frozen=True)
class HitRow:
    """A hit, what was found out about it, and until when that it is another is remembered."""

    listed: str
    verdict: str | None
    by: str | None
    reason: str | None
    until: datetime | None


@dataclass(frozen=True)
class ReviewRow:
    """A review: how it ended, how many had to agree, and who was not to decide."""

    id: str
    state: str
    approvers: int
    excluded: Sequence[str]


@dataclass(frozen=True)
class Paper:
    """A document. `content` is the SHA-256 of what the archive has; empty where it has nothing."""

    id: str
    kind: DocumentKind
    state: str
    sha256: str
    content: str | None = None


@dataclass(frozen=True)
class Case:
    """All that is kept of a case. `codes` is what a rejected applicant was told."""

    id: str
    codes: tuple[str, ...]
    appeal_of: str | None
    merged_into: str | None
    rulings: tuple[RulingRow, ...]
    hits: tuple[HitRow, ...]
    reviews: tuple[ReviewRow, ...]
    asked: tuple[str, ...]
    papers: tuple[Paper, ...]


async def case_of(
    connection: AsyncConnection, reviewers: Reviewers, *, id_: str, process: str
) -> Case:
    """What there is of an onboarding. Raises httpx.HTTPError."""
    whose = {"id": id_, "workflow_id": process}
    case = (await connection.execute(_CASE, whose)).mappings().one()
    papers = []
    for row in (await connection.execute(_PAPERS, whose)).mappings():
        content = await _content(reviewers, id_, row["id"])
        papers.append(Paper(**row, content=content))
    return Case(
        id=id_,
        codes=tuple(case["adverse_actions"] or ()),
        appeal_of=case["appeal_of"],
        merged_into=case["merged_into"],
        rulings=tuple(
            [RulingRow(**row) for row in (await connection.execute(_RULINGS, whose)).mappings()]
        ),
        hits=tuple([HitRow(**row) for row in (await connection.execute(_HITS, whose)).mappings()]),
        reviews=tuple(
            [ReviewRow(**row) for row in (await connection.execute(_REVIEWS, whose)).mappings()]
        ),
        asked=tuple(await connection.scalars(_ASKED, whose)),
        papers=tuple(papers),
    )


async def _content(reviewers: Reviewers, onboarding: str, document: str) -> str | None:
    """The SHA-256 of a document as the archive has it; None where it has none."""
    try:
        return hashlib.sha256(await reviewers.document(onboarding, document)).hexdigest()
    except httpx.HTTPStatusError as error:
        if error.response.status_code == 409:
            return None
        raise
