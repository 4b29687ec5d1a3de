"""The records of the CRM: contacts and companies with their properties.

A record is archived, never deleted; what was unique of it is then free again.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from simulators.clock import Clock
from simulators.crm.errors import Refusal
from simulators.storage import Row, Storage

Kind = Literal["contacts", "companies"]
Properties = dict[str, str]

UNIQUE = "perdure_onboarding_id"
"""The property that whoever uses this CRM from a program had set up as unique."""
KNOWN: dict[Kind, frozenset[str]] = {
    "contacts": frozenset({"email", "firstname", "lastname", "company", "country", UNIQUE}),
    "companies": frozenset({"name", "domain", "country", UNIQUE}),
}
SHOWN: dict[Kind, tuple[str, ...]] = {
    "contacts": ("email", "firstname", "lastname"),
    "companies": ("name", "domain"),
}
ID_PROPERTIES: dict[Kind, tuple[str, ...]] = {"contacts": ("email", UNIQUE), "companies": (UNIQUE,)}

SCHEMA = """
CREATE TABLE IF NOT EXISTS crm_records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    properties TEXT NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    archived INTEGER NOT NULL DEFAULT 0,
    email TEXT GENERATED ALWAYS AS (json_extract(properties, '$.email')) VIRTUAL,
    perdure_onboarding_id TEXT
        GENERATED ALWAYS AS (json_extract(properties, '$.perdure_onboarding_id')) VIRTUAL
);
CREATE UNIQUE INDEX IF NOT EXISTS crm_records_email ON crm_records (kind, email)
    WHERE archived = 0 AND email IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS crm_records_unique ON crm_records (kind, perdure_onboarding_id)
    WHERE archived = 0 AND perdure_onboarding_id IS NOT NULL;
"""
COLUMNS = "id, kind, properties, created, updated"


@dataclass(frozen=True)
class Record:
    """One contact or company that is not archived."""

    id: int
    kind: Kind
    properties: Properties
    created: float
    updated: float

    def shown(self, wanted: frozenset[str]) -> dict[str, Any]:
        """The record as the API has it, with the properties that were asked for."""
        own = {
            "createdate": _moment(self.created),
            "lastmodifieddate": _moment(self.updated),
            "hs_object_id": str(self.id),
        }
        names = {*SHOWN[self.kind], *wanted}
        told = {name: value for name, value in self.properties.items() if name in names}
        return {
            "id": str(self.id),
            "properties": own | told,
            "createdAt": own["createdate"],
            "updatedAt": own["lastmodifieddate"],
            "archived": False,
        }


class Records:
    """All records. Whoever changes them does it in a transaction of the storage."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        storage.create(SCHEMA)

    def by_id(self, kind: Kind, record_id: str) -> Record | None:
        """The record of this number."""
        return self._one("kind = ? AND CAST(id AS TEXT) = ?", kind, record_id)

    def by_property(self, kind: Kind, name: str, value: str) -> Record | None:
        """The record with this value of a property that is unique."""
        if name == "email":
            return self._one("kind = ? AND email = ?", kind, value.strip().lower())
        return self._one("kind = ? AND perdure_onboarding_id = ?", kind, value)

    def page(self, kind: Kind, limit: int, after: int) -> list[Record]:
        """Records in the order of their numbers."""
        rows = self._storage.rows(
            f"SELECT {COLUMNS} FROM crm_records"  # noqa: S608 - ours
            " WHERE kind = ? AND id > ? AND archived = 0 ORDER BY id LIMIT ?",
            (kind, after, limit),
        )
        return [_record(row) for row in rows]

    def create(self, kind: Kind, properties: Properties) -> Record:
        """Add a record; an empty text sets nothing.

        Raises Refusal (409) where what must be unique is taken.
        """
        self._check_free(kind, properties, besides=None)
        told = _set(properties)
        now = self._clock.now()
        number = self._storage.insert(
            "INSERT INTO crm_records (kind, properties, created, updated) VALUES (?, ?, ?, ?)",
            (kind, json.dumps(told), now, now),
        )
        return Record(number, kind, told, now, now)

    def change(self, record: Record, properties: Properties) -> Record:
        """Set some properties; an empty text unsets. Raises Refusal (409) like `create`."""
        merged = _set(record.properties | properties)
        self._check_free(record.kind, properties, besides=record.id)
        now = self._clock.now()
        self._storage.run(
            "UPDATE crm_records SET properties = ?, updated = ? WHERE id = ?",
            (json.dumps(merged), now, record.id),
        )
        return Record(record.id, record.kind, merged, record.created, now)

    def archive(self, record: Record) -> None:
        """Put a record away."""
        self._storage.run("UPDATE crm_records SET archived = 1 WHERE id = ?", (record.id,))

    def clear(self) -> None:
        """Forget all records; numbers are not used again."""
        self._storage.run("DELETE FROM crm_records")

    def _check_free(self, kind: Kind, properties: Properties, besides: int | None) -> None:
        for name in ID_PROPERTIES[kind]:
            value = properties.get(name)
            there = self.by_property(kind, name, value) if value else None
            if there is not None and there.id != besides:
                singular = {"contacts": "Contact", "companies": "Company"}[kind]
                message = f"{singular} already exists. Existing ID: {there.id}"
                raise Refusal(409, "CONFLICT", message)

    def _one(self, condition: str, *values: str) -> Record | None:
        row = self._storage.row(
            f"SELECT {COLUMNS} FROM crm_records WHERE archived = 0 AND {condition}",  # noqa: S608
            values,
        )
        return None if row is None else _record(row)


def _set(properties: Properties) -> Properties:
    return {name: value for name, value in properties.items() if value != ""}


def _record(row: Row) -> Record:
    number, kind, properties, created, updated = row
    return Record(number, kind, json.loads(properties), created, updated)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
