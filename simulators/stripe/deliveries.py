"""Webhook deliveries that are to be made, kept until an endpoint has answered 2xx.

Times are the wall clock's: an endpoint is a real process, and it checks signatures against its own.
"""

import random
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators.storage import Storage

State = Literal["pending", "delivered", "lost"]
ReleaseOrder = Literal["oldest_first", "newest_first", "shuffled"]

# Quick at first, for a laptop; then each minute.
RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
MOST_ATTEMPTS = 200
SETTING = "stripe_webhook_conduct"
SCHEMA = """
CREATE TABLE IF NOT EXISTS stripe_deliveries (
    id INTEGER PRIMARY KEY,
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    due REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'pending',
    last_status INTEGER
);
CREATE INDEX IF NOT EXISTS stripe_deliveries_due ON stripe_deliveries (due)
    WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS stripe_deliveries_event ON stripe_deliveries (event);
"""


class Conduct(BaseModel):
    """How webhooks misbehave: at least once and unordered, on demand."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    copies: int = Field(default=1, ge=1, le=20)
    """How often each event made from now on is delivered to each endpoint."""
    scatter_seconds: float = Field(default=0, ge=0, le=60)
    """Each delivery waits a random time up to this, so that no order is kept."""
    drop_next: int = Field(default=0, ge=0)
    """So many deliveries are lost for good."""
    paused: bool = False


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one endpoint."""

    id: int
    event: str
    endpoint: str
    attempts: int


class Deliveries:
    """The table of deliveries and how they are to misbehave; both survive a restart."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        storage.create(SCHEMA)
        self._conduct = Conduct.model_validate(storage.setting(SETTING, {}))

    @property
    def conduct(self) -> Conduct:
        """How deliveries misbehave now."""
        return self._conduct

    def behave(self, conduct: Conduct) -> None:
        """Change how deliveries misbehave."""
        self._conduct = conduct
        self._storage.keep_setting(SETTING, conduct.model_dump())

    def plan(self, event: str, endpoints: Sequence[str]) -> None:
        """Deliver an event to these endpoints, as often as the conduct says."""
        for endpoint in endpoints:
            for _ in range(self._conduct.copies):
                due = time.time() + random.uniform(0, self._conduct.scatter_seconds)  # noqa: S311
                self._storage.run(
                    "INSERT INTO stripe_deliveries (event, endpoint, due) VALUES (?, ?, ?)",
                    (event, endpoint, due),
                )

    def due(self, limit: int, besides: Collection[int]) -> list[Delivery]:
        """What is to be sent now and is not under way already."""
        rows = self._storage.rows(
            "SELECT id, event, endpoint, attempts FROM stripe_deliveries"
            " WHERE state = 'pending' AND due <= ? ORDER BY due, id LIMIT ?",
            (time.time(), limit + len(besides)),
        )
        return [Delivery(*row) for row in rows if row[0] not in besides][:limit]

    def seconds_to_next(self, besides: Collection[int]) -> float | None:
        """How long until the next one is due; None if none waits."""
        rows = self._storage.rows(
            "SELECT id, due FROM stripe_deliveries WHERE state = 'pending' ORDER BY due LIMIT ?",
            (1 + len(besides),),
        )
        times = [due for number, due in rows if number not in besides]
        return max(0.0, min(times) - time.time()) if times else None

    def kept_back(self, order: ReleaseOrder) -> list[Delivery]:
        """All that waits, in the order in which it is to be released."""
        rows = self._storage.rows(
            "SELECT id, event, endpoint, attempts FROM stripe_deliveries"
            " WHERE state = 'pending' ORDER BY id"
        )
        waiting = [Delivery(*row) for row in rows]
        match order:
            case "newest_first":
                waiting.reverse()
            case "shuffled":
                random.shuffle(waiting)
            case "oldest_first":
                pass
        return waiting

    def settle(self, delivery: Delivery, status: int | None) -> State:
        """Write down how an attempt ended: an HTTP status, or None without an answer."""
        attempts = delivery.attempts + 1
        state: State = "pending"
        if status is not None and 200 <= status < 300:
            state = "delivered"
        elif attempts >= MOST_ATTEMPTS:
            state = "lost"
        wait = RETRY_SECONDS[min(attempts, len(RETRY_SECONDS)) - 1]
        self._storage.run(
            "UPDATE stripe_deliveries SET attempts = ?, state = ?, last_status = ?, due = ?"
            " WHERE id = ?",
            (attempts, state, status, time.time() + wait, delivery.id),
        )
        return state

    def lose(self, delivery: Delivery) -> None:
        """Never try this one again."""
        self._storage.run(
            "UPDATE stripe_deliveries SET state = 'lost' WHERE id = ?", (delivery.id,)
        )

    def endpoints_waiting(self, event: str) -> int:
        """How many endpoints have not had this event: its `pending_webhooks`."""
        row = self._storage.row(
            "SELECT COUNT(DISTINCT endpoint) FROM stripe_deliveries AS each WHERE event = ?"
            " AND NOT EXISTS (SELECT 1 FROM stripe_deliveries AS had WHERE had.event = each.event"
            " AND had.endpoint = each.endpoint AND had.state = 'delivered')",
            (event,),
        )
        return 0 if row is None else int(row[0])

    def listed(self, event: str | None) -> list[dict[str, str | int | None]]:
        """All deliveries, or those of one event, oldest first."""
        names = ("id", "event", "endpoint", "state", "attempts", "last_status")
        rows = self._storage.rows(
            "SELECT id, event, endpoint, state, attempts, last_status FROM stripe_deliveries"
            " WHERE ? IS NULL OR event = ? ORDER BY id",
            (event, event),
        )
        return [dict(zip(names, row, strict=True)) for row in rows]

    def clear(self) -> None:
        """Forget all deliveries, and misbehave no more."""
        self._storage.run("DELETE FROM stripe_deliveries")
        self.behave(Conduct())
