"""What becomes of a request that is asked for: it is claimed, was done before, or may not be."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from workflows.request_key import outside_key


class InProgress(Exception):
    """Somebody else carries the request out right now; `left` of their lease remains."""

    def __init__(self, key: str, left: timedelta) -> None:
        super().__init__(f"{key} is being carried out by another attempt")
        self.left = left


class Conflict(Exception):
    """The key was used for something else: a defect of ours, and nothing was done."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} was asked with another input before: nothing was done")


class TakenBack(Exception):
    """The request was undone: it is too late to carry it out."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} was undone before")


class RefusedBefore(Exception):
    """The request was refused in this generation; only a higher one is carried out."""

    def __init__(self, key: str, generation: int, type_: str, reason: str) -> None:
        super().__init__(reason)
        self.key, self.generation, self.type, self.reason = key, generation, type_, reason


@dataclass(frozen=True)
class Done:
    """The request was carried out before: what came of it."""

    result: dict[str, Any]


@dataclass(frozen=True)
class Claim:
    """The right to carry a request out, until the lease ends.

    `sent_before` is how long ago it was first sent in this generation; None where it never was.
    `quiet_in` is how long an answer to an earlier attempt may still be on its way, `quiet_until`
    the same by the database's clock; it stays noted when this attempt succeeds.
    """

    key: str
    generation: int
    token: UUID
    first_sent_at: datetime
    sent_before: timedelta | None
    quiet_in: timedelta | None = None
    quiet_until: datetime | None = None

    @property
    def outside_key(self) -> str:
        """The key as the outside sees it."""
        return outside_key(self.key, self.generation)


@dataclass(frozen=True)
class Sealed:
    """A request that nobody will carry out any more, and what may be there of it.

    Where `first_sent_at` is empty nothing was ever sent, or it was definitely refused. `made` is
    true where the last result is known, `in_doubt` where an attempt before it had no answer: there
    may be more. `quiet_in` is how long an answer may still be on its way; None where all is quiet.
    """

    results: tuple[dict[str, Any], ...]
    made: bool
    in_doubt: bool
    input: dict[str, Any] | None
    outside_key: str
    first_sent_at: datetime | None
    quiet_in: timedelta | None
