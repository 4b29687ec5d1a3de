"""What a caller's Idempotency-Key names is done once, and answered the same again."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Header, Request

from database.api_requests import BeingAnswered, OtherBody
from gateway.problems import FieldError, Problem

_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


def _named(
    request: Request,
    given: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="Required: 1 to 255 printable ASCII characters that name this request. "
            "Send the same key with every repetition.",
            examples=["3f0e1d5c-6a55-4a42-9a52-0d4c2a7e8f11"],
            json_schema_extra={"pattern": f"^{_KEY.pattern}$"},
        ),
    ] = None,
) -> str:
    """The caller's name for its request. Raises Problem (400)."""
    several = len(request.headers.getlist("Idempotency-Key")) > 1
    if given is None or several or not _KEY.fullmatch(given):
        message = "is missing" if given is None else "is not 1 to 255 printable ASCII characters"
        if several:
            message = "is there several times"
        raise Problem(
            400,
            "key-missing" if given is None else "key-invalid",
            "Send the header Idempotency-Key with 1 to 255 printable ASCII characters that name "
            "this request, for instance a UUID, and the same one with every repetition.",
            errors=[FieldError(field="Idempotency-Key", message=message)],
        )
    return given


IdempotencyKey = Annotated[str, Depends(_named)]


@contextmanager
def taken_once() -> Iterator[None]:
    """Have what stands against taking a request told as a Problem (409 or 422)."""
    try:
        yield
    except OtherBody:
        raise Problem(
            422,
            "key-reused",
            "This Idempotency-Key was used with another body. Repeat a request exactly as it was, "
            "or name a new one with a new key.",
            errors=[FieldError(field="Idempotency-Key", message="was used with another body")],
        ) from None
    except BeingAnswered:
        raise Problem(
            409,
            "in-progress",
            "The first request with this Idempotency-Key is still being answered. Ask again.",
            headers={"Retry-After": "1"},
        ) from None
