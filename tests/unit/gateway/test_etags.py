from __future__ import annotations

import pytest
from pydantic import BaseModel

from gateway.etags import if_match, tagged
from gateway.problems import Problem


class Thing(BaseModel):
    name: str


def refused(given: str | None) -> tuple[int, str]:
    with pytest.raises(Problem) as caught:
        if_match(given)
    return caught.value.status_code, caught.value.code


def test_a_tag_says_the_number_and_changes_with_the_answer() -> None:
    tags = [tagged(Thing(name=name), None, number=2).headers["etag"] for name in ("a", "b", "a")]
    assert tags[0] == tags[2] != tags[1]
    assert all(tag.startswith('"2-') for tag in tags)


def test_whoever_has_an_answer_is_spared_it() -> None:
    tag = tagged(Thing(name="a"), None).headers["etag"]
    for has in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        again = tagged(Thing(name="a"), has)
        assert (again.status_code, again.body, again.headers["etag"]) == (304, b"", tag)
    for other in ('"x"', tag.strip('"'), ""):
        assert tagged(Thing(name="a"), other).status_code == 200
    assert tagged(Thing(name="b"), tag).status_code == 200


@pytest.mark.parametrize("given", ['"2"', '"2-9c1f"', '"1", "2"', "*"])
def test_what_was_seen_may_be_changed(given: str) -> None:
    if_match(given).meets(2, "version")


@pytest.mark.parametrize("given", ['"1"', '"3-9c1f"', '"1", "3"', '"22"'])
def test_what_has_become_something_else_may_not(given: str) -> None:
    with pytest.raises(Problem) as caught:
        if_match(given).meets(2, "version")
    assert caught.value.status_code == 412
    assert "version 2 now" in caught.value.detail


@pytest.mark.parametrize("given", ["2", "", "version 2", 'W/"2"', '"abc"', '"-1"'])
def test_what_is_no_tag_of_ours_is_said_to_be_none(given: str) -> None:
    assert refused(given) == (400, "if-match-invalid")


def test_to_say_nothing_is_refused() -> None:
    assert refused(None) == (428, "if-match-missing")
