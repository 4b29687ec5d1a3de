"""`perdure rules check` and `explain`: what they say, and how they end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from workers.cli import app
from workers.obstacle import Obstacle

RULES = Path(__file__).parents[2] / "rules"
pytestmark = pytest.mark.usefixtures("clone")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(RULES, tmp_path / "candidate")
    return tmp_path / "candidate"


def perdure(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, words)])


def edit(folder: Path, table: str, old: str, new: str) -> None:
    file = folder / f"{table}.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


TIER = ("rules", "explain", "customer_tier", "--input", "kind=company", "--input", "risk=low")
TOLD = ("--input", "monthly_volume=300000", "--input", "account_manager=no")


def test_check_finds_the_tables_that_hold_in_order() -> None:
    ended = perdure("rules", "check")
    assert ended.exit_code == 0, ended.output
    assert "customer_tier  version" in ended.output
    assert "gaps, caught by the last row only (otherwise):" in ended.output
    assert "risk: high, account_manager: yes" in ended.output
    assert "prohibited above vip-company" in ended.output


def test_check_says_for_machines_all_that_it_found(folder: Path) -> None:
    ended = perdure("rules", "check", folder, "--json")
    assert ended.exit_code == 0
    found = json.loads(ended.output)
    assert [one["table"] for one in found["tables"]] == list(found["versions"])
    assert {"gaps", "overlaps", "unreachable"} <= set(found["tables"][0])


def test_check_refuses_what_a_worker_would_refuse(folder: Path) -> None:
    edit(folder, "review", "risk == 'high'", "rsik == 'high'")
    ended = perdure("rules", "check", folder)
    assert isinstance(ended.exception, Obstacle)
    assert ended.exception.exit_code == 1
    assert "row 4 (high-risk), column when, character 1" in str(ended.exception)
    machines = perdure("rules", "check", folder, "--json")
    assert machines.exit_code == 1
    (problem,) = json.loads(machines.output)["problems"]
    assert (problem["row"], problem["column"], problem["character"]) == ("4 (high-risk)", "when", 1)


def test_check_ends_with_1_where_a_row_is_never_reached(folder: Path) -> None:
    edit(folder, "customer_tier", "account_manager and risk != 'high'", "risk == 'prohibited'")
    ended = perdure("rules", "check", folder)
    assert ended.exit_code == 1
    assert "never reached: vip-managed (what it is for goes to prohibited)" in ended.output


def test_check_shows_an_approval_that_stands_above_a_rejection(folder: Path) -> None:
    edit(folder, "customer_tier", 'route = "reject"', 'route = "go_on"')
    edit(folder, "customer_tier", "account_manager and risk", "kind == 'person' and risk")
    edit(folder, "customer_tier", 'id = "person"\nwhen', 'id = "person"\nroute="reject"\nwhen')
    text = (folder / "customer_tier.toml").read_text()
    head, _, tail = text.partition('route="reject"\n')
    (folder / "customer_tier.toml").write_text(
        head + 'route = "reject"\n' + tail.replace('route = "go_on"\n', "", 1)
    )
    ended = perdure("rules", "check", folder)
    assert ended.exit_code == 0, ended.output
    assert "a milder row stands above a stricter one" in ended.output
    assert "vip-managed above person, as for kind: person" in ended.output


def test_a_folder_that_is_not_there_is_wrong_usage() -> None:
    for command in ("check", "diff"):
        ended = perdure("rules", command, "nowhere")
        assert ended.exit_code == 2
        assert "nowhere is no folder" in ended.output


def test_explain_shows_rows_comparisons_and_outcome() -> None:
    ended = perdure(*TIER, *TOLD)
    assert ended.exit_code == 0, ended.output
    lines = [" ".join(line.split()) for line in ended.output.splitlines()]
    assert any(line.startswith("1 prohibited no") for line in lines)
    assert any(line.startswith("2 vip-company holds") for line in lines)
    assert any(line.startswith("3 vip-person not looked at") for line in lines)
    assert "monthly_volume >= 250000: yes" in ended.output
    assert "tier = 'vip'" in ended.output
    assert "A company that turns over a quarter of a million a month." in ended.output


def test_explain_for_machines_holds_the_ruling() -> None:
    found = json.loads(perdure(*TIER, *TOLD, "--json").output)
    assert found["ruling"]["row"] == "vip-company"
    assert found["ruling"]["tier"] == "vip"
    assert found["inputs"]["account_manager"] is False
    assert [one["held"] for one in found["rows"]] == [False, True, *[None] * 5]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rules", "explain", "customer_teir"), "there is no table customer_teir"),
        (TIER, "has to be told monthly_volume,"),
        ((*TIER, "--input", "kind=person"), "kind is told twice"),
        ((*TIER, *TOLD, "--input", "colour=red"), "has no input colour"),
        ((*TIER, *TOLD, "--input", "colour"), "write name=value"),
        ((*TIER, "--input", "monthly_volume=lots"), "is a whole number, not 'lots'"),
        ((*TIER, "--input", "monthly_volume=-1"), "is 0 or more"),
        ((*TIER, *TOLD[:2], "--input", "account_manager=perhaps"), "is yes or no"),
    ],
)
def test_explain_says_what_it_should_be_told(words: tuple[str, ...], said: str) -> None:
    ended = perdure(*words)
    assert ended.exit_code == 2
    assert said in " ".join(ended.output.replace("│", " ").split())


def test_explain_takes_the_tables_of_a_candidate(folder: Path) -> None:
    edit(folder, "customer_tier", "monthly_volume >= 250000", "monthly_volume >= 900000")
    edit(folder, "customer_tier", "monthly_volume < 250000", "monthly_volume < 900000")
    assert "tier = 'business'" in perdure(*TIER, *TOLD, "--rules", folder).output
