"""The directory's entries: answered from memory, and on disk before anybody is answered."""

import json
from datetime import UTC, datetime
from typing import Any, cast

from scim2_models import Resource, ResourceType, ScimProvider
from scim2_server.memory import InMemoryStorage

from simulators.clock import Clock
from simulators.storage import Storage

Entry = Resource[Any]  # Any: a resource's extensions, of which we have none

LAST_VERSION = "directory_last_version"
SCHEMA = """
CREATE TABLE IF NOT EXISTS directory_entries (
    id TEXT PRIMARY KEY,
    resource_type TEXT NOT NULL,
    document TEXT NOT NULL
);
"""


class Entries(InMemoryStorage):
    """Users and groups as the disk has them. `provider` says what kinds there are."""

    def __init__(self, storage: Storage, clock: Clock, provider: ScimProvider) -> None:
        super().__init__(clock=lambda: datetime.fromtimestamp(clock.now(), UTC))
        self._disk = storage
        [self._groups] = (kind for kind in provider.resource_types if kind.name == "Group")
        storage.create(SCHEMA)
        models = {
            kind.name: cast("type[Entry]", provider.model_for(kind))
            for kind in provider.resource_types
        }
        rows = storage.rows("SELECT resource_type, document FROM directory_entries ORDER BY rowid")
        self.resources = [models[kind].model_validate(json.loads(text)) for kind, text in rows]

    def next_version(self) -> str:
        """An entity tag that no entry ever had, whatever was forgotten since."""
        number = self._disk.setting(LAST_VERSION, 0) + 1
        self._disk.keep_setting(LAST_VERSION, number)
        return f'W/"{number}"'

    def create(self, resource_type: ResourceType, resource: Entry) -> Entry:
        """Keep a new entry."""
        return self._kept(super().create(resource_type, resource))

    def update(
        self, resource_type: ResourceType, resource: Entry, *, expected_version: str | None = None
    ) -> Entry:
        """Keep an entry's new state."""
        updated = super().update(resource_type, resource, expected_version=expected_version)
        return self._kept(updated)

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        """Forget an entry, which leaves all groups."""
        with self._disk.transaction():
            super().delete(resource_type, resource_id, expected_version=expected_version)
            self._disk.run("DELETE FROM directory_entries WHERE id = ?", (resource_id,))
            for group in self._groups_with(resource_id):
                group.members = [each for each in group.members if each.value != resource_id]
                self.update(self._groups, group)

    def clear(self) -> None:
        """Forget all entries."""
        self.resources = []
        self._disk.run("DELETE FROM directory_entries")

    def _groups_with(self, member_id: str) -> list[Any]:  # Any: the provider makes the models
        groups: list[Any] = [
            entry.model_copy()
            for entry in self.resources
            if entry.meta is not None and entry.meta.resource_type == self._groups.name
        ]
        return [
            group
            for group in groups
            if any(member.value == member_id for member in group.members or ())
        ]

    def _kept(self, entry: Entry) -> Entry:
        assert entry.meta is not None
        self._disk.run(
            "INSERT INTO directory_entries (id, resource_type, document) VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET document = excluded.document",
            (entry.id, entry.meta.resource_type, entry.model_dump_json()),
        )
        return entry
