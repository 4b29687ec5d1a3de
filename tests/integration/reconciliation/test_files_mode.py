"""Exported files are reconciled by one command, on servers of its own that leave nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[3]


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
