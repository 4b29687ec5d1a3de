"""The field facts catch every kind of wrong object, and let the right ones pass."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.clock import Clock
from simulators.crm import app as crm
from simulators.crm.api import ObjectsApi
from simulators.crm.conformance import Conformance as CrmConformance
from simulators.crm.derive_facts import FACTS as CRM_FACTS_FILE
from simulators.crm.errors import invalid
from simulators.crm.records import KNOWN, Records
from simulators.facts import Violation
from simulators.storage import Storage
from simulators.stripe import verification_sessions
from simulators.stripe.conformance import Conformance
from simulators.stripe.customers import blank
from simulators.stripe.derive_facts import FACTS as FACTS_FILE
from simulators.stripe.derive_facts import SERVED
from simulators.stripe.money import balance, payouts
from simulators.stripe.money.balance import Movement
from simulators.stripe.money.fees import Fee
from simulators.stripe.simulator import OPERATIONS

FACTS = Conformance.from_file()
CRM = CrmConformance.from_file()
CONTACTS = "/crm/v3/objects/contacts"
UPSERT = f"POST {CONTACTS}/batch/upsert"

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
TRANSACTION = balance.transaction_of(
    Movement("charge", "charge", 100, "eur", fees=[Fee(28, "stripe_fee", "Fee")]), "txn_1", 1
)
PAYOUT = payouts.document_of("po_1", 100, "eur", 1, automatic=True)
ERROR = {"error": {"type": "invalid_request_error", "message": "No."}}
MOMENT = "2026-01-01T00:00:00.000+00:00"
RECORD = {
    "id": "1",
    "properties": {"email": "ada@example.com"},
    "createdAt": MOMENT,
    "updatedAt": MOMENT,
    "archived": False,
}
UPSERTED = {
    "status": "COMPLETE",
    "results": [{**RECORD, "new": True}],
    "startedAt": MOMENT,
    "completedAt": MOMENT,
}
FAILED_INPUT = {
    "status": "error",
    "category": "CONFLICT",
    "message": "No.",
    "context": {"objectWriteTraceId": ["1"]},
    "errors": [],
    "links": {},
}
RIGHT: dict[str, dict[str, Any]] = {
    "customer": CUSTOMER,
    "tax_id": TAX_ID,
    "identity.verification_session": SESSION,
    "event": EVENT,
    "webhook_endpoint": ENDPOINT,
    "balance_transaction": TRANSACTION,
    "payout": PAYOUT,
    "error": ERROR,
    "deleted_customer": {"id": "cus_1", "object": "customer", "deleted": True},
    "deleted_tax_id": {"id": "txi_1", "object": "tax_id", "deleted": True},
    "deleted_webhook_endpoint": {"id": "we_1", "object": "webhook_endpoint", "deleted": True},
    "crm record": RECORD,
    "crm page": {"results": [RECORD], "paging": {"next": {"after": "1"}}},
    "crm upsert": UPSERTED,
    "crm upsert in part": {**UPSERTED, "errors": [FAILED_INPUT], "numErrors": 1},
    "crm error": json.loads(invalid("No.").body),
    "crm body to create": {"properties": {"email": "ada@example.com"}, "associations": []},
    "crm body to upsert": {"inputs": [{"id": "1", "idProperty": "email", "properties": {}}]},
}
CRM_CHECKS: dict[str, Callable[[str], None]] = {
    "crm record": partial(CRM.check_answer, f"GET {CONTACTS}/{{contactId}}", 200),
    "crm page": partial(CRM.check_answer, f"GET {CONTACTS}", 200),
    "crm upsert": partial(CRM.check_answer, UPSERT, 200),
    "crm upsert in part": partial(CRM.check_answer, UPSERT, 207),
    "crm error": CRM.check_error,
    "crm body to create": partial(CRM.check_body, f"POST {CONTACTS}"),
    "crm body to upsert": partial(CRM.check_body, UPSERT),
}
REQUIRED = {
    "error": "error",
    "crm page": "results",
    "crm upsert": "results",
    "crm upsert in part": "results",
    "crm error": "correlationId",
    "crm body to create": "properties",
    "crm body to upsert": "inputs",
}
"""A field that must be there; elsewhere it is the id."""


def check(name: str, wanted: dict[str, Any]) -> None:
    """Raise `Violation` unless the system may say (or be told) this."""
    CRM_CHECKS.get(name, partial(FACTS.check, name))(json.dumps(wanted))


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_object_passes(name: str) -> None:
    check(name, RIGHT[name])


@pytest.mark.parametrize("name", RIGHT)
def test_an_unknown_field_is_caught(name: str) -> None:
    with pytest.raises(Violation, match="moon"):
        check(name, {**RIGHT[name], "moon": 1})


@pytest.mark.parametrize("name", RIGHT)
def test_a_missing_field_is_caught(name: str) -> None:
    required = REQUIRED.get(name, "id")
    left = {field: value for field, value in RIGHT[name].items() if field != required}
    with pytest.raises(Violation, match=f"{required}: Field required"):
        check(name, left)


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
        ("balance_transaction", {"type": "lunar_adjustment"}),
        ("balance_transaction", {"net": "72"}),
        ("balance_transaction", {"exchange_rate": "1.1"}),
        ("balance_transaction", {"fee_details": [{"amount": 28, "currency": "eur"}]}),
        ("payout", {"reconciliation_status": "done"}),
        ("payout", {"trace_id": {"value": "1"}}),
        ("payout", {"amount": 1.0}),
        ("error", {"error": {"type": "grave_error"}}),
        ("deleted_customer", {"deleted": False}),
        ("crm record", {"id": 1}),
        ("crm record", {"archived": 0}),
        ("crm record", {"properties": {"email": None}}),
        ("crm record", {"createdAt": "yesterday"}),
        ("crm record", {"createdAt": "2026-01-01T00:00:00"}),
        ("crm record", {"new": True}),
        ("crm page", {"results": [RECORD, {**RECORD, "moon": 1}]}),
        ("crm page", {"paging": {"next": {"after": 1}}}),
        ("crm page", {"paging": {"next": {}}}),
        ("crm upsert", {"status": "DONE"}),
        ("crm upsert", {"results": [RECORD]}),
        ("crm upsert", {"errors": [FAILED_INPUT], "numErrors": 1}),
        ("crm upsert in part", {"errors": [{**FAILED_INPUT, "context": {"ids": "1"}}]}),
        ("crm error", {"errors": ["No."]}),
        ("crm body to create", {"properties": {"email": 1}}),
        ("crm body to create", {"associations": None}),
        ("crm body to upsert", {"inputs": [{"id": 1, "properties": {}}]}),
        ("crm body to upsert", {"inputs": [{"idProperty": "email", "properties": {}}]}),
    ],
)
def test_a_wrong_value_is_caught(name: str, change: dict[str, Any]) -> None:
    with pytest.raises(Violation):
        check(name, {**RIGHT[name], **change})


def test_each_object_of_a_list_is_checked() -> None:
    url = "/v1/customers"
    page = {"object": "list", "data": [CUSTOMER, CUSTOMER], "has_more": False, "url": url}
    FACTS.check_answer("GET /v1/customers", json.dumps(page))
    page["data"] = [CUSTOMER, {**CUSTOMER, "moon": 1}]
    with pytest.raises(Violation, match=r"data\.1\.moon"):
        FACTS.check_answer("GET /v1/customers", json.dumps(page))


def test_what_has_no_body_gets_and_gives_none() -> None:
    archive = f"DELETE {CONTACTS}/{{contactId}}"
    CRM.check_body(archive, "null")
    CRM.check_answer(archive, 204, "")
    with pytest.raises(Violation):
        CRM.check_body(archive, "{}")
    with pytest.raises(Violation):
        CRM.check_answer(archive, 204, json.dumps(RECORD))


def test_a_status_that_the_facts_do_not_name_is_an_error() -> None:
    CRM.check_answer(UPSERT, 409, invalid("No.").body)
    with pytest.raises(Violation):
        CRM.check_answer(UPSERT, 201, json.dumps(UPSERTED))


def test_every_operation_of_the_facts_is_served_and_no_other() -> None:
    facts = json.loads(FACTS_FILE.read_text())
    assert {operation.name for operation in OPERATIONS} == set(facts["operations"])
    assert {operation.path for operation in OPERATIONS} == set(SERVED)


def test_every_operation_of_the_crm_is_served_and_no_other(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "world.sqlite3")
    clock = Clock(storage)
    served = [
        f"{method} {route.path}"
        for kind in KNOWN
        for route in ObjectsApi(storage, clock, Records(storage, clock), CRM, kind).routes()
        for method in (route.methods or set()) - {"HEAD"}
    ]
    storage.close()
    assert sorted(served) == sorted(json.loads(CRM_FACTS_FILE.read_text())["operations"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CONTACTS, RIGHT["crm body to create"]),
        (
            f"{CONTACTS}/batch/upsert",
            {"inputs": [{"id": "ada@example.com", "idProperty": "email", "properties": {}}]},
        ),
    ],
)
async def test_a_wrong_answer_of_the_crm_becomes_a_500_and_is_undone(
    path: str, body: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = json.loads(CRM_FACTS_FILE.read_text())
    for name in ("SimplePublicObject", "SimplePublicUpsertObject"):
        del facts["objects"][name]["fields"]["archived"]
    narrower = CrmConformance(facts)
    monkeypatch.setattr(CrmConformance, "from_file", lambda: narrower)
    storage = Storage(tmp_path / "world.sqlite3")
    transport = httpx.ASGITransport(crm.application(storage, Clock(storage), "token"))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://crm", headers={"Authorization": "Bearer token"}
    ) as http:
        answer = await http.post(path, json=body)
        there = await http.get(CONTACTS)
    storage.close()
    assert answer.status_code == 500
    assert "archived: Extra inputs are not permitted" in answer.json()["message"]
    assert there.json() == {"results": []}


def test_what_is_not_simulated_is_what_stripe_has() -> None:
    for operation in OPERATIONS:
        fields = FACTS.parameters(operation.name)["fields"]
        assert operation.not_simulated | (operation.taken or frozenset()) <= fields.keys()
