"""A small table, and the same with one thing changed."""

from __future__ import annotations

from pathlib import Path

from activities.rules.problems import BadRules, Problem
from activities.rules.reading import read_table
from activities.rules.table import Table
from workflows.onboarding.rules import RiskFacts

RULES = Path(__file__).parents[4] / "rules"
NOBODY = RiskFacts(
    kind="person",
    country="DE",
    identity="verified",
    screening="clear",
    politically_exposed=False,
    possible_duplicate=False,
    owners_checked=True,
    monthly_volume=0,
)

TEXT = """\
title = "An example"

[inputs.kind]
type = "text"
values = ["person", "company"]
meaning = "Who."

[inputs.country]
type = "country"
meaning = "Where."

[inputs.word]
type = "text"
meaning = "Any word."

[inputs.known]
type = "yes_no"
meaning = "Whether."

[inputs.volume]
type = "whole"
minimum = 0
maximum = 1000
meaning = "How much."

[lists.far]
meaning = "Far away."
values = ["AU", "NZ"]

[outcomes.risk]
type = "text"
values = ["low", "high"]
meaning = "How risky."

[outcomes.documents]
type = "texts"
values = ["extract", "statement"]
meaning = "What is asked for."

[outcomes.approvers]
type = "whole"
minimum = 0
maximum = 2
meaning = "How many."

[[rows]]
id = "far-away"
when = "country in far and not known"
route = "reject"
risk = "high"
documents = []
approvers = 0
reason = "Too far."

[[rows]]
id = "small"
when = "kind == 'person' and volume < 100"
route = "go_on"
risk = "low"
documents = ["extract"]
approvers = 0
reason = "Small."

[[rows]]
id = "otherwise"
route = "review"
risk = "high"
documents = ["extract", "statement"]
approvers = 2
reason = "Look."
"""


def changed(old: str, new: str) -> str:
    """The example with one thing changed: the last place where it stands."""
    assert old in TEXT
    before, _, after = TEXT.rpartition(old)
    return before + new + after


def table(text: str = TEXT) -> Table:
    return read_table("example", text, file="example.toml")


def with_condition(condition: str) -> str:
    """The example with another condition in the row `small`, row 2."""
    quoted = '"' + condition.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return changed("\"kind == 'person' and volume < 100\"", quoted)


def problems(text: str) -> list[Problem]:
    """What is wrong with a table; nothing where it can be used."""
    try:
        table(text)
    except BadRules as error:
        return list(error.problems)
    return []
