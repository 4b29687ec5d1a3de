from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from gateway.cursors import after, cursor_of, page_of, place_of
from gateway.problems import Problem


def test_a_cursor_leads_back_to_its_place() -> None:
    assert place_of(cursor_of(["2026-01-31T00:00:00+00:00", "ü"]), str, str) == [
        "2026-01-31T00:00:00+00:00",
        "ü",
    ]


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "%%%", "ü", "bnVsbA"),
        *(cursor_of(place) for place in ([], ["a"], ["a", 1], ["a", "\0"], ["a", "\ud800"])),
    ],
)
def test_what_is_no_cursor_of_ours_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as caught:
        place_of(cursor, str, str)
    assert caught.value.status_code == 422
    assert [error.field for error in caught.value.errors] == ["cursor"]


AT = datetime(2026, 1, 31, tzinfo=UTC)
WORD = re.compile("[a-z]+")


def test_a_page_leads_to_the_page_after_while_a_row_more_is_there() -> None:
    page, following = page_of(["ada", "bob", "eve"], 2, lambda row: [AT, row])
    assert page == ["ada", "bob"]
    assert after(following, WORD) == (AT, "bob")
    assert page_of(["ada", "bob"], 2, lambda row: [AT, row]) == (["ada", "bob"], None)
    assert page_of([], 2, lambda row: [AT, row]) == ([], None)
    assert after(None, WORD) is None


@pytest.mark.parametrize(
    "place",
    [[AT, "Bob"], ["no time", "bob"], ["2026-01-31T00:00:00", "bob"], ["0001-01-01", "bob"]],
)
def test_a_page_begins_after_a_time_and_an_id_of_its_list(place: list[object]) -> None:
    with pytest.raises(Problem) as caught:
        after(cursor_of(place), WORD)
    assert [error.field for error in caught.value.errors] == ["cursor"]
