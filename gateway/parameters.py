"""What is asked for in a query, as strict as a body: nothing is passed over in silence."""

from typing import Annotated, Any

from fastapi import Query, Request

from gateway.forms import Time
from gateway.problems import FieldError, Problem
from workflows.reconciliation.opening import Day

Cursor = Annotated[
    str | None,
    Query(
        max_length=4000,
        description="`next` of the page before, as it is.",
        json_schema_extra={"pattern": "^[A-Za-z0-9_-]+$"},
    ),
]
Limit = Annotated[int, Query(ge=1, le=100, description="How many to a page, at most.")]
OnDay = Annotated[Day | None, Query(description="At the end of this day; else the latest.")]
KnownAt = Annotated[
    Time | None, Query(description="As it was known at this time; else as it is known now.")
]

_UNKNOWN = "is not a parameter that we know: leave it out"
_REPEATED = "is given more than once"


async def only_known(request: Request) -> None:
    """Raises Problem (422) for parameters that the API's description does not name."""
    given = request.query_params
    if not given:
        return
    path, method = request.scope["route"].path, request.method.lower()
    operation = request.app.openapi()["paths"][path][method]
    known = {one["name"]: one for one in operation.get("parameters", ()) if one["in"] == "query"}
    errors = [
        FieldError(field=name[:80], message=_REPEATED if name in known else _UNKNOWN)
        for name in given
        if name not in known or (len(given.getlist(name)) > 1 and not _repeatable(known[name]))
    ]
    if errors:
        count = "1 parameter" if len(errors) == 1 else f"{len(errors)} parameters"
        raise Problem(422, "invalid", f"{count} cannot be used.", errors=errors)


def _repeatable(parameter: dict[str, Any]) -> bool:
    """Any: OpenAPI's own."""
    return bool(parameter["schema"].get("type") == "array")
