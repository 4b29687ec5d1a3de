"""What HTTP asks of every path: methods, headers, names of requests, and no more than is known."""

from __future__ import annotations

import logging

import httpx
import pytest
import structlog
from structlog.testing import LogCapture

from gateway.rates import Rates
from tests.house import API_KEYS, FORM, TENANT, House
from tests.integration.gateway.conftest import Gateway, deliver, event, gateway_of, problem
from workflows.client import PerdureClient
from workflows.onboarding.application import Application
from workflows.onboarding.messages import onboarding_id

STRANGE = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
PAGES = ("/docs", "/docs/start.js", "/docs/swagger-ui.css", "/openapi.json", "/healthz", "/v1/x")


async def test_head_is_get_without_the_body(gateway: Gateway) -> None:
    for path in ("/v1/onboardings", "/v1/attention", "/healthz", "/docs", "/openapi.json"):
        whole = await gateway.operator.send("GET", path)
        head = await gateway.operator.send("HEAD", path)
        assert (head.status_code, head.content) == (200, b""), path
        for name in ("content-length", "content-type", "etag"):
            assert head.headers.get(name) == whole.headers.get(name), name
    missing = await gateway.operator.send("HEAD", f"/v1/onboardings/{'a' * 26}")
    assert (missing.status_code, missing.content) == (404, b"")
    assert (await gateway.http.head("/v1/onboardings")).status_code == 401
    assert (await gateway.http.head("/webhooks/stripe")).status_code == 405


async def test_options_says_which_methods_a_path_takes(gateway: Gateway) -> None:
    for path, methods in {
        "/v1/onboardings": "GET, HEAD, OPTIONS, POST",
        f"/v1/onboardings/{'a' * 26}/withdraw": "OPTIONS, POST",
        "/healthz": "GET, HEAD, OPTIONS",
        "/webhooks/stripe": "OPTIONS, POST",
    }.items():
        told = await gateway.operator.send("OPTIONS", path)
        assert (told.status_code, told.headers["allow"]) == (204, methods), path
        refused = await gateway.operator.send("DELETE", path)
        problem(refused, 405, "method-not-allowed")
        assert refused.headers["allow"] == methods
    problem(await gateway.operator.send("OPTIONS", "/v1/nothing"), 404, "not-found")
    problem(await gateway.http.options("/v1/onboardings"), 401, "not-recognised")
    refused = await gateway.operator.send("PUT", "/v1/attention", content=b"x")
    problem(refused, 405, "method-not-allowed")


async def test_a_page_of_somebody_elses_may_use_nothing(gateway: Gateway) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        for path in ("/v1/onboardings", "/healthz", "/openapi.json", "/webhooks/stripe"):
            for answer in (
                await gateway.operator.send(method, path, headers=STRANGE),
                await gateway.http.request(method, path, headers=STRANGE),
            ):
                cors = [name for name in answer.headers if name.startswith("access-control-")]
                assert cors == [], (method, path)


async def test_every_answer_tells_browsers_to_be_careful(gateway: Gateway) -> None:
    for path in (*PAGES, "/v1/onboardings", "/webhooks/stripe"):
        answer = await gateway.http.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "http" not in policy, "nothing comes from elsewhere"
        assert "unsafe" not in policy.partition("script-src")[2].partition(";")[0]
    shown = await gateway.service.get("/v1/onboardings")
    assert shown.headers["cache-control"] == "private, no-cache"


async def test_unknown_and_repeated_parameters_are_named(gateway: Gateway) -> None:
    for path, params, named in (
        ("/v1/onboardings", {"stag": "active"}, {"stag"}),
        ("/v1/onboardings", {"limit": ["1", "2"]}, {"limit"}),
        ("/v1/onboardings", {"offset": "1", "page": "2"}, {"offset", "page"}),
        (f"/v1/onboardings/{'a' * 26}", {"fields": "id"}, {"fields"}),
        ("/v1/attention", {"stage": "active"}, {"stage"}),
        ("/v1/requests", {"workflow_id": "x", "state": "pending"}, {"state"}),
        ("/healthz", {"x": "1"}, {"x"}),
    ):
        told = problem(await gateway.operator.get(path, **params), 422, "invalid")
        assert {error["field"] for error in told["errors"]} == named
    strange = await gateway.admin.send("POST", "/v1/requests/reopen?dry_run=1", json={})
    problem(strange, 422, "invalid")
    several = await gateway.operator.get("/v1/onboardings", stage=["active", "aborted"])
    assert several.status_code == 200


async def test_a_request_has_one_name_in_its_answer_and_in_every_line_about_it(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "gateway.door")

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("gateway.onboardings.onboardings.many", broken)
    lines = LogCapture()
    before = structlog.get_config()["processors"]
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, lines])
    try:
        for path, headers, status in (
            ("/healthz", {}, 200),
            ("/v1/requests", {}, 401),
            ("/v1/nothing", {"Authorization": f"Bearer {API_KEYS['service']}"}, 404),
            ("/v1/attention", {"Authorization": f"Bearer {API_KEYS['service']}"}, 403),
            ("/v1/onboardings?x=1", {"Authorization": f"Bearer {API_KEYS['service']}"}, 422),
            ("/v1/onboardings", {"Authorization": f"Bearer {API_KEYS['service']}"}, 500),
        ):
            lines.entries.clear()
            name = f"request-{status}"
            answer = await gateway.http.get(path, headers={**headers, "X-Request-Id": name})
            assert answer.status_code == status
            assert answer.headers["x-request-id"] == name
            if status >= 400:
                assert answer.json()["request_id"] == name
            assert {line["request_id"] for line in lines.entries} == {name}
            assert ("defect" in {line["event"] for line in lines.entries}) == (status == 500)
    finally:
        structlog.configure(processors=before)


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key may ask five times at once, then ten times a second."""
    monkeypatch.setattr("workers.gateway.Rates", lambda **_: Rates(per_second=10, burst=5))


@pytest.mark.usefixtures("rates")
async def test_whoever_asks_too_often_is_told_when_to_come_back(house: House) -> None:
    async with gateway_of(house) as gateway:
        answers = [await gateway.service.get("/v1/nothing") for _ in range(8)]
        assert [one.status_code for one in answers[:5]] == [404] * 5
        refused = next(one for one in answers if one.status_code == 429)
        problem(refused, 429, "too-many-requests")
        assert int(refused.headers["retry-after"]) >= 1
        for answer in answers:
            assert answer.headers["ratelimit-policy"] == '"key";q=5;w=1'
            assert answer.headers["ratelimit"].startswith('"key";r=')
        assert (await gateway.operator.get("/v1/onboardings")).status_code == 200


@pytest.mark.usefixtures("rates")
async def test_webhooks_and_probes_have_no_limit(house: House) -> None:
    async with gateway_of(house) as gateway:
        for _ in range(20):
            assert (await gateway.http.get("/healthz")).status_code == 200
            told = event("customer.created", "cus_1")
            assert (await deliver(gateway, told)).status_code == 204


@pytest.mark.usefixtures("rates")
async def test_a_service_that_asks_too_often_still_gets_its_answers(house: House, key: str) -> None:
    async with house.working(max_cached_workflows=10), gateway_of(house) as gateway:
        transport = gateway.http._transport
        assert isinstance(transport, httpx.AsyncBaseTransport)
        perdure = PerdureClient("http://gateway", API_KEYS["service"], transport=transport)
        application = Application.model_validate(FORM)
        answers = [await perdure.start(application, key=key) for _ in range(12)]
    assert {answer.id for answer in answers} == {onboarding_id(TENANT, key)}
    assert await house.rows("SELECT count(*) FROM onboardings") == [{"count": 1}]
