from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
