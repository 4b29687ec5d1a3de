"""Cursors: where a page ended, in words that only we read."""

import base64
import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from gateway.problems import FieldError, Problem

Row = TypeVar("Row")

_EARLIEST, _LATEST = 1970, 9000
"""Years in which something may have happened: what lies outside cannot be said in every zone."""
_LARGEST = 2**63 - 1
"""Of a number in a place: our database knows none beyond it."""


def cursor_of(place: list[Any]) -> str:
    """A cursor for a place in a list. Any: a time, or whatever JSON can hold."""
    said = json.dumps(place, default=datetime.isoformat)
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def page_of(
    rows: Sequence[Row], limit: int, place: Callable[[Row], list[Any]]
) -> tuple[Sequence[Row], str | None]:
    """The rows of a page, and the cursor of the page after: None where one row more is not there.

    `place` says where a row stands in the list. Any: as for a cursor.
    """
    page = rows[:limit]
    return page, cursor_of(place(page[-1])) if len(rows) > limit else None


def after(cursor: str | None, id_: re.Pattern[str]) -> tuple[datetime, str] | None:
    """The time and the id that the page before ended with. Raises Problem (422)."""
    if cursor is None:
        return None
    at, name = place_of(cursor, str, str)
    if not id_.fullmatch(name):
        raise bad_cursor()
    return _time_of(at), name


def place_of(cursor: str, *kinds: type) -> list[Any]:
    """The place of a cursor, whose parts are of these kinds. Raises Problem (422)."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        place = None
    if not isinstance(place, list) or [type(part) for part in place] != list(kinds):
        raise bad_cursor()
    if not all(_sayable(part) for part in place):
        raise bad_cursor()
    return place


def _sayable(part: str | int) -> bool:
    """Whether our database has such a value: its texts hold no NUL, and nothing of half a sign."""
    return part.isprintable() if isinstance(part, str) else abs(part) <= _LARGEST


def _time_of(text: str) -> datetime:
    """The time that is a part of a place. Raises Problem (422)."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise bad_cursor() from None
    if at.tzinfo is None or not _EARLIEST <= at.year <= _LATEST:
        raise bad_cursor()
    return at


def bad_cursor() -> Problem:
    """The problem of a cursor that is none of ours."""
    return Problem(
        422,
        "invalid",
        "The cursor cannot be used: take `next` of the page before as it is, or begin without.",
        errors=[FieldError(field="cursor", message="is not a cursor of this list")],
    )
