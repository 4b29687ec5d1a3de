"""What went wrong, told as problem+json (RFC 9457): which field, and the way out.

No value that a caller sent is ever repeated: problems end up in logs, and values may be personal.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from database.connection import DatabaseDown
from workflows.events import NotTaken

_MESSAGES = {
    "missing": "is missing",
    "extra_forbidden": "is not a field that we know: leave it out",
    "country_alpha2": "is not a country code of ISO 3166-1 alpha-2, such as DE",
    "InvalidCurrency": "is not a currency code of ISO 4217, such as EUR",
}
_LONGEST_NAME = 80


class FieldError(BaseModel):
    """What is wrong with one field, header or parameter."""

    field: str
    message: str


class ProblemDocument(BaseModel):
    """A problem as it is answered, with the content type `application/problem+json`."""

    type: str = Field(examples=["urn:perdure:problem:invalid"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["1 field cannot be used."])
    errors: list[FieldError] = Field(
        default=[],
        examples=[[{"field": "country", "message": _MESSAGES["country_alpha2"]}]],
    )
    request_id: str | None = Field(default=None, examples=["5f1c8f0e6d3b4f6fb0a6c6a1f6f0c7f1"])


class Problem(HTTPException):
    """Raise it to answer a request with a problem; `detail` tells the way out."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.code = code
        self.errors = errors


def not_found(what: str) -> Problem:
    """There is no such thing, or none that this caller may know of."""
    return Problem(404, "not-found", f"There is no such {what}, or it is another tenant's.")


def unavailable(who: str) -> Problem:
    """We cannot answer now; nothing is lost by asking again."""
    return Problem(
        503, "unavailable", f"{who} does not answer. Ask again.", headers={"Retry-After": "2"}
    )


def response_of(problem: Problem, request_id: str | None) -> Response:
    """The problem as a response."""
    document = ProblemDocument(
        type=f"urn:perdure:problem:{problem.code}",
        title=HTTPStatus(problem.status_code).phrase,
        status=problem.status_code,
        detail=problem.detail,
        errors=list(problem.errors),
        request_id=request_id,
    )
    return JSONResponse(
        document.model_dump(exclude_defaults=True),
        problem.status_code,
        headers=problem.headers,
        media_type="application/problem+json",
    )


def handle_all(app: FastAPI) -> None:
    """Have every error of `app` answered as a problem."""
    app.add_exception_handler(HTTPException, _answer)
    app.add_exception_handler(RequestValidationError, _answer)
    app.add_exception_handler(DatabaseDown, _answer)
    app.add_exception_handler(NotTaken, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    return response_of(as_problem(error), request.scope.get("request_id"))


def as_problem(error: Exception) -> Problem:
    """The problem that an exception is to a caller."""
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return _invalid(error.errors())
        case HTTPException():
            return _of_the_framework(error)
        case DatabaseDown():
            return unavailable("Our database")
        case NotTaken():
            return unavailable("Temporal, or every worker,")
        case _:
            return Problem(
                500, "defect", "A defect of ours. Tell us the request id; asking again is safe."
            )


def _of_the_framework(error: HTTPException) -> Problem:
    match error.status_code:
        case 400:  # a body that JSON itself gives up on
            return Problem(400, "malformed-json", "The body is not JSON.")
        case 404:
            return Problem(404, "not-found", "There is nothing at this path; see /openapi.json.")
        case status:
            code = HTTPStatus(status).phrase.lower().replace(" ", "-")
            return Problem(status, code, str(error.detail), headers=error.headers)


def _invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Any: pydantic's own description of what is wrong."""
    if errors and errors[0]["type"] == "json_invalid":
        return Problem(
            400,
            "malformed-json",
            f"The body is not JSON: it cannot be read at character {errors[0]['loc'][-1]}.",
        )
    fields = invalid_fields(errors)
    count = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
    return Problem(422, "invalid", f"{count} cannot be used.", errors=fields)


def invalid_fields(errors: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    """What is wrong with which field, in pydantic's words where they say it well."""
    fields = []
    for error in errors:
        loc = [str(part) for part in error["loc"]]
        name = ".".join(loc[1:]) or loc[0]
        message = _MESSAGES.get(error["type"], error["msg"].removeprefix("Value error, "))
        fields.append(FieldError(field=name[:_LONGEST_NAME], message=message))
    return fields
