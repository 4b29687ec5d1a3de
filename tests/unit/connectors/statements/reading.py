"""Reading a text as a statement file, for tests."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.statements import reading
from connectors.statements.csv import load_columns
from connectors.statements.statement import (
    Closed,
    Entry,
    Opened,
    Proven,
    StatementRefused,
    prove,
)

COLUMNS = load_columns(Path(__file__).parents[4] / "rules" / "statement_columns.toml")


@dataclass
class Whole:
    """A statement with all its parts."""

    opened: Opened
    entries: list[Entry]
    closed: Closed

    @property
    def amounts(self) -> list[int]:
        return [entry.amount_minor for entry in self.entries]

    @property
    def proven(self) -> Proven:
        return prove(sum(self.amounts), self.closed)


def statements(text: str | bytes) -> list[Whole]:
    """Every statement of a file."""
    content = text.encode() if isinstance(text, str) else text
    found: list[Whole] = []
    opened: Opened | None = None
    entries: list[Entry] = []
    for part in reading.read(io.BytesIO(content), COLUMNS):
        match part:
            case Opened():
                opened, entries = part, []
            case Entry():
                entries.append(part)
            case Closed():
                assert opened is not None
                found.append(Whole(opened, entries, part))
    return found


def refused(text: str | bytes) -> StatementRefused:
    """How a file is refused."""
    with pytest.raises(StatementRefused) as no:
        statements(text)
    return no.value
