"""A table that cannot be used is refused, with file, line, row and column."""

from __future__ import annotations

import pytest

from activities.rules.problems import BadRules
from tests.unit.activities.rules.examples import TEXT, changed, problems, table


def line_of(text: str, part: str) -> int:
    """The last line that has `part`."""
    return max(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_the_example_can_be_used() -> None:
    assert not problems(TEXT)


@pytest.mark.parametrize(
    ("old", "new", "row", "column", "said"),
    [
        ('route = "review"', 'route = "go_on"', "3 (otherwise)", "route", "sends to review"),
        ('route = "review"', 'route = "reject"', "3 (otherwise)", "route", "sends to review"),
        (
            'id = "otherwise"\n',
            'id = "otherwise"\nwhen = "known"\n',
            "3 (otherwise)",
            "when",
            "the last row has a condition",
        ),
        (
            "when = \"kind == 'person' and volume < 100\"\n",
            "",
            "2 (small)",
            "when",
            "only the last row has no condition",
        ),
        ('when = "kind', 'when = "', "2 (small)", "when", "it cannot be read here"),
        ("when = \"kind == 'person' and volume < 100\"", 'when = " "', "2 (small)", "when", ""),
        (
            "when = \"kind == 'person' and volume < 100\"",
            "when = 5",
            "2 (small)",
            "when",
            "no text",
        ),
        ('id = "small"', 'id = "otherwise"', "3 (otherwise)", "id", "row 2 has the same id"),
        ('id = "small"', 'id = "Small One"', "2 (Small One)", "id", "small letters"),
        ('id = "small"\n', "", "2", "id", "it is missing"),
        ('reason = "Small."', 'reason = ""', "2 (small)", "reason", "it is missing"),
        ('route = "go_on"', 'route = "approve"', "2 (small)", "route", "go_on, review, reject"),
        ('route = "go_on"\n', "", "2 (small)", "route", "go_on, review, reject"),
        ('risk = "low"', 'risk = "lwo"', "2 (small)", "risk", "did you mean low?"),
        ('risk = "low"', "risk = 1", "2 (small)", "risk", "risk is a text, not 1"),
        ('risk = "low"\n', "", "2 (small)", "risk", "every row says every outcome"),
        ('risk = "low"', 'riks = "low"', "2 (small)", "riks", "did you mean risk?"),
        ('["extract"]', '"extract"', "2 (small)", "documents", "list of texts"),
        ('["extract"]', '["extrct"]', "2 (small)", "documents", "did you mean extract?"),
        ("approvers = 2", "approvers = 3", "3 (otherwise)", "approvers", "2 or less"),
        ("approvers = 2", "approvers = true", "3 (otherwise)", "approvers", "whole number"),
        ("approvers = 2", "approvers = 1.5", "3 (otherwise)", "approvers", "whole number"),
        ('type = "country"', 'type = "land"', None, "inputs.country.type", "'country'"),
        ('meaning = "Where."\n', "", None, "inputs.country.meaning", "required"),
        ('meaning = "Where."', "sense = 1", None, "inputs.country.sense", "not permitted"),
        ("minimum = 0\nmaximum = 1000", 'minimum = "0"', None, "inputs.volume.minimum", "integer"),
        ('type = "yes_no"', 'type = "yes_no"\nminimum = 1', None, "inputs.known", "whole numbers"),
        ('type = "yes_no"', 'type = "yes_no"\nvalues = ["a"]', None, "inputs.known", "for texts"),
        ('["person", "company"]', '["person", "person"]', None, "inputs.kind", "there twice"),
        ('["AU", "NZ"]', "[]", None, "lists.far.values", ""),
        ("[lists.far]", "[lists.kind]", None, "lists.kind", "there is an input of this name"),
        ("[outcomes.approvers]", "[outcomes.route]", None, "outcomes.route", "every row has"),
        ("[inputs.word]", "[inputs.Word]", None, "inputs.Word", "small letters"),
        ("[inputs.word]", "[inputs.not]", None, "inputs.not", "no word of conditions"),
        ('title = "An example"', 'titel = "An example"', None, "titel", "not permitted"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    old: str, new: str, row: str | None, column: str, said: str
) -> None:
    text = changed(old, new)
    found = [one for one in problems(text) if (one.row, one.column) == (row, column)]
    assert found, problems(text)
    assert said in found[0].text
    assert found[0].file == "example.toml"
    assert found[0].line is not None or column == "title"


@pytest.mark.parametrize("part", ['riks = "low"', 'risk = "lwo"'])
def test_the_line_is_that_of_the_cell(part: str) -> None:
    text = changed('risk = "low"', part)
    assert line_of(text, part) in {one.line for one in problems(text)}


def test_what_is_no_toml_is_named_with_its_line() -> None:
    (problem,) = problems(changed('route = "go_on"', 'route = "go_on'))
    assert "line" in problem.text
    assert problem.file == "example.toml"


def test_every_problem_is_told_at_once() -> None:
    text = changed('risk = "low"', 'risk = "lwo"').replace('"far-away"', '"far away"')
    text = text.replace("not known", "not knwon")
    with pytest.raises(BadRules) as bad:
        table(text)
    assert {one.column for one in bad.value.problems} == {"id", "when", "risk"}
    assert len(str(bad.value).splitlines()) == 3
