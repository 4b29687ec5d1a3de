"""How the API describes itself: every operation says which problems it may answer with."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from gateway.problems import FieldError, ProblemDocument

_DETAILS = {
    400: "The header or the body cannot be read.",
    401: "Send your API key as `Authorization: Bearer …`.",
    403: "This takes a key with the role operator or admin.",
    404: "There is no such thing, or it is another tenant's.",
    409: "It cannot be done as things are.",
    413: "The body is over 65536 bytes.",
    415: "Send the body as JSON, with `Content-Type: application/json`.",
    422: "1 field cannot be used.",
    503: "Our database does not answer. Ask again.",
}
_CODES = {
    400: "malformed-json",
    401: "not-recognised",
    403: "role-missing",
    404: "not-found",
    409: "in-progress",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
    503: "unavailable",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation may answer with, for `responses`. Any: OpenAPI's own."""
    return {status: _described(status) for status in statuses}


def answers(
    example: BaseModel, *, status: int = 200, description: str = "Done"
) -> dict[int | str, dict[str, Any]]:
    """What an operation answers when all is well, for `responses`. Any: OpenAPI's own."""
    content = {"application/json": {"example": example.model_dump(mode="json")}}
    described = {"model": type(example), "description": description, "content": content}
    return {status: described}


def _described(status: int) -> dict[str, Any]:
    example = ProblemDocument(
        type=f"urn:perdure:problem:{_CODES[status]}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=_DETAILS[status],
        errors=[FieldError(field="country", message="is missing")] if status == 422 else [],
        request_id="5f1c8f0e6d3b4f6fb0a6c6a1f6f0c7f1",
    )
    content = {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "example": example.model_dump(exclude_defaults=True),
    }
    return {
        "description": _DETAILS[status],
        "content": {"application/problem+json": content},
    }


_WEBHOOK = {
    "tags": ["webhooks"],
    "summary": "Take in an event of Stripe",
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
            for operation in operations.values():
                # FastAPI's own description of invalid input is not what we answer.
                invalid = operation["responses"].get("422", {})
                if "application/json" in invalid.get("content", {}):
                    del operation["responses"]["422"]
                if path.startswith("/v1/"):
                    operation["security"] = [{"apiKey": []}]
        described["paths"]["/webhooks/stripe"] = {"post": _WEBHOOK}
        app.openapi_schema = described
    return app.openapi_schema
