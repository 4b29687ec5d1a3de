from __future__ import annotations

import pytest

from gateway.cursors import cursor_of, place_of
from gateway.problems import Problem


def test_a_cursor_leads_back_to_its_place() -> None:
    assert place_of(cursor_of(["2026-01-31T00:00:00+00:00", "ü"]), str, str) == [
        "2026-01-31T00:00:00+00:00",
        "ü",
    ]


@pytest.mark.parametrize(
    "cursor", ["", "x", "%%%", "ü", cursor_of([]), cursor_of(["a"]), cursor_of(["a", 1]), "bnVsbA"]
)
def test_what_is_no_cursor_of_ours_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as caught:
        place_of(cursor, str, str)
    assert caught.value.status_code == 422
    assert [error.field for error in caught.value.errors] == ["cursor"]
