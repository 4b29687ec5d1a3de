"""The benchmark works: nobody finds out in the year in which they need it that it does not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.release
@pytest.mark.parametrize(
    ("what", "goals"),
    [
        (
            "onboarding",
            [
                "CPU of an onboarding",
                "latency of an onboarding",
                "onboardings/s",
                "acknowledgements/s",
                "pages/s of a long list of customers",
                "pages/s of a long list of balance transactions",
            ],
        ),
        (
            "books",
            [
                "reconciling files end to end",
                "seconds of a payment, growing",
                "memory of the worker",
                "a day's files, much being there",
            ],
        ),
    ],
)
def test_a_quick_run_measures_every_goal_and_judges_none(what: str, goals: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", what, "--quick", "--json"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert [one["goal"]["name"] for one in report["findings"]] == goals
    for one in report["findings"]:
        assert one["ours"] > 0
        assert one["theirs"] > 0
        assert one["met"] is None
