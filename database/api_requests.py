"""What callers asked for under an Idempotency-Key: the same question gets the same answer."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_INSERT = text("""
    INSERT INTO api_requests (operation, tenant, key_hash, fingerprint, lease_until)
    VALUES (:operation, :tenant, :key_hash, :fingerprint,
            clock_timestamp() + CAST(:lease AS interval))
    ON CONFLICT DO NOTHING
    RETURNING true
""")
_LOCK = text("""
    SELECT *, lease_until - clock_timestamp() AS lease_left FROM api_requests
    WHERE operation = :operation AND tenant = :tenant AND key_hash = :key_hash FOR UPDATE
""")
_TAKE_OVER = text("""
    UPDATE api_requests SET lease_until = clock_timestamp() + CAST(:lease AS interval)
    WHERE operation = :operation AND tenant = :tenant AND key_hash = :key_hash
""")
_ANSWER = text("""
    UPDATE api_requests SET status = :status, answer = CAST(:answer AS jsonb)
    WHERE operation = :operation AND tenant = :tenant AND key_hash = :key_hash AND status IS NULL
""")

LEASE = timedelta(seconds=15)
"""How long one attempt to answer may take before another may try."""


class OtherBody(Exception):
    """The key was used with another body before."""


class BeingAnswered(Exception):
    """The first request with this key is still being answered."""

    def __init__(self, left: timedelta) -> None:
        super().__init__("the first request with this key is still being answered")
        self.left = left


@dataclass(frozen=True)
class ApiRequest:
    """A request as its caller named it: `key_hash` is the hash of the Idempotency-Key."""

    operation: str
    tenant: str
    key_hash: str
    fingerprint: str


@dataclass(frozen=True)
class Answer:
    """What we answered."""

    status: int
    body: dict[str, Any]


async def take(connection: AsyncConnection, request: ApiRequest) -> Answer | None:
    """Take a request to answer it, or learn what was answered before.

    Raises OtherBody or BeingAnswered. An attempt that died gives way when its lease is over.
    """
    values = {**vars(request), "lease": LEASE}
    if await connection.scalar(_INSERT, values):
        return None
    row = (await connection.execute(_LOCK, vars(request))).mappings().one()
    if row["fingerprint"] != request.fingerprint:
        raise OtherBody
    if row["status"] is not None:
        return Answer(row["status"], row["answer"])
    if row["lease_left"] > timedelta(0):
        raise BeingAnswered(row["lease_left"])
    await connection.execute(_TAKE_OVER, values)
    return None


async def answered(connection: AsyncConnection, request: ApiRequest, answer: Answer) -> None:
    """Keep the answer: whoever asks again gets the same."""
    values = {**vars(request), "status": answer.status, "answer": json.dumps(answer.body)}
    await connection.execute(_ANSWER, values)
