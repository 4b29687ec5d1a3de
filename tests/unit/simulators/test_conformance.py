"""The field facts catch every kind of wrong object, and let the right ones pass."""

import json
from typing import Any

import pytest

from simulators.facts import Violation
from simulators.stripe import verification_sessions
from simulators.stripe.conformance import Conformance
from simulators.stripe.customers import blank
from simulators.stripe.derive_facts import FACTS as FACTS_FILE
from simulators.stripe.derive_facts import SERVED
from simulators.stripe.simulator import OPERATIONS

FACTS = Conformance.from_file()
CUSTOMER = blank("cus_1", 1)
TAX_ID = {
    "id": "txi_1",
    "object": "tax_id",
    "created": 1,
    "livemode": False,
    "type": "eu_vat",
    "value": "DE123456789",
    "owner": {"type": "customer", "customer": "cus_1"},
    "verification": {"status": "pending"},
}
SESSION = {
    "id": "vs_1",
    "object": "identity.verification_session",
    "created": 1,
    "livemode": False,
    "metadata": {},
    "status": "requires_input",
    "type": "document",
    "last_error": {"code": "abandoned", "reason": None},
    "verified_outputs": verification_sessions.NOTHING_VERIFIED,
}
EVENT = {
    "id": "evt_1",
    "object": "event",
    "api_version": None,
    "created": 1,
    "data": {"object": CUSTOMER},
    "livemode": False,
    "pending_webhooks": 0,
    "request": None,
    "type": "customer.created",
}
ENDPOINT = {
    "id": "we_1",
    "object": "webhook_endpoint",
    "created": 1,
    "enabled_events": ["*"],
    "livemode": False,
    "metadata": {},
    "status": "enabled",
    "url": "http://example.com",
}
ERROR = {"error": {"type": "invalid_request_error", "message": "No."}}
RIGHT: dict[str, dict[str, Any]] = {
    "customer": CUSTOMER,
    "tax_id": TAX_ID,
    "identity.verification_session": SESSION,
    "event": EVENT,
    "webhook_endpoint": ENDPOINT,
    "error": ERROR,
    "deleted_customer": {"id": "cus_1", "object": "customer", "deleted": True},
    "deleted_tax_id": {"id": "txi_1", "object": "tax_id", "deleted": True},
    "deleted_webhook_endpoint": {"id": "we_1", "object": "webhook_endpoint", "deleted": True},
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_object_passes(name: str) -> None:
    FACTS.check(name, json.dumps(RIGHT[name]))


@pytest.mark.parametrize("name", RIGHT)
def test_an_unknown_field_is_caught(name: str) -> None:
    with pytest.raises(Violation, match="moon"):
        FACTS.check(name, json.dumps({**RIGHT[name], "moon": 1}))


@pytest.mark.parametrize("name", RIGHT)
def test_a_missing_field_is_caught(name: str) -> None:
    required = "error" if name == "error" else "id"
    left = {field: value for field, value in RIGHT[name].items() if field != required}
    with pytest.raises(Violation, match=f"{required}: Field required"):
        FACTS.check(name, json.dumps(left))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("customer", {"created": "1"}),
        ("customer", {"created": True}),
        ("customer", {"created": 1.5}),
        ("customer", {"livemode": 0}),
        ("customer", {"livemode": None}),
        ("customer", {"tax_exempt": "maybe"}),
        ("customer", {"metadata": {"a": 1}}),
        ("customer", {"address": {"town": "Graz"}}),
        ("customer", {"preferred_locales": "de"}),
        ("customer", {"discount": {"id": "di_1"}}),
        ("customer", {"object": "tax_id"}),
        ("tax_id", {"type": "mars_vat"}),
        ("tax_id", {"owner": {"customer": "cus_1"}}),
        ("identity.verification_session", {"status": "failed"}),
        ("identity.verification_session", {"last_error": {"code": "too_tall"}}),
        ("event", {"data": {"object": {**CUSTOMER, "moon": 1}}}),
        ("event", {"data": {"object": {"id": "x", "object": "moon"}}}),
        ("event", {"data": {"object": {**TAX_ID, "object": "customer"}}}),
        ("webhook_endpoint", {"enabled_events": [1]}),
        ("error", {"error": {"type": "grave_error"}}),
        ("deleted_customer", {"deleted": False}),
    ],
)
def test_a_wrong_value_is_caught(name: str, change: dict[str, Any]) -> None:
    with pytest.raises(Violation):
        FACTS.check(name, json.dumps({**RIGHT[name], **change}))


def test_each_object_of_a_list_is_checked() -> None:
    url = "/v1/customers"
    page = {"object": "list", "data": [CUSTOMER, CUSTOMER], "has_more": False, "url": url}
    FACTS.check_answer("GET /v1/customers", json.dumps(page))
    page["data"] = [CUSTOMER, {**CUSTOMER, "moon": 1}]
    with pytest.raises(Violation, match=r"data\.1\.moon"):
        FACTS.check_answer("GET /v1/customers", json.dumps(page))


def test_every_operation_of_the_facts_is_served_and_no_other() -> None:
    facts = json.loads(FACTS_FILE.read_text())
    assert {operation.name for operation in OPERATIONS} == set(facts["operations"])
    assert {operation.path for operation in OPERATIONS} == set(SERVED)


def test_what_is_not_simulated_is_what_stripe_has() -> None:
    for operation in OPERATIONS:
        fields = FACTS.parameters(operation.name)["fields"]
        assert operation.not_simulated <= fields.keys()
