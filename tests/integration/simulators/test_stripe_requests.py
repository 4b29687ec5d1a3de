"""What the API refuses, and how."""

import base64
import statistics
import time
from typing import Any

import httpx
import pytest

from tests.simulated import SimulatorHandle

CUSTOMERS = "/v1/customers"


@pytest.mark.parametrize(
    ("path", "form", "code", "param"),
    [
        (CUSTOMERS, {"emial": "x"}, "parameter_unknown", "emial"),
        (CUSTOMERS, {"address[town]": "x"}, "parameter_unknown", "address[town]"),
        (CUSTOMERS, {"email": "nobody"}, "email_invalid", "email"),
        (CUSTOMERS, {"name": "x" * 257}, None, "name"),
        (CUSTOMERS, {"balance": "ten"}, "parameter_invalid_integer", "balance"),
        (CUSTOMERS, {"tax_exempt": "maybe"}, None, "tax_exempt"),
        (CUSTOMERS, {"metadata": "x"}, None, "metadata"),
        (CUSTOMERS, {"email[x]": "y"}, None, "email"),
        (CUSTOMERS, {"source": "tok_visa"}, None, "source"),
        (CUSTOMERS, {"expand[]": "moon"}, None, "expand"),
        (CUSTOMERS, {f"metadata[{'k' * 41}]": "v"}, None, f"metadata[{'k' * 40}]"),
        (CUSTOMERS, {"metadata[k]": "v" * 501}, None, "metadata[k]"),
        (CUSTOMERS, {f"metadata[k{n}]": "v" for n in range(51)}, None, "metadata"),
        ("/v1/tax_ids", {"value": "1"}, "parameter_missing", "type"),
        ("/v1/tax_ids", {"type": "eu_vat", "value": ""}, "parameter_invalid_empty", "value"),
        ("/v1/tax_ids", {"type": "mars_vat", "value": "1"}, None, "type"),
        ("/v1/webhook_endpoints", {"url": "http://x.example"}, "parameter_missing", None),
        (
            "/v1/webhook_endpoints",
            {"url": "ftp://x.example", "enabled_events[]": "*"},
            "url_invalid",
            "url",
        ),
        (
            "/v1/webhook_endpoints",
            {"url": "http://x.example", "enabled_events[]": "customer.sneezed"},
            None,
            "enabled_events[0]",
        ),
        ("/v1/identity/verification_sessions", {}, "parameter_missing", "type"),
    ],
)
async def test_a_wrong_parameter_is_named(
    http: httpx.AsyncClient, path: str, form: dict[str, str], code: str | None, param: str | None
) -> None:
    answer = await http.post(path, data=form)
    error: dict[str, Any] = answer.json()["error"]
    assert answer.status_code == 400
    assert error["type"] == "invalid_request_error"
    assert error.get("code") == code
    assert param is None or error["param"] == param


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "created[gt]=x", "starting_after=cus_none", "color=red"],
)
async def test_a_wrong_query_is_refused(http: httpx.AsyncClient, query: str) -> None:
    assert (await http.get(f"{CUSTOMERS}?{query}")).status_code == 400


async def test_every_answer_has_the_headers_of_the_api(http: httpx.AsyncClient) -> None:
    for path in (CUSTOMERS, f"{CUSTOMERS}/cus_none"):
        answer = await http.get(path)
        assert answer.headers["Request-Id"].startswith("req_")
        assert answer.headers["Stripe-Version"] == "2026-08-26.dahlia"
        assert answer.headers["Content-Type"] == "application/json"


async def test_another_version_of_the_api_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.get(CUSTOMERS, headers={"Stripe-Version": "2020-08-27"})
    assert answer.status_code == 400


async def test_only_the_right_key_is_let_in(world: SimulatorHandle) -> None:
    basic = base64.b64encode(f"{world.api_key}:".encode()).decode()
    wrong = base64.b64encode(b"sk_test_wrong:").decode()
    expected = {
        f"Bearer {world.api_key}": 200,
        f"Basic {basic}": 200,
        "Bearer sk_test_wrong": 401,
        f"Bearer {world.api_key}x": 401,
        f"Basic {wrong}": 401,
        "Basic ???": 401,
        "Bearer": 401,
        "": 401,
    }
    async with httpx.AsyncClient(base_url=world.stripe_url) as anybody:
        for authorization, status in expected.items():
            answer = await anybody.get(CUSTOMERS, headers={"Authorization": authorization})
            assert answer.status_code == status, authorization
            assert world.api_key not in answer.text


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/moons"), ("PUT", CUSTOMERS)])
async def test_what_is_not_served_is_a_404_as_stripe_says_it(
    http: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await http.request(method, path)
    assert answer.status_code == 404
    assert "Unrecognized request URL" in answer.json()["error"]["message"]


async def test_requests_on_one_connection_do_not_wait_for_each_other(
    http: httpx.AsyncClient,
) -> None:
    took = []
    for _ in range(11):
        begin = time.perf_counter()
        await http.get(CUSTOMERS)
        took.append(time.perf_counter() - begin)
    quick, *_ = statistics.quantiles(took)
    assert quick < 0.03  # 0.04 is what Nagle and a delayed ACK would add to each


async def test_json_is_not_taken_for_a_form(http: httpx.AsyncClient) -> None:
    answer = await http.post(CUSTOMERS, json={"email": "ada@example.com"})
    assert answer.status_code == 400


@pytest.mark.parametrize("email", ["ada+tag@example.com", "łucja@example.com", "岩@例え.jp"])
async def test_text_in_any_script_comes_back_as_it_was(http: httpx.AsyncClient, email: str) -> None:
    made = (await http.post(CUSTOMERS, data={"email": email, "name": "Ünï 岩 🦊"})).json()
    assert (made["email"], made["name"]) == (email, "Ünï 岩 🦊")
    found = (await http.get(CUSTOMERS, params={"email": email})).json()["data"]
    assert [customer["id"] for customer in found] == [made["id"]]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"kind": "explosion"}),
        ("faults", {"kind": "error_503", "times": 0}),
        ("faults", {"kind": "error_503", "match": {"verb": "GET"}}),
        ("clock/advance", {"seconds": -1}),
        ("webhooks", {"copies": 0}),
        ("webhooks/resume", {"order": "by_size"}),
        ("reset", {"everything": True}),
    ],
)
async def test_a_wrong_control_request_is_refused_and_says_why(
    http: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    answer = await http.post(f"/_simulator/{path}", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]
