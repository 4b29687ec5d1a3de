"""The entities of the dataset, on disk; from the start those of a list of invented names."""

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simulators.storage import Storage

Entity = dict[str, Any]  # as the API has it; properties are lists of texts

INVENTED = Path(__file__).parents[2] / "rules" / "invented_list.csv"
SCHEMA = """
CREATE TABLE IF NOT EXISTS yente_entities (id TEXT PRIMARY KEY, entity TEXT NOT NULL);
"""
_COLUMNS = {
    "name": "name",
    "aliases": "alias",
    "birth_date": "birthDate",
    "countries": "country",
    "topics": "topics",
}
"""Columns of the list, and which property each is."""


class Entities:
    """All of them."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        storage.create(SCHEMA)
        if not self.all():
            self.begin_anew()

    def all(self) -> list[Entity]:
        """Every entity."""
        rows = self._storage.rows("SELECT entity FROM yente_entities ORDER BY id")
        return [json.loads(entity) for (entity,) in rows]

    def put(self, entity: Entity) -> None:
        """Add an entity, or put it in the place of the one with its id."""
        self._storage.run(
            "INSERT OR REPLACE INTO yente_entities VALUES (?, ?)",
            (entity["id"], json.dumps(entity, ensure_ascii=False)),
        )

    def begin_anew(self) -> None:
        """Have what the list has, and nothing else."""
        with self._storage.transaction():
            self._storage.run("DELETE FROM yente_entities")
            for entity in _invented():
                self.put(entity)

    def version(self) -> str:
        """Of the index as a whole."""
        content = json.dumps(self.all(), sort_keys=True).encode()
        return f"20260101000000-{hashlib.sha256(content).hexdigest()[:6]}"


def _invented() -> Iterator[Entity]:
    with INVENTED.open(newline="", encoding="utf-8") as text:
        for row in csv.DictReader(text):
            properties = {
                name: [part.strip() for part in row[column].split(";")]
                for column, name in _COLUMNS.items()
                if row.get(column)
            }
            properties["country"] = [code.lower() for code in properties.get("country", ())]
            yield {
                "id": row["id"],
                "schema": row["schema"],
                "caption": row["name"],
                "properties": properties,
                "datasets": [row["dataset"]],
            }
