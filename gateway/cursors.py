"""Cursors: where a page ended, in words that only we read."""

import base64
import json
from datetime import datetime
from typing import Any

from gateway.problems import FieldError, Problem

_EARLIEST, _LATEST = 1970, 9000
"""Years in which something may have happened: what lies outside cannot be said in every zone."""
_LARGEST = 2**63 - 1
"""Of a number in a place: our database knows none beyond it."""


def cursor_of(place: list[Any]) -> str:
    """A cursor for a place in a list. Any: whatever JSON can hold, for whoever made it."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_of(cursor: str, *kinds: type) -> list[Any]:
    """The place of a cursor, whose parts are of these kinds. Raises Problem (422)."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        place = None
    if not isinstance(place, list) or [type(part) for part in place] != list(kinds):
        raise bad_cursor()
    if any(isinstance(part, int) and abs(part) > _LARGEST for part in place):
        raise bad_cursor()
    return place


def time_of(text: str) -> datetime:
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
