"""Reviews by people: their queue, who has taken one on, and what they wrote to each other."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.audit import record
from workflows.onboarding.review import OpenedReview, OpenReview, Verdict, review_id

MOST_COMMENTS = 100
"""How many comments a review may have."""

_NOW = text("SELECT clock_timestamp()")
_OPEN = text("""
    INSERT INTO reviews (id, onboarding, number, tenant, workflow_id, version, owner, approvers,
                         by_default, reasons, excluded, opened_at, remind_at, escalate_at, due_at)
    VALUES (:id, :onboarding, :number, :tenant, :workflow_id, :version, :owner, :approvers,
            :by_default, CAST(:reasons AS jsonb), CAST(:excluded AS jsonb), :opened_at, :remind_at,
            :escalate_at, :due_at)
""")
_HOW_MANY = text("SELECT coalesce(max(number), 0) FROM reviews WHERE onboarding = :onboarding")
_ESCALATE = text("""
    UPDATE reviews SET owner = 'senior_reviewer', escalated_at = clock_timestamp(),
                       claimed_by = NULL, claimed_at = NULL
    WHERE id = :id AND state = 'open'
    RETURNING workflow_id
""")
_CLOSE = text("""
    UPDATE reviews SET state = :state, codes = CAST(:codes AS jsonb), closed_at = clock_timestamp()
    WHERE id = :id AND state = 'open'
    RETURNING workflow_id
""")
_ONE = text("""
    SELECT * FROM reviews
    WHERE id = :id AND (CAST(:tenant AS text) IS NULL OR tenant = :tenant)
""")
_LOCKED = text("""
    SELECT * FROM reviews
    WHERE id = :id AND (CAST(:tenant AS text) IS NULL OR tenant = :tenant)
    FOR UPDATE
""")
_MANY = text("""
    SELECT * FROM reviews
    WHERE (CAST(:tenant AS text) IS NULL OR tenant = :tenant)
      AND state = ANY(:states)
      AND (CAST(:owner AS text) IS NULL OR owner = :owner)
      AND (CAST(:claimed_by AS text) IS NULL OR claimed_by = :claimed_by)
      AND (CAST(:overdue AS boolean) IS NULL
           OR :overdue = (state = 'open' AND escalate_at < clock_timestamp()))
      AND (CAST(:after_id AS text) IS NULL OR (due_at, id) > (:after_at, :after_id))
    ORDER BY due_at, id
    LIMIT :limit
""")
_AGREED = text("""
    SELECT r.id, d.actor, d.reason, d.decided_at
    FROM reviews r
    JOIN decisions d ON d.workflow_id = r.workflow_id AND d.kind = 'approve'
                    AND d.content->>'review' = CAST(r.number AS text)
    WHERE r.id = ANY(:ids)
    ORDER BY d.id
""")
_CHECKS = text("""
    SELECT kind, content, actor AS decided_by, reason, rule_version, decided_at FROM decisions
    WHERE workflow_id = :workflow_id
    ORDER BY id DESC LIMIT 100
""")
_CLAIM = text("""
    UPDATE reviews SET claimed_by = :actor, claimed_at = clock_timestamp() WHERE id = :id
    RETURNING *
""")
_RELEASE = text("""
    UPDATE reviews SET claimed_by = NULL, claimed_at = NULL WHERE id = :id RETURNING *
""")
_COMMENTS = text("""
    SELECT id, author, text, written_at FROM review_comments WHERE review = :review ORDER BY id
""")
_COMMENT = text("""
    INSERT INTO review_comments (review, author, text, text_hash)
    VALUES (:review, :author, :text, :text_hash)
    RETURNING id, author, text, written_at
""")
_SAID = text("""
    SELECT id, author, text, written_at FROM review_comments
    WHERE review = :review AND author = :author AND text_hash = :text_hash
""")
_COUNT = text("SELECT count(*) FROM review_comments WHERE review = :review")


class TooManyComments(Exception):
    """A review has as many comments as it may have."""


# What its process has done


async def now(connection: AsyncConnection) -> datetime:
    """The time by our database's clock, from which deadlines are counted."""
    at = await connection.scalar(_NOW)
    assert isinstance(at, datetime)
    return at


async def open_(
    connection: AsyncConnection,
    request: OpenReview,
    *,
    tenant: str,
    workflow_id: str,
    opened_at: datetime,
    opened: OpenedReview,
) -> None:
    """Put an application into the queue."""
    terms = request.terms
    id_ = review_id(request.application_id, request.number)
    values = {
        "id": id_,
        "onboarding": request.application_id,
        "number": request.number,
        "tenant": tenant,
        "workflow_id": workflow_id,
        "version": request.version,
        "owner": terms.owner,
        "approvers": terms.approvers,
        "by_default": terms.by_default,
        "reasons": json.dumps(terms.reasons),
        "excluded": json.dumps(request.excluded),
        "opened_at": opened_at,
        **opened.model_dump(),
    }
    await connection.execute(_OPEN, values)
    details = {"review": id_, "owner": terms.owner, "approvers": terms.approvers}
    await record(connection, "review.opened", "process", workflow_id=workflow_id, details=details)


async def how_many(connection: AsyncConnection, onboarding: str) -> int:
    """How many reviews there have been of an applicant, as one and as a customer."""
    return int(await connection.scalar(_HOW_MANY, {"onboarding": onboarding}) or 0)


async def escalate(connection: AsyncConnection, id_: str) -> None:
    """Move a review to the senior reviewers' queue; whoever had taken it on has it no more."""
    process = await connection.scalar(_ESCALATE, {"id": id_})
    if process is not None:
        details = {"review": id_}
        await record(
            connection, "review.escalated", "process", workflow_id=process, details=details
        )


async def close(connection: AsyncConnection, id_: str, verdict: Verdict) -> str | None:
    """Take a review out of the queue; the answer is its process, None where it was out of it."""
    values = {"id": id_, "state": verdict.outcome, "codes": json.dumps(verdict.codes)}
    process = await connection.scalar(_CLOSE, values)
    if process is None:
        return None
    details = {"review": id_, **verdict.model_dump(mode="json")}
    await record(connection, "review.closed", "process", workflow_id=process, details=details)
    return str(process)


# What reviewers see and do


async def one(
    connection: AsyncConnection, id_: str, *, tenant: str | None, lock: bool = False
) -> RowMapping | None:
    """A review; `tenant=None` sees every tenant's. With `lock` nobody changes it meanwhile."""
    sql = _LOCKED if lock else _ONE
    return (await connection.execute(sql, {"id": id_, "tenant": tenant})).mappings().first()


async def many(
    connection: AsyncConnection,
    *,
    tenant: str | None,
    states: Sequence[str],
    owner: str | None = None,
    claimed_by: str | None = None,
    overdue: bool | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """Reviews in the order in which they are due, after the row that a page ended with.

    Overdue are open ones that nobody decided about until they were put before senior reviewers.
    """
    values = {
        "tenant": tenant,
        "states": list(states),
        "owner": owner,
        "claimed_by": claimed_by,
        "overdue": overdue,
        "after_at": after[0] if after else None,
        "after_id": after[1] if after else None,
        "limit": limit,
    }
    return (await connection.execute(_MANY, values)).mappings().all()


async def agreed(
    connection: AsyncConnection, ids: Sequence[str]
) -> Mapping[str, Sequence[RowMapping]]:
    """Who agreed in these reviews, when and why, by the review's id."""
    found: dict[str, list[RowMapping]] = {id_: [] for id_ in ids}
    for row in (await connection.execute(_AGREED, {"ids": list(ids)})).mappings():
        found[row["id"]].append(row)
    return found


async def checks(connection: AsyncConnection, workflow_id: str) -> Sequence[RowMapping]:
    """What rules and people decided in a process so far, the latest first; a hundred at most."""
    return (await connection.execute(_CHECKS, {"workflow_id": workflow_id})).mappings().all()


async def claim(connection: AsyncConnection, review: RowMapping, actor: str) -> RowMapping:
    """Note who has taken a review on."""
    row = (await connection.execute(_CLAIM, {"id": review["id"], "actor": actor})).mappings().one()
    await _note(connection, "review.claimed", review, actor)
    return row


async def release(connection: AsyncConnection, review: RowMapping, actor: str) -> RowMapping:
    """Note that nobody has taken a review on."""
    row = (await connection.execute(_RELEASE, {"id": review["id"]})).mappings().one()
    await _note(connection, "review.released", review, actor, was=review["claimed_by"])
    return row


async def comments(connection: AsyncConnection, id_: str) -> Sequence[RowMapping]:
    """What was written about a review, in its order."""
    return (await connection.execute(_COMMENTS, {"review": id_})).mappings().all()


async def comment(
    connection: AsyncConnection, review: RowMapping, *, author: str, said: str
) -> RowMapping:
    """Add a comment to a review that is locked; what somebody has said before is there once.

    Raises TooManyComments.
    """
    values = {
        "review": review["id"],
        "author": author,
        "text": said,
        "text_hash": hashlib.sha256(said.encode()).hexdigest(),
    }
    before = (await connection.execute(_SAID, values)).mappings().first()
    if before is not None:
        return before
    if await connection.scalar(_COUNT, values) >= MOST_COMMENTS:
        raise TooManyComments
    row = (await connection.execute(_COMMENT, values)).mappings().one()
    await _note(connection, "review.commented", review, author, comment=row["id"])
    return row


async def _note(
    connection: AsyncConnection, event: str, review: RowMapping, actor: str, **more: Any
) -> None:
    """Any: ids and codes."""
    details = {"review": review["id"], **more}
    await record(connection, event, actor, workflow_id=review["workflow_id"], details=details)
