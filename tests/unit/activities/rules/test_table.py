"""Whatever a table is told, it decides, and always the same."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.rules.condition import comparisons, holds
from activities.rules.coverage import coverage, value_classes
from activities.rules.inputs import COUNTRIES
from activities.rules.table import Table, WrongFacts, inputs_hash
from tests.unit.activities.rules.examples import TEXT, changed, table, with_condition

UNHURRIED = settings(deadline=None, max_examples=50)
FACTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["person", "company"]),
        "country": st.sampled_from(["AU", "NZ", "DE"]) | st.sampled_from(COUNTRIES),
        "word": st.text(max_size=5) | st.sampled_from(["a", "b"]),
        "known": st.booleans(),
        "volume": st.integers(0, 1000) | st.sampled_from([0, 99, 100, 101, 1000]),
    }
)
COMPARISONS = st.sampled_from(
    [
        "kind == 'person'",
        "kind in ['company', 'person']",
        "country in far",
        "country != 'DE'",
        "word == 'a'",
        "word not in ['a', 'b']",
        "known",
        "known == false",
        "volume < 100",
        "100 <= volume",
        "volume in [7, 9]",
        "volume == 1000",
    ]
)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda inner: (
        inner.map(lambda one: f"not ({one})")
        | st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda three: f"({three[0]}) {three[1]} ({three[2]})"
        )
    ),
    max_leaves=5,
)
TABLES = CONDITIONS.filter(lambda one: len(one) < 1000).map(
    lambda condition: table(with_condition(condition))
)


@UNHURRIED
@given(TABLES, FACTS)
def test_some_row_always_decides_and_the_last_one_whatever_is_left(
    asked: Table, facts: dict[str, Any]
) -> None:
    row = asked.decide(facts)
    assert row in asked.rows
    held = [
        one for one in asked.rows if one.when and one.when.holds({**facts, "far": ("AU", "NZ")})
    ]
    assert row == (held[0] if held else asked.rows[-1])
    if row is asked.rows[-1]:
        assert row.route == "review"


@UNHURRIED
@given(TABLES, FACTS)
def test_the_same_facts_are_always_decided_the_same(asked: Table, facts: dict[str, Any]) -> None:
    again = table(asked.text)
    turned = dict(reversed(facts.items()))
    assert asked.decide(facts) == asked.decide(turned)
    assert asked.decide(facts).id == again.decide(facts).id
    assert inputs_hash(facts) == inputs_hash(turned)


@UNHURRIED
@given(FACTS, FACTS)
def test_the_hash_of_the_inputs_changes_iff_they_do(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert (inputs_hash(one) == inputs_hash(other)) == (one == other)


@UNHURRIED
@given(TABLES, FACTS)
def test_the_explanation_is_what_is_decided(asked: Table, facts: dict[str, Any]) -> None:
    looked = asked.explain(facts)
    (decided,) = (one.row for one in looked if one.held)
    assert decided == asked.decide(facts)
    assert [one.row for one in looked] == list(asked.rows)
    assert all(one.held is None for one in looked if one.row.number > decided.number)
    assert all(one.held is False for one in looked if one.row.number < decided.number)
    for one in looked:
        if one.held is None or one.row.when is None:
            continue
        told = dict(one.comparisons)
        assert holds(one.row.when.formula, lambda part: told[str(part)]) is one.held  # noqa: B023


@UNHURRIED
@given(TABLES, FACTS)
def test_every_case_is_in_one_class_of_each_input_and_is_looked_through(
    asked: Table, facts: dict[str, Any]
) -> None:
    """A case that only the last row catches is in a gap; a row that decides is reached."""
    for name, classes in value_classes(asked).items():
        of_input = [one for row in asked.rows if row.when for one in comparisons(row.when.formula)]
        held = {
            one.says
            for one in of_input
            if one.input.name == name and one.holds({**facts, "far": ("AU", "NZ")})
        }
        assert len([one for one in classes if one.holding == held]) >= 1
    found = coverage(asked)
    row = asked.decide(facts)
    assert row.id not in {one.row for one in found.unreachable}
    if row is asked.rows[-1]:
        assert found.gaps


@UNHURRIED
@given(st.integers(0, 1000), st.integers(0, 1000))
def test_the_version_changes_iff_the_content_does(one: int, other: int) -> None:
    first, second = (with_condition(f"volume < {limit}") for limit in (one, other))
    assert (table(first).version == table(second).version) == (one == other)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('reason = "Look."', 'reason = "Do look."'),
        ('meaning = "Where."', 'meaning = "Where now."'),
        ("approvers = 2", "approvers = 1"),
        ('values = ["AU", "NZ"]', 'values = ["NZ"]'),
        ('title = "An example"', 'title = "The example"'),
        ('id = "small"', 'id = "little"'),
        ('route = "go_on"', 'route = "review"'),
    ],
)
def test_whatever_is_said_differently_is_another_version(old: str, new: str) -> None:
    assert table(changed(old, new)).version != table().version


def test_the_order_of_rows_is_content() -> None:
    head, first, second, last = TEXT.split("[[rows]]\n")
    turned = "[[rows]]\n".join([head, second + "\n", first, last])
    assert tomllib.loads(turned)["rows"][0]["id"] == "small"
    assert table(turned).version != table().version


def test_comments_and_layout_are_no_content() -> None:
    noted = "# A note.\n" + TEXT.replace('risk = "low"', '  risk   =  "low"  # small fry')
    assert table(noted).version == table().version


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"kind": "person"}, "has to be told country, word, known, volume"),
        ({"knid": "person"}, "has no input knid (did you mean kind?)"),
        ({"kind": "robot"}, "kind is never 'robot'"),
        ({"volume": 5000}, "volume is 1000 or less"),
        ({"volume": "5"}, "volume is a whole number"),
        ({"known": 1}, "known is yes or no"),
        ({"country": "XX"}, "ISO 3166-1"),
        ({"word": None}, "word is a text, not None"),
    ],
)
def test_a_table_that_is_told_something_else_says_so(told: dict[str, Any], said: str) -> None:
    whole = {"kind": "person", "country": "DE", "word": "", "known": True, "volume": 1}
    facts = told if "has to be told" in said else whole | told
    with pytest.raises(WrongFacts) as wrong:
        table().decide(facts)
    assert said in str(wrong.value)
