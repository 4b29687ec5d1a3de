"""ETags: whoever has an answer already is spared it, and nobody overwrites what they have not seen.

A tag is a hash of the answer. Where two people may change something, the number that each change
raises stands before it: `"2-9c1f…"` is an answer about version 2. `If-Match` takes a tag as it was
given or the number alone, `"2"`: only the number counts, for a process goes on by itself while
somebody reads.
"""

import hashlib
import re
from typing import Annotated

from fastapi import Depends, Header
from pydantic import BaseModel
from starlette.responses import Response

from gateway.problems import FieldError, Problem

_TAG = re.compile(r'"([0-9]{1,9})(?:-[0-9a-f]+)?"')
_HASH_DIGITS = 16

IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        description="The ETag of an answer that you have: 304 where it would be the same.",
    ),
]


class Expected:
    """What the caller saw of the thing that is to be changed; `numbers` None is anything."""

    def __init__(self, numbers: frozenset[int] | None) -> None:
        self.numbers = numbers

    def meets(self, number: int, what: str) -> None:
        """Raises Problem (412) unless the caller has seen this number of `what`."""
        if self.numbers is not None and number not in self.numbers:
            raise changed_meanwhile(what, number)


def if_match(
    given: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="Required: the ETag of what you looked at, or its number alone, as "
            '`"2"`. `*` changes it whatever it has become.',
            examples=['"2"'],
            json_schema_extra={"pattern": rf"^(\*|{_TAG.pattern}( *, *{_TAG.pattern})*)$"},
        ),
    ] = None,
) -> Expected:
    """What the caller saw. Raises Problem (428 or 400)."""
    if given is None:
        raise Problem(
            428,
            "if-match-missing",
            "Somebody else may change it, too: look at it, then send its ETag as If-Match.",
            errors=[FieldError(field="If-Match", message="is missing")],
        )
    tags = [tag.strip() for tag in given.split(",")]
    if tags == ["*"]:
        return Expected(None)
    found = [_TAG.fullmatch(tag) for tag in tags]
    numbers = frozenset(int(tag[1]) for tag in found if tag)
    if len(numbers) == 0:
        raise Problem(
            400,
            "if-match-invalid",
            "If-Match takes an ETag as it was given, or a number in double quotes.",
            errors=[FieldError(field="If-Match", message='is no ETag of this, such as "2"')],
        )
    return Expected(numbers)


IfMatch = Annotated[Expected, Depends(if_match)]


def changed_meanwhile(what: str, number: int | None = None) -> Problem:
    """Somebody else was quicker; `number` is what it has now, where that is known."""
    now = f"it has {what} {number} now" if number is not None else f"it has another {what} now"
    return Problem(
        412,
        "changed-meanwhile",
        f"It was changed since you looked: {now}. Look at it again, then decide anew.",
    )


def tagged(answer: BaseModel, if_none_match: str | None, *, number: int | None = None) -> Response:
    """The answer with its ETag, or 304 where the caller has it already."""
    body = answer.model_dump_json().encode()
    digest = hashlib.sha256(body).hexdigest()[:_HASH_DIGITS]
    tag = f'"{digest}"' if number is None else f'"{number}-{digest}"'
    if has(if_none_match, tag):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, headers={"ETag": tag}, media_type="application/json")


def has(if_none_match: str | None, tag: str) -> bool:
    """Whether the caller has the answer with this tag."""
    tags = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    return tag in tags or tags == ["*"]
