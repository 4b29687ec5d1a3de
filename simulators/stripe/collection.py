"""Objects of one kind: JSON documents in a table, with an index for each filter.

A list is read newest first by key: the page after an object begins at the object's place in the
index, so that the last page of a million rows costs what the first does.
"""

# ruff: noqa: S608 - names of tables and columns are ours, values are bound

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic_core import to_json

from simulators.storage import Storage, Value

Document: TypeAlias = dict[str, Any]  # Any: an object as Stripe's API has it
OF_ALL = ("sequence", "id", "created", "document")
"""The columns that every collection has."""


@dataclass(frozen=True)
class Place:
    """Where an object stands in the order of its list."""

    created: int
    sequence: int


@dataclass(frozen=True)
class Page:
    """One page of a list, newest first: texts of documents, and whether there are more."""

    documents: Sequence[str]
    has_more: bool

    def text(self, url: str) -> str:
        """The list object. The texts are put together as they are stored, not parsed again."""
        return (
            f'{{"object":"list","data":[{",".join(self.documents)}],'
            f'"has_more":{json.dumps(self.has_more)},"url":{json.dumps(url)}}}'
        )


@dataclass(frozen=True)
class Condition:
    """One condition of a list in SQL, over the columns of the collection."""

    sql: str
    values: tuple[Value, ...] = ()


class Collection:
    """The table of one kind. `filters` are columns named for the JSON path that they read.

    `beside` are columns for what Stripe knows of an object and does not show in it.
    """

    def __init__(
        self,
        storage: Storage,
        table: str,
        filters: Mapping[str, str],
        beside: Sequence[str] = (),
    ) -> None:
        self._storage = storage
        self.table = table
        self._columns = (*OF_ALL, *beside)
        columns = "".join(
            f", {name} GENERATED ALWAYS AS (json_extract(document, '{path}')) VIRTUAL"
            for name, path in filters.items()
        )
        columns = "".join(f", {name}" for name in beside) + columns
        self.indexes = (
            f"CREATE INDEX IF NOT EXISTS {table}_created ON {table} (created, sequence)"
            " WHERE deleted = 0;"
        ) + "".join(
            f"CREATE INDEX IF NOT EXISTS {table}_{name} ON {table} ({name}, created, sequence)"
            " WHERE deleted = 0;"
            for name in filters
        )
        # A column of its own: by the rowid, SQLite would not search, only scan a second's objects.
        storage.create(f"""
            CREATE TABLE IF NOT EXISTS {table} (
                id TEXT PRIMARY KEY,
                sequence INTEGER NOT NULL UNIQUE,
                created INTEGER NOT NULL,
                deleted INTEGER NOT NULL DEFAULT 0,
                document TEXT NOT NULL
                {columns}
            );
            {self.indexes}
        """)
        row = storage.row(f"SELECT coalesce(max(sequence), 0) FROM {table}") or (0,)
        self._sequence = itertools.count(row[0] + 1)

    def add(self, document: Document, *beside: Value) -> None:
        """Add a new object, with what is beside it in the order of the columns."""
        self.add_many([document], [beside])

    def add_many(
        self, documents: Iterable[Document], beside: Iterable[Sequence[Value]] | None = None
    ) -> None:
        """Add many new objects in one statement."""
        nothing = (None,) * (len(self._columns) - len(OF_ALL))
        self.add_texts(
            (each["id"], each["created"], encode(each), *more)
            for each, more in zip(documents, beside or itertools.repeat(nothing), strict=False)
        )

    def add_texts(self, rows: Iterable[Sequence[Value]]) -> None:
        """Add objects as they are stored: id, created, text, and what is beside it."""
        marks = ", ".join("?" * len(self._columns))
        self._storage.run_many(
            f"INSERT INTO {self.table} ({', '.join(self._columns)}) VALUES ({marks})",
            ((next(self._sequence), *row) for row in rows),
        )

    def get(self, object_id: str) -> Document | None:
        """The object as it is now, unless it is not there or was deleted."""
        found = self.find(object_id)
        return None if found is None or found.get("deleted") else found

    def find(self, object_id: str) -> Document | None:
        """The object, or what stands in its place after it was deleted."""
        row = self._storage.row(f"SELECT document FROM {self.table} WHERE id = ?", (object_id,))
        return None if row is None else json.loads(row[0])

    def replace(self, document: Document) -> None:
        """Put a new version in the object's place."""
        self._storage.run(
            f"UPDATE {self.table} SET document = ?, deleted = ? WHERE id = ?",
            (encode(document), bool(document.get("deleted")), document["id"]),
        )

    def remove(self, object_id: str) -> None:
        """Remove an object without a trace."""
        self._storage.run(f"DELETE FROM {self.table} WHERE id = ?", (object_id,))

    def clear(self) -> None:
        """Remove all objects."""
        self._storage.run(f"DELETE FROM {self.table}")

    def everything(self) -> list[Document]:
        """All objects, oldest first: for kinds that stay few."""
        rows = self._storage.rows(
            f"SELECT document FROM {self.table} WHERE deleted = 0 ORDER BY sequence"
        )
        return [json.loads(row[0]) for row in rows]

    def place(self, object_id: str) -> Place | None:
        """Where the object stands, deleted or not."""
        row = self._storage.row(
            f"SELECT created, sequence FROM {self.table} WHERE id = ?", (object_id,)
        )
        return None if row is None else Place(*row)

    def page(
        self,
        conditions: Sequence[Condition],
        limit: int,
        *,
        after: Place | None = None,
        before: Place | None = None,
    ) -> Page:
        """The newest objects, or those that follow or precede a place in that order."""
        wanted = [Condition("deleted = 0"), *conditions]
        if after:
            wanted.append(
                Condition("(created, sequence) < (?, ?)", (after.created, after.sequence))
            )
        if before:
            wanted.append(
                Condition("(created, sequence) > (?, ?)", (before.created, before.sequence))
            )
        direction = "ASC" if before else "DESC"
        rows = self._storage.rows(
            f"SELECT document FROM {self.table} WHERE {' AND '.join(each.sql for each in wanted)}"
            f" ORDER BY created {direction}, sequence {direction} LIMIT ?",
            (*(value for each in wanted for value in each.values), limit + 1),
        )
        documents = [row[0] for row in rows[:limit]]
        return Page(documents[::-1] if before else documents, has_more=len(rows) > limit)


def encode(document: Document) -> str:
    """A document as it is stored and sent."""
    return to_json(document).decode()
