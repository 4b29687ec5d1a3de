"""What a defect of ours leaves behind: where it was, and nothing of what it was about."""

from __future__ import annotations

import io
import json

import pytest
import structlog
from pydantic import BaseModel, ValidationError

from activities.failures import as_failure

CANARY = "Canary Q. Applicant"


class Form(BaseModel):
    country: int


def _unexpected() -> list[Exception]:
    """Exceptions that quote what an applicant told us, as drivers and models raise them."""
    quoting: list[Exception] = [RuntimeError(f"DETAIL: Key (name)=({CANARY}) already exists")]
    try:
        Form.model_validate({"country": CANARY})
    except ValidationError as error:
        quoting.append(error)
    try:
        raise LookupError("no row") from quoting[0]
    except LookupError as error:
        quoting.append(error)
    return quoting


@pytest.mark.parametrize("error", _unexpected(), ids=lambda error: type(error).__name__)
def test_a_defect_is_logged_and_told_without_what_it_says(
    written: io.StringIO, error: Exception
) -> None:
    with structlog.testing.capture_logs() as ours:
        failure = as_failure(error)
    assert CANARY not in str(ours), "also before anything is redacted"
    as_failure(error)
    line = json.loads(written.getvalue())
    assert line["error"] == failure.type == type(error).__name__
    assert line["at"][0] == type(error).__name__
    assert CANARY not in written.getvalue() + str(failure)


def test_the_places_of_a_defect_are_told() -> None:
    with structlog.testing.capture_logs() as ours:
        as_failure(_unexpected()[-1])
    (line,) = ours
    assert line["at"][0] == "LookupError"
    assert line["at"][1].startswith(f"  {__file__}:")
    assert "RuntimeError" in line["at"]
