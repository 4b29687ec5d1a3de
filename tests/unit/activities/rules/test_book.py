"""A folder of tables is what processes ask, or a worker does not start."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from activities.rules.book import RuleBook, load_rules
from activities.rules.problems import BadRules
from tests.unit.activities.rules.examples import NOBODY, RULES
from workflows.onboarding.rules import QUESTIONS, RISK


def refused(folder: Path) -> str:
    with pytest.raises(BadRules) as bad:
        load_rules(folder, QUESTIONS)
    return str(bad.value)


def test_an_answer_names_its_table_version_row_reason_and_inputs() -> None:
    book = load_rules(RULES, QUESTIONS)
    ruled = book.answer(RISK, NOBODY)
    assert (ruled.table, ruled.version) == ("onboarding_risk", book.versions["onboarding_risk"])
    assert (ruled.row, ruled.route, ruled.risk, ruled.codes) == ("person", "go_on", "low", ())
    assert ruled.reason.startswith("A person who proved")
    assert len(ruled.inputs_hash) == 64
    changed = book.answer(RISK, NOBODY.model_copy(update={"monthly_volume": 1}))
    assert changed.inputs_hash != ruled.inputs_hash


def test_a_table_that_is_missing_is_named(folder: Path) -> None:
    (folder / "review.toml").unlink()
    assert "review.toml: it is missing" in refused(folder)


def test_a_table_that_nobody_asks_is_named(folder: Path) -> None:
    shutil.copy(folder / "review.toml", folder / "reviews.toml")
    assert "reviews.toml: no process asks this table" in refused(folder)


def test_problems_of_several_tables_are_told_at_once(
    folder: Path, edit: Callable[[str, str, str], None]
) -> None:
    edit("review", "risk == 'high'", "rsik == 'high'")
    edit("customer_tier", "monthly_volume >= 20000", "monthly_volume >= 'a lot'")
    said = refused(folder)
    assert "review.toml:" in said
    assert "row 4 (high-risk), column when, character 1: there is no input or list rsik" in said
    assert "row 3 (vip-person), column when, character 22: monthly_volume is a whole" in said


@pytest.mark.parametrize(
    ("table", "old", "new", "said"),
    [
        (
            "customer_tier",
            "[inputs.account_manager]",
            '[inputs.age]\ntype = "whole"\nmeaning = "Years."\n\n[inputs.account_manager]',
            "column inputs.age: processes know nothing of it; they have kind, risk,",
        ),
        (
            "review",
            "remind_after",
            "nudge_after",
            "column outcomes.remind_after: it is missing: processes have remind_after",
        ),
        (
            "onboarding_risk",
            '[inputs.kind]\ntype = "text"\nvalues = ["person", "company"]',
            '[inputs.kind]\ntype = "text"\nvalues = ["person", "company", "trust"]',
            "column inputs.kind: for processes its values are company, person",
        ),
        (
            "onboarding_risk",
            '[inputs.country]\ntype = "country"',
            '[inputs.country]\ntype = "text"',
            "column inputs.country: for processes it is country, not text",
        ),
        (
            "review",
            "approvers = 2\nowner",
            "approvers = 3\nowner",
            "approvers is 2 or less, never 3",
        ),
        (
            "customer_tier",
            'from = "onboarding_risk.risk"',
            'from = "onboarding_risk.danger"',
            "column inputs.risk.from: no table that is asked before this one says",
        ),
        (
            "customer_tier",
            'from = "onboarding_risk.risk"',
            'from = "review.route"',
            "column inputs.risk.from: no table that is asked before this one says",
        ),
    ],
)
def test_a_table_that_does_not_fit_its_process_is_refused(
    folder: Path,
    edit: Callable[[str, str, str], None],
    table: str,
    old: str,
    new: str,
    said: str,
) -> None:
    edit(table, old, new)
    assert said in refused(folder)


def test_what_the_process_takes_stands_over_what_the_table_declares(
    folder: Path, edit: Callable[[str, str, str], None]
) -> None:
    edit("review", "maximum = 2\n", "maximum = 3\n")
    edit("review", "approvers = 2\nowner", "approvers = 3\nowner")
    said = refused(folder)
    assert "row 4 (high-risk), column approvers: Input should be less than or equal to 2" in said


def test_versions_are_those_of_the_tables() -> None:
    book = load_rules(RULES, QUESTIONS)
    assert isinstance(book, RuleBook)
    assert list(book.versions) == [question.table for question in QUESTIONS]
