"""The demo as people run it. It brings its own checks of the outside, our database and Temporal."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.laptop import Laptop
from workers.demo.books.plan import OUTCOMES, PLANTINGS
from workers.demo.cast import TITLES
from workers.demo.theatre import sole_play

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(480)]

ENDS = ["aborted"] + ["active"] * 11 + ["expired"] + ["rejected"] * 3 + ["withdrawn"]


def demo(own: Laptop) -> dict[str, Any]:
    """Play it, and read its report. Any: JSON."""
    played = own.perdure("demo", "--exit", "--json")
    assert played.returncode == 0, f"{played.stdout}\n{played.stderr}"
    sentences = re.findall(r"^ *[\d.]+ s  — (.+)$", played.stderr, re.MULTILINE)
    assert [one for one in sentences if len(textwrap.wrap(one, 78)) > 2] == [], "too long to show"
    report: dict[str, Any] = json.loads(played.stdout)
    return report


def as_planned(report: dict[str, Any]) -> None:
    assert report["as_planned"], report
    assert [scene["scene"] for scene in report["scenes"]] == list(TITLES)
    assert {scene["state"] for scene in report["scenes"]} == {"played"}
    assert len(report["checks"]) == 29 + 13
    assert all(check["holds"] for check in report["checks"])
    stages = [one["stage"] for one in report["onboardings"]]
    assert sorted(stages) == ENDS
    assert sum(report["seconds"][what] for what in ("play", "books", "checks")) < 160
    the_books_are(report["books"])


def the_books_are(books: dict[str, Any]) -> None:
    """Three ways for a night to end, everything found, nothing left over. Any: JSON."""
    assert [night["status"] for night in books["nights"]] == [status for _, status in OUTCOMES]
    assert {night["residual_minor"] for night in books["nights"]} == {0}
    found = {one["planted"]: (one["found"], one["found_minor"]) for one in books["planted"]}
    assert found == {
        one["planted"]: ([one["break_class"]], one["at_risk_minor"]) for one in books["planted"]
    }
    assert len(found) == len(PLANTINGS)
    assert "E4" in Path(books["page"]).read_text(), "the page to print has the bridge"


def test_the_demo_plays_on_a_stack_of_its_own(own: Laptop) -> None:
    plays_on_a_stack_of_its_own(own)


def plays_on_a_stack_of_its_own(own: Laptop) -> dict[str, Any]:
    """Play it where nothing runs, and read its report. Any: JSON."""
    report = demo(own)
    as_planned(report)
    assert report["own_stack"]
    assert [one["link"] for one in report["onboardings"]] == [None] * len(ENDS)
    assert own.perdure("status").returncode == 3, "a stack that was started is ended"
    return report


@pytest.mark.release
def test_the_demo_plays_again_on_a_stack_that_runs_with_what_it_left(own: Laptop) -> None:
    first = plays_on_a_stack_of_its_own(own)
    own.up()
    with sole_play(own.home):
        refused = own.perdure("demo", "--exit", "--json")
        assert (refused.returncode, refused.stdout) == (4, "")
        assert "Another `perdure demo` plays" in refused.stderr
    second = demo(own)
    as_planned(second)
    assert not second["own_stack"]
    assert own.perdure("status").returncode == 0, "a stack that ran goes on"
    both = [one["id"] for report in (first, second) for one in report["onboardings"]]
    assert len(set(both)) == 2 * len(ENDS)
    weeks = [report["books"]["nights"][0]["business_date"] for report in (first, second)]
    assert weeks[0] < weeks[1], "the time outside only goes ahead"

    link = second["onboardings"][0]["link"]
    port = own.environment["PERDURE_TEMPORAL_UI_PORT"]
    assert link.startswith(f"http://127.0.0.1:{port}/namespaces/default/workflows/onboarding%2F")


def test_a_stack_whose_steps_try_for_half_an_hour_is_no_stage(own: Laptop) -> None:
    own.environment["PERDURE_POLICY"] = "production"
    own.up()
    refused = own.perdure("demo", "--exit", "--json")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "perdure down" in refused.stderr
