from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.testing import CliRunner

from gateway.accounts import AccountForm
from workers.cli import app
from workers.cli.options import Role
from workflows.reconciliation.books import BreakClass, Rule
from workflows.reconciliation.messages import Stage
from workflows.reconciliation.statements import StatementState

HEAVY = ("temporalio", "sqlalchemy", "fastapi", "pydantic", "alembic", "httpx", "asyncpg")


def _run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PERDURE_")}
    return subprocess.run(
        [sys.executable, "-c", "from workers.cli import main; main()", *arguments],
        cwd=folder,
        env=kept | {"PERDURE_HOME": str(folder / "home")} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_waits_for_no_heavy_import() -> None:
    loads = f"import sys, workers.cli; print([m for m in {HEAVY} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", loads], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_status_of_nothing_says_so_to_people_and_to_machines(tmp_path: Path) -> None:
    people = _run(tmp_path, "status")
    assert people.returncode == 3
    assert "No stack is running" in people.stdout
    machines = _run(tmp_path, "status", "--json")
    assert machines.returncode == 3
    assert '"running": false' in machines.stdout


def test_down_is_content_when_nothing_runs(tmp_path: Path) -> None:
    ended = _run(tmp_path, "down")
    assert (ended.returncode, ended.stdout) == (0, "No stack is running.\n")


def test_a_wrong_setting_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    ended = _run(tmp_path, "up", PERDURE_GATEWAY_PORT="eighty")
    assert ended.returncode == 2
    assert "PERDURE_GATEWAY_PORT" in ended.stderr
    assert "Traceback" not in ended.stderr


def _of_field(name: str) -> tuple[str, ...]:
    kind: Any = AccountForm.model_fields[name].annotation
    return get_args(get_args(kind)[0]) if name == "posts" else get_args(kind)


@pytest.mark.parametrize(
    ("command", "values"),
    [
        ("breaks list", get_args(BreakClass)),
        ("matches list", get_args(Rule)),
        ("reconcile list", get_args(Stage)),
        ("statements list", get_args(StatementState)),
        ("accounts make", _of_field("processor")),
        ("accounts make", _of_field("posts")),
        ("periods lock", tuple(Role)),
    ],
)
def test_help_names_every_value_that_an_option_takes_in_one_piece(
    command: str, values: tuple[str, ...]
) -> None:
    shown = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "80"})
    assert shown.exit_code == 0
    words = {word.strip(".,:;") for word in shown.stdout.split()}
    assert set(values) <= words
