from __future__ import annotations

import re
from typing import get_args

from connectors.ledger_csv import _COLUMNS
from tests.unit.docs.pages import ROOT
from workflows.reconciliation.books import BreakClass, Status

PAGE = (ROOT / "docs" / "reconciliation.md").read_text()


def first_cells(heading: str) -> set[str]:
    """What stands as code in the first cells of the table under a line of headings."""
    table = PAGE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    cells = [line.split("|")[1] for line in table.splitlines()[1:]]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_it_says_of_every_class_of_break_what_to_do() -> None:
    assert first_cells("class") == set(get_args(BreakClass))


def test_it_says_of_every_status_what_to_do() -> None:
    assert first_cells("status") == set(get_args(Status))


def test_it_tells_every_column_of_a_ledger() -> None:
    assert first_cells("column") == set(_COLUMNS)
