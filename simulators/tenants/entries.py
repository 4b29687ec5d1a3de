"""The users and groups of a tenant, and who is in which group."""

import secrets
import sqlite3
from typing import Literal

from simulators.storage import Storage

Kind = Literal["users", "groups"]
Entry = dict[str, str]

# Addresses differ by more than the case of their letters.
SCHEMA = """
CREATE TABLE IF NOT EXISTS tenant_users (
    id TEXT PRIMARY KEY,
    external_id TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    name TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tenant_groups (
    id TEXT PRIMARY KEY,
    external_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tenant_members (
    group_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    PRIMARY KEY (group_id, user_id)
) WITHOUT ROWID;
"""
COLUMNS: dict[Kind, tuple[str, ...]] = {
    "users": ("id", "external_id", "email", "name"),
    "groups": ("id", "external_id", "name"),
}
_TABLES = {"users": "tenant_users", "groups": "tenant_groups"}


class Taken(Exception):
    """Something that must be unique is there; `field` says what."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Entries:
    """All of them, on disk."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        storage.create(SCHEMA)

    def create(self, kind: Kind, told: Entry) -> Entry:
        """Keep a new entry. Raises Taken."""
        entry = {"id": f"{kind[0]}_{secrets.token_hex(8)}", **told}
        columns = COLUMNS[kind]
        marks = ", ".join("?" * len(columns))
        try:
            self._storage.run(
                f"INSERT INTO {_TABLES[kind]} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
                [entry[column] for column in columns],
            )
        except sqlite3.IntegrityError as error:
            raise Taken("email" if "email" in str(error) else "external_id") from None
        return entry

    def listed(self, kind: Kind, external_id: str | None) -> list[Entry]:
        """All entries, or those with this external id."""
        columns = COLUMNS[kind]
        rows = self._storage.rows(
            f"SELECT {', '.join(columns)} FROM {_TABLES[kind]}"  # noqa: S608
            " WHERE ? IS NULL OR external_id = ? ORDER BY rowid",
            (external_id, external_id),
        )
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def one(self, kind: Kind, entry_id: str) -> Entry | None:
        """The entry with this id."""
        columns = COLUMNS[kind]
        sql = f"SELECT {', '.join(columns)} FROM {_TABLES[kind]} WHERE id = ?"  # noqa: S608
        row = self._storage.row(sql, (entry_id,))
        return None if row is None else dict(zip(columns, row, strict=True))

    def has(self, kind: Kind, entry_id: str) -> bool:
        """Whether there is an entry with this id."""
        sql = f"SELECT 1 FROM {_TABLES[kind]} WHERE id = ?"  # noqa: S608
        return self._storage.row(sql, (entry_id,)) is not None

    def delete_user(self, user_id: str) -> bool:
        """Delete a user, who leaves all groups; False where there was none."""
        with self._storage.transaction():
            self._storage.run("DELETE FROM tenant_members WHERE user_id = ?", (user_id,))
            return self._storage.run("DELETE FROM tenant_users WHERE id = ?", (user_id,)) > 0

    def members(self, group_id: str) -> list[str]:
        """The ids of the users in a group."""
        sql = "SELECT user_id FROM tenant_members WHERE group_id = ?"
        return [user for (user,) in self._storage.rows(sql, (group_id,))]

    def join(self, group_id: str, user_id: str) -> None:
        """Put a user into a group; one that is in it stays."""
        sql = "INSERT OR IGNORE INTO tenant_members VALUES (?, ?)"
        self._storage.run(sql, (group_id, user_id))

    def leave(self, group_id: str, user_id: str) -> None:
        """Take a user out of a group; one that is not in it stays out."""
        sql = "DELETE FROM tenant_members WHERE group_id = ? AND user_id = ?"
        self._storage.run(sql, (group_id, user_id))

    def clear(self) -> None:
        """Forget everything."""
        for table in ("tenant_members", *_TABLES.values()):
            self._storage.run(f"DELETE FROM {table}")  # noqa: S608
