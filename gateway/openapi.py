"""How the API describes itself: every operation says which problems it may answer with."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from gateway.problems import FieldError, ProblemDocument
from gateway.roles import in_words, takes_a_person, who_may

_DETAILS = {
    400: "The header or the body cannot be read.",
    401: "Send your API key as `Authorization: Bearer …`.",
    403: "This takes a key with the role operator or admin.",
    404: "There is no such thing, or it is another tenant's.",
    409: "It cannot be done as things are.",
    410: "The link has expired: have the mail sent again and use its link.",
    412: "It was changed since you looked. Look at it again, then decide anew.",
    413: "The body is over 65536 bytes.",
    415: "Send the body as JSON, with `Content-Type: application/json`.",
    422: "1 field cannot be used.",
    428: "Somebody else may change it, too: look at it, then send its ETag as If-Match.",
    429: "Your key may ask 50 times a second, and 100 times at once. Ask again later.",
    503: "Our database does not answer. Ask again.",
}
_CODES = {
    400: "malformed-json",
    401: "not-recognised",
    403: "role-missing",
    404: "not-found",
    409: "in-progress",
    410: "link-expired",
    412: "changed-meanwhile",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
    428: "if-match-missing",
    429: "too-many-requests",
    503: "unavailable",
}

_REQUEST_ID = "5f1c8f0e6d3b4f6fb0a6c6a1f6f0c7f1"


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation may answer with, for `responses`. Any: OpenAPI's own."""
    return {status: _described(status) for status in statuses}


def problem(
    status: int, description: str, *, code: str, detail: str
) -> dict[int | str, dict[str, Any]]:
    """A problem that is this operation's own, for `responses`. Any: OpenAPI's own."""
    return {status: _described(status, description, code=code, detail=detail)}


def answers(
    example: BaseModel, *, status: int = 200, description: str = "Done"
) -> dict[int | str, dict[str, Any]]:
    """What an operation answers when all is well, for `responses`. Any: OpenAPI's own."""
    content = {"application/json": {"example": example.model_dump(mode="json")}}
    described = {"model": type(example), "description": description, "content": content}
    return {status: described}


def _described(
    status: int,
    description: str | None = None,
    *,
    code: str | None = None,
    detail: str | None = None,
) -> dict[str, Any]:
    example = ProblemDocument(
        type=f"urn:perdure:problem:{code or _CODES[status]}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail or _DETAILS[status],
        errors=[FieldError(field="country", message="is missing")] if status == 422 else [],
        request_id=_REQUEST_ID,
    )
    content = {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "example": example.model_dump(exclude_defaults=True),
    }
    return {
        "description": description or _DETAILS[status],
        "content": {"application/problem+json": content},
    }


_WEBHOOK = {
    "tags": ["webhooks"],
    "summary": "Take in an event of Stripe",
    "operationId": "take_in_an_event_of_stripe",
    "description": "Verified by `Stripe-Signature`, kept once by its id, answered after that.",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "description": "An event, as Stripe documents it.",
                    "examples": [
                        {
                            "id": "evt_1",
                            "object": "event",
                            "type": "identity.verification_session.verified",
                            "created": 1769851800,
                            "data": {"object": {"id": "vs_1", "metadata": {}}},
                        }
                    ],
                }
            }
        },
    },
    "responses": {
        "204": {"description": "The event is in our database"},
        **{str(status): response for status, response in problems(400, 413, 503).items()},
    },
}


_LINKS = {
    name: {
        "operationRef": f"#/paths/~1v1~1onboardings~1{{id}}{path}",
        "parameters": {"id": "$response.body#/id"},
    }
    for name, path in (
        ("show", "/get"),
        ("withdraw", "~1withdraw/post"),
        ("change", "~1change/post"),
        ("correct", "~1corrections/post"),
        ("resend_confirmation", "~1resend-confirmation/post"),
    )
}
"""What can be done with an onboarding that was started."""


def operation_id(route: APIRoute) -> str:
    """What an operation is called where code is made from the description."""
    return (route.summary or route.name).lower().replace(" ", "_")


def describe(app: FastAPI) -> dict[str, Any]:
    """The description of `app`, made once. Any: OpenAPI's own."""
    if app.openapi_schema is None:
        described = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
        )
        components = described.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs", {}) | {"Problem": problem}
        components["securitySchemes"] = {"apiKey": {"type": "http", "scheme": "bearer"}}
        for path, operations in described["paths"].items():
            for method, operation in operations.items():
                _complete(operation)
                if path.startswith("/v1/"):
                    operation["security"] = [{"apiKey": []}]
                    _add_who_may(operation, method.upper(), path)
                    _add_what_the_door_says(operation["responses"], method)
        for status in ("201", "202"):
            started = described["paths"]["/v1/onboardings"]["post"]["responses"][status]
            started["links"] = _LINKS
        described["paths"]["/webhooks/stripe"] = {"post": _WEBHOOK}
        app.openapi_schema = described
    return app.openapi_schema


_REQUIRED = ("Idempotency-Key", "If-Match")
"""Headers whose absence is a problem of its own, and so no matter of FastAPI's."""


def _complete(operation: dict[str, Any]) -> None:
    """Say what FastAPI cannot know. Any: OpenAPI's own."""
    # FastAPI's own description of invalid input is not what we answer.
    operation["responses"]["422"] = _described(422)
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in _REQUIRED:
            parameter["required"] = True
        # What is left out is left out: there is no null in a query or a header.
        schema = parameter["schema"]
        kinds = [one for one in schema.pop("anyOf", ()) if one != {"type": "null"}]
        for kind in kinds:
            schema |= kind


def _add_what_the_door_says(responses: dict[str, Any], method: str) -> None:
    """What every operation of the API may answer. Any: OpenAPI's own."""
    responses["429"] = _described(429)
    if method == "get":
        responses["304"] = {"description": "Nothing changed since the answer with this ETag"}
        for status in ("200", "304"):
            responses[status]["headers"] = {
                "ETag": _header("Of this answer.", '"2-9c1f4d6a0b3e5f78"')
            }
    for status, response in responses.items():
        headers = response.setdefault("headers", {})
        headers["X-Request-Id"] = _header("Yours, or one that we made.", _REQUEST_ID)
        if status in ("429", "503"):
            headers["Retry-After"] = _header("Seconds to wait.", "1")


def _add_who_may(operation: dict[str, Any], method: str, path: str) -> None:
    """What the table of roles says. Any: OpenAPI's own."""
    whose = "a person's key" if takes_a_person(method, path) else "a key"
    said = f"This takes {whose} with the role {in_words(who_may(method, path))}."
    operation["description"] += f"\n\n{said}"
    operation["responses"]["403"] = _described(403, detail=said)


def _header(description: str, example: str) -> dict[str, Any]:
    return {
        "description": description,
        "required": True,
        "schema": {"type": "string"},
        "example": example,
    }
