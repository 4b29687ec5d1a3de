"""Whatever is wrong with a request, the answer says what and how to go on, and repeats nothing."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from structlog.testing import capture_logs

from gateway.bodies import API_LIMIT
from gateway.door import WEBHOOK_LIMIT
from tests.house import API_KEYS, FORM, House
from tests.integration.gateway.conftest import Gateway, problem

HEADERS = {"Idempotency-Key": "k", "Content-Type": "application/json"}


async def raw(gateway: Gateway, content: Any, **headers: str) -> httpx.Response:
    return await gateway.service.send(
        "POST", "/v1/onboardings", content=content, headers=HEADERS | headers
    )


async def asked(house: House) -> int:
    """How many requests were taken up."""
    [row] = await house.rows("SELECT count(*) FROM api_requests")
    return int(row["count"])


async def test_malformed_json(gateway: Gateway, house: House) -> None:
    for body in (b"{", b"\xff\xfe{}", b'{"name": }', b"nonsense"):
        problem(await raw(gateway, body), 400, "malformed-json")
    assert await asked(house) == 0


async def test_json_that_is_no_form(gateway: Gateway, house: House) -> None:
    for body in (b"", b"null", b"[]", b'"text"', b"7"):
        problem(await raw(gateway, body), 422, "invalid")
    assert await asked(house) == 0


BAD_FIELDS: list[tuple[str, Any]] = [
    ("nickname", "secret-value"),
    ("name", "secret\x00value"),
    ("name", "\ud800 secret-value"),
    ("email", "secret-value"),
    ("country", "secret-value"),
    ("currency", "secret-value"),
    ("kind", "secret-value"),
    ("tax_id", {"type": "secret-value", "value": "1"}),
]


async def test_a_bad_field_is_named_and_its_value_is_nowhere(
    gateway: Gateway, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as lines:
        for field, value in BAD_FIELDS:
            answer = await raw(gateway, json.dumps(FORM | {field: value}).encode())
            told = problem(answer, 422, "invalid")
            assert told["errors"][0]["field"].split(".")[0] == field
            assert "secret" not in answer.text
    assert len(lines) == len(BAD_FIELDS)
    assert "secret" not in str(lines) + caplog.text
    assert await asked(house) == 0


async def test_every_bad_field_is_named_at_once(gateway: Gateway) -> None:
    told = problem(await raw(gateway, json.dumps({"email": "x", "a": 1}).encode()), 422, "invalid")
    fields = {error["field"] for error in told["errors"]}
    assert fields == {"kind", "name", "email", "country", "currency", "a"}


async def test_a_key_is_required(gateway: Gateway) -> None:
    answer = await gateway.service.post("/v1/onboardings", FORM)
    told = problem(answer, 400, "key-missing")
    assert told["errors"] == [{"field": "Idempotency-Key", "message": "is missing"}]
    assert "Idempotency-Key" in told["detail"]


async def test_a_key_is_short_and_printable(gateway: Gateway) -> None:
    for key in ("", " ", "k" * 256, "schl\xfcssel", "a\tb"):
        headers = {"Idempotency-Key": key.encode("latin-1")}
        answer = await gateway.service.send("POST", "/v1/onboardings", json=FORM, headers=headers)
        told = problem(answer, 400, "key-invalid")
        assert told["errors"][0]["field"] == "Idempotency-Key"


async def test_of_two_keys_none_is_meant(gateway: Gateway) -> None:
    headers = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
    headers.append(("Authorization", f"Bearer {API_KEYS['service']}"))
    answer = await gateway.http.post("/v1/onboardings", json=FORM, headers=headers)
    told = problem(answer, 400, "key-invalid")
    assert told["errors"] == [{"field": "Idempotency-Key", "message": "is there several times"}]


async def test_the_longest_key_is_taken(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        assert (await gateway.service.sign_up(str(uuid4()).ljust(255, "k"))).status_code == 201


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1024 + 1):
        yield b" " * 1024


async def test_a_body_over_the_limit_is_refused_announced_or_not(
    gateway: Gateway, house: House
) -> None:
    problem(await raw(gateway, b" " * (API_LIMIT + 1)), 413, "too-large")
    problem(await raw(gateway, chunks(API_LIMIT)), 413, "too-large")
    lying = await raw(gateway, chunks(API_LIMIT), **{"Content-Length": "10"})
    problem(lying, 413, "too-large")
    assert await asked(house) == 0


async def test_who_sends_far_too_much_over_the_wire_is_told_so(reached: Gateway) -> None:
    """Hanging up at once would break the connection of a sender that has not come to its end."""
    for path in ("/webhooks/stripe", "/v1/onboardings"):
        content = b" " * (8 * 1024 * 1024)
        headers = {"Authorization": f"Bearer {API_KEYS['service']}"}
        headers |= {"Content-Type": "application/json"}
        problem(await reached.http.post(path, content=content, headers=headers), 413, "too-large")
        chunked = await reached.http.post(path, content=chunks(4 * WEBHOOK_LIMIT), headers=headers)
        problem(chunked, 413, "too-large")


async def test_only_plain_json_is_taken(gateway: Gateway, house: House) -> None:
    form = json.dumps(FORM).encode()
    for type_ in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = await raw(gateway, form, **{"Content-Type": type_})
        problem(answer, 415, "unsupported-media-type")
    packed = await raw(gateway, form, **{"Content-Encoding": "gzip"})
    problem(packed, 415, "unsupported-media-type")
    assert await asked(house) == 0


async def test_unknown_paths_ids_and_methods(gateway: Gateway) -> None:
    problem(await gateway.service.get("/v1/nothing"), 404, "not-found")
    problem(await gateway.http.get("/nothing"), 404, "not-found")
    for unknown in ("a" * 26, "A" * 26, "x", "a" * 300, "%00"):
        problem(await gateway.service.get(f"/v1/onboardings/{unknown}"), 404, "not-found")
    refused = await gateway.service.send("DELETE", "/v1/onboardings")
    problem(refused, 405, "method-not-allowed")
    assert "GET" in refused.headers["allow"]


async def test_strangers_and_wrong_roles(gateway: Gateway) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
        answer = await gateway.http.get("/v1/onboardings", headers=headers)
        problem(answer, 401, "not-recognised")
        assert answer.headers["www-authenticate"] == "Bearer"
    any_id = "a" * 26
    resolution = {"workflow_id": f"onboarding/acme/{any_id}", "action": "retry", "reason": "r"}
    for answer in (
        await gateway.service.get("/v1/attention"),
        await gateway.service.post("/v1/attention/resolve", resolution),
        await gateway.service.post(f"/v1/onboardings/{any_id}/corrections", {"country": "DE"}),
        await gateway.service.get("/v1/requests", workflow_id="x"),
        await gateway.service.get("/v1/requests/show", key="x"),
        await gateway.operator.post("/v1/requests/reopen", {"key": "x", "reason": "r"}),
    ):
        problem(answer, 403, "role-missing")


async def test_parameters_are_as_strict_as_bodies(gateway: Gateway) -> None:
    for name, value in {
        "stage": "nowhere",
        "limit": "101",
        "created_from": "yesterday",
        "created_before": "2026-01-31T00:00:00",
        "cursor": "nonsense",
        "tenant": "Not A Tenant",
    }.items():
        told = problem(
            await gateway.operator.get("/v1/onboardings", **{name: value}), 422, "invalid"
        )
        assert told["errors"][0]["field"].split(".")[0] == name
    for name, value in {"owner": "' OR 1=1", "step": "x'y", "cursor": "nonsense"}.items():
        told = problem(await gateway.operator.get("/v1/attention", **{name: value}), 422, "invalid")
        assert told["errors"][0]["field"] == name


async def test_request_ids_are_taken_over_or_made(gateway: Gateway) -> None:
    given = await gateway.http.get("/healthz", headers={"X-Request-Id": "abc-123"})
    assert given.headers["x-request-id"] == "abc-123"
    for bad in ("", "a b", "x" * 200, "-x"):
        made = await gateway.http.get("/healthz", headers={"X-Request-Id": bad})
        assert len(made.headers["x-request-id"]) == 32


async def test_a_defect_is_answered_and_logged_without_what_it_says(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("ada@example.com")

    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("gateway.onboardings.onboardings.many", broken)
    with capture_logs() as lines:
        problem(await gateway.service.get("/v1/onboardings"), 500, "defect")
    (defect,) = [line for line in lines if line["event"] == "defect"]
    assert defect["error"] == "RuntimeError"
    assert "broken" in str(defect["at"])
    assert "ada@example.com" not in str(lines) + caplog.text


async def test_a_reason_that_cannot_be_stored_is_refused_at_the_door(gateway: Gateway) -> None:
    id_ = (await gateway.service.sign_up()).json()["id"]
    body = {"reason": "bye\u0000"}
    answer = await gateway.service.post(f"/v1/onboardings/{id_}/withdraw", body)
    assert answer.status_code == 422, answer.text
