"""`perdure statement`: what it prints and how it ends."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.unit.connectors.statements.test_camt053 import balance, document, entry, statement
from workers.cli import app

ROOT = Path(__file__).parents[2]
PROVEN = document(
    statement(balance("OPBD", "100.00"), balance("CLBD", "90.50"), entry("10.50"), entry("-20.00"))
)
KEYS = {
    "format", "account", "currency", "statement_id", "opening", "closing", "entries", "proof",
    "difference_minor",
}  # fmt: skip
ENTRY_KEYS = {
    "number",
    "booking_date", "value_date", "amount_minor", "currency", "reference", "end_to_end_id",
    "description", "bank_code",
}  # fmt: skip


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["statement", *map(str, arguments)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "statement"


def test_machines_get_an_array_of_statements(file: Path) -> None:
    file.write_text(PROVEN)
    answer = run(file, "--json")
    assert answer.exit_code == 0
    (read,) = json.loads(answer.stdout)
    assert set(read) == KEYS
    assert all(set(one) == ENTRY_KEYS for one in read["entries"])
    assert read["opening"] == {"date": "2026-03-02", "amount_minor": 10000}
    assert [one["amount_minor"] for one in read["entries"]] == [1050, -2000]
    assert (read["proof"], read["difference_minor"]) == ("proven", 0)


def test_statements_without_entries_or_balances_are_json_too(file: Path) -> None:
    file.write_text(document(statement(id_='a "b"'), statement(entry("1.00"))))
    empty, other = json.loads(run(file, "--json").stdout)
    assert (empty["statement_id"], empty["entries"], empty["opening"]) == ('a "b"', [], None)
    assert (other["proof"], other["difference_minor"]) == ("unprovable", None)


def test_people_get_a_line_with_the_amount_in_their_units(file: Path) -> None:
    file.write_text(PROVEN.replace("90.50", "95.50"))
    answer = run(file)
    assert answer.exit_code == 0
    assert answer.stdout == (
        "camt.053  DE00EXAMPLE S-1: 2 entries, -9.50 EUR in all: unproven by 5.00 EUR\n"
    )


def test_of_a_refused_file_nothing_is_shown(file: Path) -> None:
    file.write_text(document(statement(entry("1.00"), entry("1.005"))))
    answer = run(file, "--json")
    assert answer.exit_code == 2
    assert json.loads(answer.stdout) == {
        "error": "bad_amount",
        "detail": "An amount has more digits than EUR has.",
        "position": "statement 1, entry 2",
    }
    told = run(file)
    assert (told.exit_code, told.stdout) == (2, "")
    assert "entry 2" in told.stderr


def test_a_file_that_is_not_there_is_refused(file: Path) -> None:
    answer = run(file, "--json")
    assert answer.exit_code == 2
    assert json.loads(answer.stdout)["error"] == "unreadable"


def test_every_refusal_is_explained() -> None:
    sources = (ROOT / "connectors" / "statements").glob("*.py")
    made = {
        error
        for source in (
            *sources,
            ROOT / "workers" / "cli" / "statement.py",
            ROOT / "activities" / "reconciliation" / "statements.py",
        )
        for error in re.findall(r'StatementRefused\(\s*"(\w+)"', source.read_text())
    }
    page = (ROOT / "docs" / "statements.md").read_text()
    table = page[page.index("| `error` |") :]
    assert made == set(re.findall(r"`(\w+)`", table)) - {"error", "position"}
