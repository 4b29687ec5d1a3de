"""A condition says only what can be checked case by case, and is refused where it is wrong."""

from __future__ import annotations

import time

import pytest

from activities.rules.condition import LONGEST
from activities.rules.coverage import value_classes
from tests.unit.activities.rules.examples import TEXT, problems, table, with_condition

WHEN_OF_ROW_2 = next(
    number for number, line in enumerate(TEXT.splitlines(), 1) if line.startswith('when = "kind')
)


@pytest.mark.parametrize(
    ("condition", "character", "said"),
    [
        ("knid == 'person'", 1, "there is no input or list knid (did you mean kind?)"),
        ("kind == 'person' and zzz == 'red'", 22, "no input or list zzz; there are kind,"),
        ("kind == 'persn'", 1, "kind is never 'persn' (did you mean person?)"),
        ("known and kind in ['person', 'firm']", 11, "kind is never 'firm'"),
        ("kind == 5", 1, "kind is a text, not 5"),
        ("kind in [1, 2]", 1, "kind is a text, not 1"),
        ("kind > 'person'", 1, "kind has no more or less"),
        ("country == 'UK'", 1, "country is an ISO 3166-1 code as DE, not 'UK'"),
        ("volume == 'much'", 1, "volume is a whole number, not 'much'"),
        ("volume > 99.5", 1, "99.5 is not a whole number"),
        ("volume > -1", 1, "volume is 0 or more, never -1"),
        ("volume <= 1001", 1, "volume is 1000 or less, never 1001"),
        ("volume in far", 1, "volume is a whole number, not 'AU'"),
        ("volume == true", 1, "volume is a whole number, not true"),
        ("known == 'yes'", 1, "known is yes or no: true or false, not 'yes'"),
        ("known == 1", 1, "known is yes or no: true or false, not 1"),
        ("volume", 1, "volume is not yes or no by itself"),
        ("kind and known", 1, "kind is not yes or no by itself"),
        ("far", None, "far is a list: write `input in far`"),
        ("country == far", 1, "far is a list: write `country in far`"),
        ("country in word", 1, "there is a list of values"),
        ("'AU' in country", None, "a comparison has one input"),
        ("word in 'abc'", 1, "there is a list of values"),
        ("word in []", 1, "there is a list of values"),
        ("word in [kind]", 1, "there is a list of values"),
        ("word == kind", 1, "two inputs are compared by whoever gives them"),
        ("known == (volume > 5)", 1, "two inputs are compared by whoever gives them"),
        ("true", None, "depends on no input"),
        ("known or 1 == 1", None, "depends on no input"),
        ("word == null", 9, "null has no place here"),
        ("word =~ '(a+)+$'", 6, "regular expressions (=~) may run without end"),
        ("word =~~ 'a'", 6, "regular expressions (=~~)"),
        ("word !~ 'a'", 6, "regular expressions (!~)"),
        ("word !~~ 'a'", 6, "regular expressions (!~~)"),
        ("$now > d'2026-01-01'", 1, "$now is not an input: what a clock or chance says"),
        ("$today == $today", 1, "$today is not an input"),
        ("volume < $random(10)", 10, "$random is not an input"),
        ("$split(word) == ['a']", 1, "$split is not an input"),
        ("volume > d'2026-01-01'", 10, "has no place here"),
        ("volume > t'P1D'", 10, "has no place here"),
        ("word == b'a'", 9, "has no place here"),
        ("volume + 1 > 5", 8, "+ has no place here"),
        ("volume ** 9 > 5", 8, "** has no place here"),
        ("volume / 0 > 5", 8, "/ has no place here"),
        ("volume < inf", 10, "inf has no place here"),
        ("word.length > 5", 5, ". has no place here"),
        ("known ? known : known", 7, "? has no place here"),
        ("word ?? 'a' == 'a'", 6, "?? has no place here"),
        ("[one for one in far]", 2, "there is no input or list one"),
        ("word[0] == 'a'", None, "a comparison has one input"),
        ("kind('a')", 1, "kind is used as a function"),
        ("known # a note", 7, "has no place here"),
        ("known and", None, "it cannot be read here"),
        ("known known", 7, "it cannot be read here"),
        ("volume = 5", 8, "there is a character that no condition has"),
        ("known while known", None, "there is a character"),
        ("(" * 400 + "known" + ")" * 400, None, ""),
        ("not " * 249 + "known", None, ""),
        ("known or " * 200 + "known", None, f"longer than {LONGEST} characters"),
    ],
)
def test_what_no_condition_may_say_is_refused_with_its_place(
    condition: str, character: int | None, said: str
) -> None:
    found = problems(with_condition(condition))
    if not said:  # deep, but to be read: it must not break us
        assert len(found) <= 1
        return
    (problem,) = found
    assert (problem.file, problem.line) == ("example.toml", WHEN_OF_ROW_2)
    assert (problem.row, problem.column) == ("2 (small)", "when")
    assert said in problem.text
    assert problem.character == character
    assert str(problem).startswith(f"example.toml:{WHEN_OF_ROW_2}, row 2 (small), column when")


def test_a_regular_expression_over_plain_texts_is_refused_before_it_runs() -> None:
    """The language computes what it can while it reads: this one takes minutes."""
    began = time.monotonic()
    (problem,) = problems(with_condition(f"'{'a' * 40}!' =~ '(a+)+$'"))
    assert "regular expressions" in problem.text
    assert time.monotonic() - began < 10


def test_a_power_of_powers_is_refused_before_it_is_computed() -> None:
    began = time.monotonic()
    assert problems(with_condition("volume < 9 ** 9 ** 9 ** 9"))
    assert time.monotonic() - began < 10


FACTS = {"kind": "person", "country": "DE", "word": "a", "known": False, "volume": 100}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("kind == 'person'", True),
        ("'person' == kind", True),
        ("kind != 'person'", False),
        ("kind in ['company', 'person']", True),
        ("kind not in ['company', 'person']", False),
        ("country in far", False),
        ("country not in far", True),
        ("known", False),
        ("not known", True),
        ("known == false", True),
        ("volume < 100", False),
        ("volume <= 100", True),
        ("100 <= volume", True),
        ("99 < volume", True),
        ("volume in [1, 100]", True),
        ("word == 'a'", True),
        ("kind == 'company' or volume > 50 and not known", True),
        ("(kind == 'company' or volume > 50) and known", False),
        ("not (known or word == 'b')", True),
    ],
)
def test_a_condition_holds_where_it_says_so(condition: str, *, holds: bool) -> None:
    deciding = table(with_condition(condition)).decide(FACTS)
    assert (deciding.id == "small") is holds


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("100 <= volume", "volume >= 100"),
        ("100 > volume", "volume < 100"),
        ("'person' == kind", "kind == 'person'"),
        ("country in far", "country in far"),
        ("word not in ['a', 'b']", "word in ['a', 'b']"),
        ("known == true", "known == true"),
        ("known", "known"),
    ],
)
def test_a_comparison_is_told_from_its_input(condition: str, told: str) -> None:
    (_, looked, _) = table(with_condition(condition)).explain(FACTS)
    assert [text for text, _ in looked.comparisons] == [told]


def test_texts_with_quotes_are_not_taken_for_several() -> None:
    """A text that looks like two, and the two, are different values."""
    text = with_condition("word in ['a', 'b'] or word in [\"a', 'b\"] or word == 'any other text'")
    words = [one.label.strip() for one in value_classes(table(text))["word"]]
    assert sorted(words) == ["a | b", "a', 'b", "any other text", "any other text"]
