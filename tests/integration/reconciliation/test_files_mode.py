"""Exported files are reconciled by one command, on servers of its own that leave nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.reconciliation import given
from activities.reconciliation.exports import (
    ExportActivities,
    Exported,
    Findings,
    ToldStatement,
)
from activities.reconciliation.given import Given
from connectors.statements.statement import Opened
from database.connection import transaction
from tests.integration.reconciliation.books import TERMS
from tests.integration.reconciliation.conftest import new_account
from tests.integration.reconciliation.test_statements import camt
from workflows.reconciliation.messages import ForRun, Run

ROOT = Path(__file__).parents[3]
RULES = dict.fromkeys(("terms", "calendars", "grace"), "0" * 64)


def make_world(folder: Path, *arguments: str) -> dict[str, Any]:
    """Write the files of a world; what is to be found in them."""
    command = [sys.executable, "-m", "simulators.world", "--out", str(folder), *arguments]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def reconcile(folder: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PERDURE_")}
    return subprocess.run(
        [
            *(sys.executable, "-c", "from workers.cli import main; main()"),
            *("reconcile", "files", *arguments, "--json"),
        ],
        cwd=folder,
        env=kept
        | {"PERDURE_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def left(folder: Path) -> list[str]:
    """What runs or lies there that the command made for itself."""
    running = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    there = [path.name for path in folder.glob("perdure-files-*")]
    return there + [line for line in running if f"{folder}/perdure-files-" in line]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("planted")
    return folder, make_world(folder, "--days", "8", "--payments", "120", "--plant", "all")


def test_what_was_planted_is_found_and_nothing_else(planted: tuple[Path, dict[str, Any]]) -> None:
    folder, manifest = planted
    ended = reconcile(folder, manifest["files"])
    assert ended.returncode == 1, ended.stderr
    report = json.loads(ended.stdout)
    assert report["status"] == "BREAKS"
    assert report["missing"] == []
    assert {one["residual_minor"] for one in report["bridge"]} == {0}
    expected = Counter(
        (one["class"], one["currency"], one["amount_at_risk_minor"])
        for planted in manifest["planted"]
        for one in planted["breaks"]
    )
    # What is open in two legs is one break in each, and its risk counts once.
    found = Counter(
        (one["break_class"], one["currency"], one["amount_at_risk_minor"])
        for one in report["breaks"]
        if one["amount_at_risk_minor"]
    )
    assert found == expected
    assert left(folder) == []


def test_without_balances_nothing_is_proven(planted: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = planted
    files = ["--ledger", "ledger.csv", "--stripe", "stripe.csv", "--statement", "statement.xml"]
    ended = reconcile(folder, files)
    assert ended.returncode == 3, ended.stderr
    report = json.loads(ended.stdout)
    assert report["status"] == "INCOMPLETE"
    lacks = {(one["lack"], one["book"]) for one in report["missing"]}
    assert {("no_opening", "processor"), ("no_closing", "clearing")} <= lacks
    assert report["breaks"], "what was found is shown all the same"


def test_rows_that_cannot_be_read_are_told_with_their_lines(tmp_path: Path) -> None:
    manifest = make_world(tmp_path, "--days", "3", "--payments", "40")
    ledger = (tmp_path / "ledger.csv").read_text().splitlines()
    ledger.insert(2, ledger[1].replace("EUR", "EURO", 1))
    (tmp_path / "ledger.csv").write_text("\n".join(ledger) + "\n")
    ended = reconcile(tmp_path, manifest["files"])
    assert ended.returncode == 3, ended.stderr
    report = json.loads(ended.stdout)
    assert [(one["file"], one["line"], one["field"]) for one in report["bad_rows"]] == [
        ("ledger.csv", 3, "currency")
    ]
    assert [one["lack"] for one in report["missing"]] == ["bad_rows"]


def test_a_statement_with_a_bad_row_is_refused_as_a_whole(tmp_path: Path) -> None:
    manifest = make_world(tmp_path, "--days", "3", "--payments", "40")
    statement = tmp_path / "statement.xml"
    statement.write_text(statement.read_text()[:3000])
    ended = reconcile(tmp_path, manifest["files"])
    assert ended.returncode == 2, ended.stderr
    told = json.loads(ended.stdout)
    assert (told["error"], told["file"]) == ("not_well_formed", "statement.xml"), ended.stderr
    assert told["position"].startswith("line ")
    assert left(tmp_path) == []


def statement(number: int, first: date, last: date, balance: int = 10_000) -> ToldStatement:
    """A statement in which nothing happens."""
    opened = Opened("camt.053", "DE00EXAMPLE", "EUR", f"S-{number}", number)
    return ToldStatement(opened, "bank.xml", balance, balance, first, last)


async def missing(
    engine: AsyncEngine, *statements: ToldStatement, first: date | None, last: date
) -> list[tuple[str, str | None]]:
    account = await new_account(engine, opened=datetime(2026, 3, 1, tzinfo=UTC))
    nowhere = Path("nowhere")
    async with transaction(engine) as connection:
        made, _ = await given.inputs(
            connection,
            account,
            exported=Exported(nowhere, nowhere, (nowhere,), last, first),
            findings=Findings(statements=list(statements)),
            given=Given(),
            terms=TERMS,
            rules=RULES,
        )
    return [(one.lack, one.subject) for one in made.missing]


MONDAY, FRIDAY, SATURDAY = date(2026, 3, 2), date(2026, 3, 6), date(2026, 3, 7)
SUNDAY, NEXT_MONDAY = date(2026, 3, 8), date(2026, 3, 9)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("first", "last", "covered"),
    [
        (None, FRIDAY, True),
        (None, SUNDAY, True),
        (None, NEXT_MONDAY, False),
        (MONDAY, FRIDAY, True),
        (date(2026, 2, 28), FRIDAY, True),
        (date(2026, 2, 27), FRIDAY, False),
        (SATURDAY, SUNDAY, True),
    ],
)
async def test_days_that_no_statement_covers_are_missing(
    engine: AsyncEngine, first: date | None, last: date, covered: bool
) -> None:
    found = await missing(engine, statement(1, MONDAY, FRIDAY), first=first, last=last)
    assert found == ([] if covered else [("statement_missing", "DE00EXAMPLE")])


@pytest.mark.parametrize(
    ("sequence", "gaps"), [(2, []), (1, []), (4, [("statement_gap", "DE00EXAMPLE/S-4")])]
)
async def test_a_jump_in_the_banks_count_is_a_gap_whatever_the_balances_say(
    engine: AsyncEngine, sequence: int, gaps: list[tuple[str, str]]
) -> None:
    told = [statement(1, MONDAY, MONDAY), statement(sequence, FRIDAY, FRIDAY)]
    assert await missing(engine, *told, first=None, last=FRIDAY) == gaps


@pytest.mark.parametrize(
    ("day", "gaps"), [(MONDAY, []), (FRIDAY, [("statement_gap", "DE00EXAMPLE")])]
)
async def test_ranges_of_days_that_overlap_need_not_join(
    engine: AsyncEngine, day: date, gaps: list[tuple[str, str]]
) -> None:
    opened = Opened("csv", "DE00EXAMPLE", "EUR", "")
    told = [
        ToldStatement(opened, "first.csv", 0, 500, MONDAY, MONDAY),
        ToldStatement(opened, "second.csv", 300, 900, day, FRIDAY),
    ]
    assert await missing(engine, *told, first=None, last=FRIDAY) == gaps


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (1, 1)])
async def test_a_range_of_days_within_another_one_is_passed_over(
    engine: AsyncEngine, order: tuple[int, int]
) -> None:
    opened = Opened("csv", "DE00EXAMPLE", "EUR", "")
    inner = ToldStatement(opened, "inner.csv", 300, 400, FRIDAY - 3 * DAY, FRIDAY - DAY)
    outer = ToldStatement(opened, "outer.csv", 0, 900, MONDAY, FRIDAY)
    told = [(inner, outer)[number] for number in order]
    assert await missing(engine, *told, first=MONDAY, last=FRIDAY) == []


SAME = camt(2, [(500, "A", "TA")])
MT940_OF_IT = b"""\
:20:S-2
:25:DE00EXAMPLE
:60F:C260301EUR100,00
:61:2603020302C5,00NTRFTA//A
:62F:C260302EUR105,00
-
"""
OTHERWISE = [
    camt(2, [(700, "A", "TA"), (-1, "B", "TB")]),
    camt(2, [(500, "B", "TB")]),
    MT940_OF_IT.replace(b"C5,00", b"C6,00").replace(b"C260302EUR105,00", b"C260302EUR106,00"),
]


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
@pytest.mark.parametrize(
    ("other", "contradicts"),
    [*((one, True) for one in OTHERWISE), (SAME + b"\n", False), (MT940_OF_IT, False)],
)
async def test_another_statement_of_the_same_name_that_says_something_else_is_told_of(
    engine: AsyncEngine, tmp_path: Path, other: bytes, contradicts: bool, order: slice
) -> None:
    await new_account(engine, opened=datetime(2026, 3, 1, tzinfo=UTC))
    files = (tmp_path / "one.sta", tmp_path / "two.sta")
    for file, content in zip(files, [SAME, other][order], strict=True):
        file.write_bytes(content)
    exported = Exported(files[0], files[0], files, MONDAY)
    gathering = ExportActivities(engine, exported, {}, lambda _: "target")
    run = Run(account="acme", day=MONDAY, ordinal=1)
    await ActivityEnvironment().run(gathering.statements, ForRun(run=run, request_key="once"))

    [kept] = gathering.findings.statements
    assert [(one.lack, one.subject) for one in kept.missing] == contradicts * [
        ("statement_contradicted", "DE00EXAMPLE/S-2 of files one.sta and two.sta")
    ]


def test_a_day_without_sales_is_of_the_currency_that_the_bank_names(tmp_path: Path) -> None:
    (tmp_path / "ledger.csv").write_text("entry_id,booked_at,kind,currency,amount,reference\n")
    (tmp_path / "stripe.csv").write_text(
        "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,"
        "reporting_category,source_id,automatic_payout_id,automatic_payout_effective_at_utc\n"
    )
    (tmp_path / "statement.xml").write_bytes(camt(4, []))
    files = ["--ledger", "ledger.csv", "--stripe", "stripe.csv", "--statement", "statement.xml"]
    books = [
        f"--{book}-{edge}=0" for book in ("ledger", "stripe") for edge in ("opening", "closing")
    ]
    ended = reconcile(tmp_path, [*files, *books, "--to", "2026-03-04"])
    assert (ended.returncode, json.loads(ended.stdout)["status"]) == (0, "BALANCED"), ended.stderr
    late = reconcile(tmp_path, [*files, *books, "--to", "2026-03-20"])
    assert late.returncode == 3, late.stderr
    assert [one["lack"] for one in json.loads(late.stdout)["missing"]] == ["statement_missing"]
