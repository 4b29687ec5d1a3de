"""Gaps, overlaps and rows that are never reached are found, and only where they are."""

from __future__ import annotations

import itertools

import pytest

from activities.rules import coverage as looking
from activities.rules.coverage import TooManyCases, Unreachable, coverage, value_classes
from activities.rules.table import Table
from tests.unit.activities.rules.examples import TEXT, changed, table, with_condition


def test_a_row_below_one_that_takes_all_its_cases_is_never_reached() -> None:
    found = coverage(table(with_condition("country == 'AU' and known == false and volume > 5")))
    assert found.unreachable == (Unreachable("small", ("far-away",)),)


def test_a_condition_that_never_holds_is_never_reached_by_anybody() -> None:
    found = coverage(table(with_condition("volume < 5 and volume > 5")))
    assert found.unreachable == (Unreachable("small", ()),)


def test_rows_that_together_take_a_third_ones_cases_are_both_named() -> None:
    text = _with_rows("volume < 100", "volume >= 50", "volume in [20, 700]")
    (never,) = coverage(table(text)).unreachable
    assert never == Unreachable("row-3", ("row-1", "row-2"))


def test_a_row_that_keeps_one_single_case_is_reached() -> None:
    text = _with_rows("volume < 100", "volume > 100", "volume in [20, 100]")
    found = coverage(table(text))
    assert not found.unreachable
    assert not found.gaps


def test_a_gap_of_one_number_is_found_and_told() -> None:
    text = _with_rows("volume < 100", "volume > 100")
    assert coverage(table(text)).gaps == ({"volume": "100"},)


def test_gaps_are_told_in_the_words_of_the_inputs() -> None:
    text = _with_rows(
        "kind == 'person'", "country in ['DE', 'FR']", "word == 'a'", "volume < 10 or volume == 99"
    )
    (gap,) = coverage(table(text)).gaps
    assert gap == {
        "kind": "company",
        "country": "all but DE, FR",
        "word": "any other text",
        "volume": "10 to 98 | 100 to 1000",
    }


def test_a_table_without_gaps_has_none() -> None:
    found = coverage(table(_with_rows("known", "not known")))
    assert (found.gaps, found.overlaps, found.unreachable, found.cases) == ((), (), (), 2)


def test_rows_that_say_different_things_of_the_same_cases_overlap() -> None:
    text = changed(
        "when = \"kind == 'person' and volume < 100\"", "when = \"country == 'NZ' or volume < 9\""
    )
    (overlap,) = coverage(table(text)).overlaps
    assert (overlap.row, overlap.below, overlap.softer) == ("far-away", "small", False)
    assert overlap.example["known"] == "no"


def test_rows_that_say_the_same_do_not_overlap() -> None:
    assert not coverage(table(_with_rows("volume < 100", "volume < 200"))).overlaps


def test_an_approval_above_a_rejection_is_called_softer() -> None:
    head, first, second, last = TEXT.split("[[rows]]\n")
    text = f"{head}[[rows]]\n{second}[[rows]]\n{first}[[rows]]\n{last}"
    (overlap,) = coverage(table(text)).overlaps
    assert (overlap.row, overlap.below, overlap.softer) == ("small", "far-away", True)


@pytest.mark.parametrize(
    "conditions",
    [
        ("volume < 3", "volume in [2, 5]", "known and volume >= 4"),
        ("not (volume == 4 or known)", "volume != 4", "volume <= 4"),
        ("kind == 'person'", "volume > 3 and volume < 7", "kind != 'person' and not known"),
    ],
)
def test_it_is_what_trying_every_case_one_by_one_finds(conditions: tuple[str, ...]) -> None:
    asked = table(_with_rows(*conditions).replace("maximum = 1000", "maximum = 9"))
    facts = [
        {"kind": kind, "country": "DE", "word": "", "known": known, "volume": volume}
        for kind, known, volume in itertools.product(
            ("person", "company"), (True, False), range(10)
        )
    ]
    decided = [asked.decide(one) for one in facts]
    found = coverage(asked)
    never = {row.id for row in asked.rows[:-1]} - {row.id for row in decided}
    assert {one.row for one in found.unreachable} == never
    for one, row in zip(facts, decided, strict=True):
        assert (row is asked.rows[-1]) is any(_in(one, gap, asked) for gap in found.gaps)


def test_a_table_with_too_many_cases_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "MOST_CASES", 3)
    with pytest.raises(TooManyCases, match=r"4 cases \(kind: 2, country: 1, word: 1, known: 1, vo"):
        coverage(table(_with_rows("kind == 'person' and volume < 100")))


def _in(facts: dict[str, object], gap: object, asked: Table) -> bool:
    """Whether a case is in a gap, read from its words."""
    assert isinstance(gap, dict)
    for name, words in gap.items():
        value = facts[name]
        spans = [one.partition(" to ") for one in words.split(" | ")]
        if isinstance(value, bool):
            if ("yes" if value else "no") not in words.split(" | "):
                return False
        elif isinstance(value, int):
            if not any(int(first) <= value <= int(last or first) for first, _, last in spans):
                return False
        elif value not in words.split(" | "):
            return False
    assert value_classes(asked)
    return True


def _with_rows(*conditions: str) -> str:
    head = TEXT.split("[[rows]]\n")[0]
    last = TEXT.split("[[rows]]\n")[-1]
    rows = [
        f'[[rows]]\nid = "row-{number}"\nwhen = "{condition}"\nroute = "go_on"\nrisk = "low"\n'
        'documents = []\napprovers = 0\nreason = "So."\n\n'
        for number, condition in enumerate(conditions, 1)
    ]
    return head + "".join(rows) + "[[rows]]\n" + last
