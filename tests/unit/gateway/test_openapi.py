"""The API describes itself so that somebody can use it without asking us."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.actors import Signer
from gateway.app import create_app
from gateway.applicants import ApplicantTokens
from gateway.callers import Callers
from gateway.options import GatewayOptions
from gateway.rates import Rates
from workflows.onboarding.confirmation_link import LinkSeals

OPTIONS = GatewayOptions(
    engine=None,  # type: ignore[arg-type]  # nothing is asked of it
    client=None,  # type: ignore[arg-type]
    callers=Callers([]),
    signer=Signer("k1", Ed25519PrivateKey.generate()),
    webhook_secrets=(),
    link_seals=LinkSeals(["a secret"]),
    applicants=ApplicantTokens(["a secret"]),
    rates=Rates(per_second=50, burst=100),
    page_rates=Rates(per_second=50, burst=100, whose="address"),
    spool=None,  # type: ignore[arg-type]
    upload_limit=1024,
    statements=None,  # type: ignore[arg-type]
    statement_limit=1024,
    read_document=None,  # type: ignore[arg-type]
    calendars=frozenset(),
    materiality={"default": 0},
)
DESCRIBED = create_app(OPTIONS).openapi()
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, operations in DESCRIBED["paths"].items()
    for method, operation in operations.items()
]


def has_example(schema: dict[str, Any]) -> bool:
    """Whether a schema has an example of the whole, or one of each of its fields."""
    if reference := schema.get("$ref"):
        return has_example(DESCRIBED["components"]["schemas"][reference.rsplit("/", 1)[1]])
    return bool(schema.get("examples"))


def is_a_file(content: dict[str, Any]) -> bool:
    """A file is an example of itself."""
    return bool(content["schema"].get("format") == "binary")


def test_every_operation_is_there() -> None:
    assert {name for name, _ in OPERATIONS} == {
        "POST /v1/onboardings",
        "GET /v1/onboardings",
        "GET /v1/onboardings/{id}",
        "GET /v1/onboardings/{id}/status",
        "POST /v1/onboardings/{id}/status-token",
        "POST /v1/onboardings/{id}/withdraw",
        "POST /v1/onboardings/{id}/change",
        "POST /v1/onboardings/{id}/corrections",
        "POST /v1/onboardings/{id}/appeal",
        "GET /v1/reviews/{id}/duplicates",
        "POST /v1/reviews/{id}/duplicates/{other}",
        "POST /v1/onboardings/{id}/resend-confirmation",
        "POST /v1/confirmations",
        "POST /v1/onboardings/{id}/documents",
        "GET /v1/onboardings/{id}/documents",
        "GET /v1/onboardings/{id}/documents/{document}",
        "GET /v1/onboardings/{id}/documents/{document}/content",
        "POST /v1/onboardings/{id}/documents/{document}/refusal",
        "POST /v1/onboardings/{id}/documents/{document}/acceptance",
        "GET /v1/identity-sessions",
        "GET /v1/identity-sessions/{session}",
        "POST /v1/identity-sessions/{session}/verified",
        "POST /v1/identity-sessions/{session}/failed",
        "GET /v1/reviews",
        "GET /v1/reviews/{id}",
        "POST /v1/reviews/{id}/claim",
        "POST /v1/reviews/{id}/release",
        "POST /v1/reviews/{id}/comments",
        "POST /v1/reviews/{id}/approve",
        "POST /v1/reviews/{id}/reject",
        "GET /v1/onboardings/{id}/screening",
        "POST /v1/onboardings/{id}/screening/hits/{hit}/judgement",
        "GET /v1/customers",
        "GET /v1/customers/{id}",
        "POST /v1/customers/{id}/offboard",
        "POST /v1/customers/{id}/compare",
        "POST /v1/payments",
        "GET /v1/payments",
        "GET /v1/payments/{payment}",
        "POST /v1/accounts/{account}/opening",
        "GET /v1/accounts/{account}/opening",
        "POST /v1/accounts/{account}/opening/approve",
        "POST /v1/accounts/{account}/opening/refuse",
        "POST /v1/statements",
        "GET /v1/statements",
        "GET /v1/statements/{id}",
        "POST /v1/statements/{id}/withdraw",
        "POST /v1/statements/{id}/reinstate",
        "POST /v1/accounts",
        "GET /v1/accounts",
        "GET /v1/accounts/{account}",
        "POST /v1/accounts/{account}/bank-accounts",
        "GET /v1/accounts/{account}/balances",
        "GET /v1/accounts/{account}/open",
        "GET /v1/accounts/{account}/periods",
        "POST /v1/accounts/{account}/periods/{month}/close",
        "POST /v1/accounts/{account}/periods/{month}/lock",
        "POST /v1/accounts/{account}/periods/{month}/reopen",
        "POST /v1/reconciliations",
        "POST /v1/reconciliations/range",
        "GET /v1/reconciliations",
        "POST /v1/reconciliations/shadows",
        "GET /v1/reconciliations/shadows/{account}/{day}/{name}",
        "GET /v1/reconciliations/{account}/{day}/{ordinal}",
        "POST /v1/reconciliations/{account}/{day}/{ordinal}/withdraw",
        "GET /v1/certificates/{id}",
        "GET /v1/certificates/{id}/verification",
        "GET /v1/breaks",
        "GET /v1/breaks/{id}",
        "GET /v1/matches",
        "POST /v1/matches/{id}/unmatch",
        "GET /v1/attention",
        "POST /v1/attention/resolve",
        "POST /v1/attention/retry-all",
        "GET /v1/requests",
        "GET /v1/requests/show",
        "POST /v1/requests/reopen",
        "POST /webhooks/stripe",
        "GET /healthz",
        "GET /readyz",
    }


def test_every_operation_has_a_name_that_code_can_have() -> None:
    names = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_every_operation_says_what_comes_of_it_with_examples(
    name: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert operation["description"]
    if body := operation.get("requestBody"):
        for content in body["content"].values():
            assert is_a_file(content) or has_example(content["schema"])
    for status, response in operation["responses"].items():
        for type_, content in response.get("content", {}).items():
            assert (type_ == "application/problem+json") == (int(status) >= 400)
            told = content.get("example") or is_a_file(content) or has_example(content["schema"])
            assert told, (status, type_)
    if "/v1/" in name:
        assert operation["security"] == [{"apiKey": []}]
        assert {"401", "403", "503"} <= operation["responses"].keys()


def test_every_reference_leads_somewhere() -> None:
    def references(part: Any) -> list[str]:
        match part:
            case dict():
                here = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
                return here + [one for inner in part.values() for one in references(inner)]
            case list():
                return [one for inner in part for one in references(inner)]
            case _:
                return []

    def leads_to(reference: str) -> Any:
        part: Any = DESCRIBED
        for name in reference.removeprefix("#/").split("/"):
            part = part.get(name, {})
        return part

    found = references(DESCRIBED)
    assert "#/components/schemas/Problem" in found
    assert [reference for reference in found if not leads_to(reference)] == []
