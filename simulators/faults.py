"""Faults on demand: what shall go wrong, for whom, and how often."""

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from simulators.storage import Storage

SCHEMA = """
CREATE TABLE IF NOT EXISTS faults (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    system TEXT NOT NULL,
    kind TEXT NOT NULL,
    match TEXT NOT NULL,
    times INTEGER,
    seconds REAL
);
"""


@dataclass
class Fault:
    """`times` counts down to nothing; None stays until cleared. Each pattern is a glob."""

    id: str
    kind: str
    match: dict[str, str]
    times: int | None
    seconds: float | None

    def concerns(self, kinds: Collection[str], subject: Mapping[str, Collection[str]]) -> bool:
        """Whether the fault is of these kinds and each of its patterns fits the subject."""
        return self.kind in kinds and all(
            any(fnmatchcase(value, pattern) for value in subject.get(name, ()))
            for name, pattern in self.match.items()
        )


class Faults:
    """The faults of one system, oldest first; kept in memory and on disk."""

    def __init__(self, storage: Storage, system: str) -> None:
        self._storage = storage
        self._system = system
        storage.create(SCHEMA)
        rows = storage.rows(
            "SELECT id, kind, match, times, seconds FROM faults WHERE system = ? ORDER BY position",
            (system,),
        )
        self.waiting = [
            Fault(name, kind, json.loads(match), times, seconds)
            for name, kind, match, times, seconds in rows
        ]

    def add(
        self, kind: str, match: Mapping[str, str], times: int | None, seconds: float | None
    ) -> Fault:
        """Plan one more fault."""
        fault = Fault(f"fault_{secrets.token_hex(6)}", kind, dict(match), times, seconds)
        self._storage.run(
            "INSERT INTO faults (id, system, kind, match, times, seconds) VALUES (?,?,?,?,?,?)",
            (fault.id, self._system, kind, json.dumps(fault.match), times, seconds),
        )
        self.waiting.append(fault)
        return fault

    def take(self, kinds: Collection[str], subject: Mapping[str, Collection[str]]) -> Fault | None:
        """The oldest fault of these kinds that concerns the subject, used up by one."""
        for fault in self.waiting:
            if fault.concerns(kinds, subject):
                self._use(fault)
                return fault
        return None

    def _use(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times > 0:
            self._storage.run("UPDATE faults SET times = ? WHERE id = ?", (fault.times, fault.id))
        else:
            self.clear(fault.id)

    def clear(self, fault_id: str | None = None) -> int:
        """Clear one fault or all; how many there were."""
        before = len(self.waiting)
        self.waiting = [fault for fault in self.waiting if fault_id not in (None, fault.id)]
        self._storage.run(
            "DELETE FROM faults WHERE system = ? AND (? IS NULL OR id = ?)",
            (self._system, fault_id, fault_id),
        )
        return before - len(self.waiting)
