"""Idempotency keys as Stripe keeps them.

What the first execution answered is stored, failures and 500s included, and comes again for the
same key. Nothing is stored for what failed before the operation began (parameters, conflicts,
429s). A key lives 24 h of simulated time; after that the same key executes again.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from simulators.clock import Clock
from simulators.storage import Storage
from simulators.stripe.errors import KeyConflict, ParameterError
from simulators.stripe.parameters import Form

LIFETIME_SECONDS = 24 * 60 * 60
LONGEST_KEY = 255
SCHEMA = """
CREATE TABLE IF NOT EXISTS stripe_idempotency_keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    request_id TEXT NOT NULL,
    created REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS stripe_idempotency_keys_created ON stripe_idempotency_keys (created);
"""


@dataclass(frozen=True)
class Recorded:
    """What the first execution answered."""

    status: int
    body: str
    request_id: str


class IdempotencyKeys:
    """The stored answers, and the keys that are in use right now (these end with the process)."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._in_use: set[str] = set()
        storage.create(SCHEMA)

    def recorded(self, key: str, fingerprint: str) -> Recorded | None:
        """What is stored for a key.

        Raises ParameterError for a key that is too long, KeyConflict for one that is in use or
        was used for another request.
        """
        if len(key) > LONGEST_KEY:
            raise ParameterError(f"Idempotency keys may have at most {LONGEST_KEY} characters.")
        if key in self._in_use:
            raise KeyConflict(
                "There is another request in progress with this idempotency key.",
                status=409,
                error_type="idempotency_error",
                code="idempotency_key_in_use",
                headers={"Stripe-Should-Retry": "true"},
            )
        self.prune()
        row = self._storage.row(
            "SELECT fingerprint, status, body, request_id FROM stripe_idempotency_keys"
            " WHERE key = ?",
            (key,),
        )
        if row is None:
            return None
        if row[0] != fingerprint:
            raise KeyConflict(
                "This idempotency key was used with another path or other parameters.",
                error_type="idempotency_error",
            )
        return Recorded(*row[1:])

    @contextmanager
    def in_use(self, key: str) -> Iterator[None]:
        """Hold the key while its request is on."""
        self._in_use.add(key)
        try:
            yield
        finally:
            self._in_use.discard(key)

    def record(self, key: str, fingerprint: str, answer: Recorded) -> None:
        """Store an answer; belongs in the transaction of what it tells of."""
        self._storage.run(
            "INSERT INTO stripe_idempotency_keys VALUES (?, ?, ?, ?, ?, ?)",
            (key, fingerprint, answer.status, answer.body, answer.request_id, self._clock.now()),
        )

    def prune(self) -> None:
        """Forget the keys whose time is over."""
        self._storage.run(
            "DELETE FROM stripe_idempotency_keys WHERE created <= ?",
            (self._clock.now() - LIFETIME_SECONDS,),
        )

    def forget(self, key: str | None) -> int:
        """Forget one key or all before their time; how many there were."""
        return self._storage.run(
            "DELETE FROM stripe_idempotency_keys WHERE ? IS NULL OR key = ?", (key, key)
        )


def fingerprint(path: str, form: Form) -> str:
    """What makes two requests the same: the path and the parameters, in any order."""
    text = json.dumps([path, form], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
