"""The request ledger: what was intended, and what became of it. Every time is Postgres time."""

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from database.claims import Claim, Conflict, Done, InProgress, RefusedBefore, Sealed, TakenBack
from database.prepared import Effect, Prepared
from workflows.request_key import Request, fingerprint, outside_key

State = Literal["pending", "succeeded", "refused", "undone"]

_INSERT_NEW = """
    INSERT INTO requests (key, workflow_id, step, state, generation, fingerprint, input,
                          token, lease_until, first_sent_at, settled_at)
    VALUES (:key, :workflow_id, :step, :state, :generation, :fingerprint, CAST(:input AS jsonb),
            :token, clock_timestamp() + CAST(:lease AS interval),
            CASE WHEN :state = 'pending' THEN clock_timestamp() END,
            CASE WHEN :state <> 'pending' THEN clock_timestamp() END)
    ON CONFLICT (key) DO NOTHING
    RETURNING first_sent_at
"""
_INSERT = Prepared(_INSERT_NEW)
_LOOK = Prepared("SELECT * FROM requests WHERE key = :key")
_LOCK = Prepared("""
    SELECT *, lease_until - clock_timestamp() AS lease_left,
           clock_timestamp() - first_sent_at AS sent_ago
    FROM requests WHERE key = :key FOR UPDATE
""")
_CLAIM = Prepared("""
    UPDATE requests
    SET state = 'pending', generation = :generation, fingerprint = :fingerprint,
        input = CAST(:input AS jsonb), refusal = NULL, token = :token, settled_at = NULL,
        lease_until = clock_timestamp() + CAST(:lease AS interval),
        first_sent_at = CASE WHEN :anew THEN clock_timestamp()
                             ELSE coalesce(first_sent_at, clock_timestamp()) END
    WHERE key = :key
    RETURNING first_sent_at
""")
_RELEASE = Prepared("""
    UPDATE requests
    SET token = NULL,
        lease_until = coalesce(clock_timestamp() + CAST(:quiet_in AS interval), lease_until)
    WHERE key = :key AND token = :token
""")
_SETTLE = Prepared("""
    WITH settled AS (
        UPDATE requests
        SET state = CASE state WHEN 'undone' THEN state ELSE :state END,
            result = CAST(:result AS jsonb), refusal = CAST(:refusal AS jsonb),
            token = NULL, lease_until = CAST(:quiet_until AS timestamptz),
            settled_at = clock_timestamp()
        WHERE key = :key AND token = :token
        RETURNING key, workflow_id, state, result
    ), made_after_undo AS (
        INSERT INTO audit (event, actor, workflow_id, details)
        SELECT 'request.made_after_undo', 'once', workflow_id,
               jsonb_build_object('key', key, 'result', result)
        FROM settled WHERE state = 'undone' AND result IS NOT NULL
    )
    SELECT state FROM settled
""")
_SETTLE_OURS = Prepared("""
    UPDATE requests SET result = CAST(:result AS jsonb), settled_at = clock_timestamp()
    WHERE key = :key
""")
_ANEW_OURS = Prepared("""
    UPDATE requests
    SET state = 'succeeded', fingerprint = :fingerprint, input = CAST(:input AS jsonb),
        result = NULL, settled_at = clock_timestamp()
    WHERE key = :key
""")
_SEAL = Prepared("""
    UPDATE requests SET state = 'undone', settled_at = clock_timestamp() WHERE key = :key
""")
_NOTE_FOUND = Prepared("UPDATE requests SET result = CAST(:result AS jsonb) WHERE key = :key")
_LAST_MADE = Prepared("SELECT coalesce(result, earlier -> -1) FROM requests WHERE key = :key")


async def claim_new(
    connection: AsyncConnection, request: Request, lease: timedelta
) -> Claim | None:
    """Claim a request that nobody asked for before, in one statement; None where somebody did."""
    token = uuid4()
    values = _values(request) | {"token": token, "lease": lease, "state": "pending"}
    first_sent_at = await _INSERT.value(connection, values)
    if first_sent_at is None:
        return None
    return Claim(request.request_key, request.generation, token, first_sent_at, None)


async def claim(connection: AsyncConnection, request: Request, lease: timedelta) -> Claim | Done:
    """Claim a request for `lease`, or learn what came of it.

    Raises InProgress, Conflict, RefusedBefore or TakenBack.
    """
    if (new := await claim_new(connection, request, lease)) is not None:
        return new
    token = uuid4()
    row = await _locked(connection, request.request_key)
    if (done := _done(row, request)) is not None:
        return done
    if row["token"] is not None and row["lease_left"] > timedelta(0):
        raise InProgress(request.request_key, row["lease_left"])
    generation = max(row["generation"], request.generation)
    anew = row["state"] == "refused" or row["first_sent_at"] is None
    values = _values(request) | {"token": token, "lease": lease}
    values |= {"generation": generation, "anew": anew}
    first_sent_at = await _CLAIM.value(connection, values)
    assert first_sent_at is not None
    sent_before = None if anew else row["sent_ago"]
    earlier = (_left(row), row["lease_until"])
    return Claim(request.request_key, generation, token, first_sent_at, sent_before, *earlier)


async def claim_anew(
    connection: AsyncConnection, held: Claim, request: Request, lease: timedelta
) -> Claim:
    """Go on under a new generation: the outside has forgotten the old key and made nothing of it.

    Raises InProgress where the lease was lost meanwhile.
    """
    row = await _locked(connection, held.key)
    if row["token"] != held.token:
        raise InProgress(held.key, row["lease_left"] or timedelta(seconds=1))
    renewed = _values(request) | {
        "generation": held.generation + 1,
        "token": held.token,
        "lease": lease,
        "anew": True,
    }
    first_sent_at = await _CLAIM.value(connection, renewed)
    assert first_sent_at is not None
    return Claim(held.key, held.generation + 1, held.token, first_sent_at, None)


async def release(
    connection: AsyncConnection, held: Claim, *, quiet_in: timedelta | None = None
) -> None:
    """Let another attempt go on at once.

    That an answer may be on its way stays noted: to this attempt, or, where it sent nothing that
    could be answered any more, for `quiet_in` to the ones before it.
    """
    values = {"key": held.key, "token": held.token, "quiet_in": quiet_in}
    await _RELEASE.row(connection, values)


async def succeed(connection: AsyncConnection, held: Claim, result: dict[str, Any]) -> bool:
    """Record what came of a request; False where it was undone meanwhile.

    The result is recorded then too, so that the undo finds it, and audited, since an undo that is
    over would not. Raises InProgress where the lease was lost.
    """
    return await _settle(connection, held, "succeeded", result=result) == "succeeded"


async def refuse(
    connection: AsyncConnection, held: Claim, type_: str, reason: str, *, sure: bool
) -> None:
    """Record a no; `sure` where nothing that was sent before it can have been carried out.

    Raises InProgress where the lease was lost.
    """
    refusal = {"type": type_, "text": reason, "sure": sure}
    await _settle(connection, held, "refused", refusal=refusal)


async def first_time(connection: AsyncConnection, request: Request) -> Done | None:
    """For effects in our own database: None where this transaction is to carry the effect out.

    Another transaction with the same key waits here until this one has ended. Raises Conflict or
    TakenBack.
    """
    values = _values(request) | {"token": None, "lease": None, "state": "succeeded"}
    if await _INSERT.row(connection, values) is not None:
        return None
    row = await _locked(connection, request.request_key)
    if (done := _done(row, request)) is None:  # reopened: as if it were new
        await _ANEW_OURS.row(connection, _values(request))
    return done


async def effect_the_first_time(
    connection: AsyncConnection, request: Request, effect: Effect, values: Mapping[str, Any]
) -> bool:
    """Carry an effect out if nobody asked for it before; False where somebody did. One statement.

    Another transaction with the same key is waited for.
    """
    asked = _values(request) | {"token": None, "lease": None, "state": "succeeded"}
    return await _once(effect).row(connection, {**asked, **values}) is not None


@cache
def _once(effect: Effect) -> Prepared:
    return effect.where(_INSERT_NEW)


async def settle_ours(connection: AsyncConnection, key: str, result: dict[str, Any]) -> None:
    """Record what came of an effect in our own database, in its transaction."""
    await _SETTLE_OURS.row(connection, {"key": key, "result": json.dumps(result)})


async def done_before(connection: AsyncConnection, request: Request) -> Done | None:
    """What came of a request, without claiming it; None where it is to be claimed first.

    Raises Conflict, RefusedBefore or TakenBack.
    """
    row = await _LOOK.row(connection, {"key": request.request_key})
    return None if row is None else _done(row, request)


async def seal(connection: AsyncConnection, key: str) -> Sealed:
    """Make sure that nobody carries a request out any more: late attempts meet a tombstone."""
    tombstone = {
        "key": key,
        "workflow_id": _workflow_id(key),
        "step": _step(key),
        "state": "undone",
        "generation": 1,
        "fingerprint": None,
        "input": None,
        "token": None,
        "lease": None,
    }
    await _INSERT.row(connection, tombstone)
    row = await _locked(connection, key)
    await _SEAL.row(connection, {"key": key})
    surely_refused = row["refusal"] is not None and row["refusal"]["sure"]
    last = () if row["result"] is None else (row["result"],)
    return Sealed(
        results=(*row["earlier"], *last),
        made=bool(last),
        in_doubt=row["lease_until"] is not None,
        input=row["input"],
        outside_key=outside_key(key, row["generation"]),
        first_sent_at=None if surely_refused else row["first_sent_at"],
        quiet_in=_left(row),
    )


async def note_found(connection: AsyncConnection, key: str, result: dict[str, Any]) -> None:
    """Note what was found of a sealed request, before it is removed."""
    await _NOTE_FOUND.row(connection, {"key": key, "result": json.dumps(result)})


async def last_made(connection: AsyncConnection, key: str) -> dict[str, Any] | None:
    """The last result that is known of a request, perhaps of one that was reopened since."""
    made: dict[str, Any] | None = await _LAST_MADE.value(connection, {"key": key})
    return made


def _done(row: Mapping[str, Any], request: Request) -> Done | None:
    """What is known of a request already; None where it is to be carried out."""
    key, state = request.request_key, row["state"]
    if state == "undone":
        raise TakenBack(key)
    if row["fingerprint"] is None:  # reopened: whatever is asked now is meant
        return None
    later = request.generation - row["generation"]
    if state == "refused" and later > 0:  # asked again on purpose, perhaps with corrected input
        return None
    if row["fingerprint"] != fingerprint(request) and (state == "pending" or later >= 0):
        raise Conflict(key)
    if state == "succeeded":
        return Done(row["result"] or {})
    if state == "refused":
        refusal = row["refusal"] or {}
        raise RefusedBefore(
            key, row["generation"], refusal.get("type", ""), refusal.get("text", "")
        )
    return None


async def _settle(
    connection: AsyncConnection,
    held: Claim,
    state: State,
    *,
    result: dict[str, Any] | None = None,
    refusal: dict[str, Any] | None = None,
) -> str:
    settled = {
        "key": held.key,
        "token": held.token,
        "state": state,
        "quiet_until": held.quiet_until,
        "result": None if result is None else json.dumps(result),
        "refusal": None if refusal is None else json.dumps(refusal),
    }
    now = await _SETTLE.value(connection, settled)
    if not isinstance(now, str):
        raise InProgress(held.key, timedelta(seconds=1))
    return now


def _left(row: Mapping[str, Any]) -> timedelta | None:
    left: timedelta | None = row["lease_left"]
    return left if left is not None and left > timedelta(0) else None


async def _locked(connection: AsyncConnection, key: str) -> Mapping[str, Any]:
    row = await _LOCK.row(connection, {"key": key})
    assert row is not None, "requests are never deleted"
    return row


def _workflow_id(key: str) -> str:
    """`onboarding/acme/abc/billing.create_customer/2` → `onboarding/acme/abc`."""
    parts = key.split("/")
    steps = [at for at, part in enumerate(parts) if "." in part]
    return "/".join(parts[: steps[0]]) if steps else key


def _step(key: str) -> str:
    return key.removeprefix(_workflow_id(key) + "/").split("/")[0]


def _values(request: Request) -> dict[str, Any]:
    named = request.model_dump(mode="json", exclude={"request_key", "generation"})
    return {
        "key": request.request_key,
        "workflow_id": _workflow_id(request.request_key),
        "step": _step(request.request_key),
        "generation": request.generation,
        "fingerprint": fingerprint(request),
        "input": json.dumps(named),
    }
