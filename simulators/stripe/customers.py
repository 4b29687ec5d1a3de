"""Customers."""

import json
import re
from typing import Any

from simulators.stripe import metadata, tax_ids
from simulators.stripe.account import Account, Call, changed, new_id
from simulators.stripe.collection import Document
from simulators.stripe.errors import ParameterError, no_such
from simulators.stripe.operation import Expand, Operation, equal_to, listed, page_size

EMAIL = re.compile(r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$")
TEXTS = ("description", "email", "name", "phone", "business_name", "individual_name")
PLAIN = ("balance", "invoice_prefix", "next_invoice_sequence", "preferred_locales")
NESTED = ("address", "shipping", "invoice_settings")
ADDRESS_FIELDS = ("city", "country", "line1", "line2", "postal_code", "state")
# How a customer pays and is taxed is not simulated.
NOT_AT_CREATION = frozenset({"cash_balance", "payment_method", "source", "tax", "test_clock"})
NOT_IN_AN_UPDATE = frozenset(
    {
        "bank_account",
        "card",
        "cash_balance",
        "default_alipay_account",
        "default_bank_account",
        "default_card",
        "default_source",
        "source",
        "tax",
    }
)


def blank(customer_id: str, created: int) -> Document:
    """A customer of whom nothing is known."""
    return {
        "id": customer_id,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": created,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": customer_id[-8:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def create(account: Account, call: Call) -> Document:
    """Create a customer, with tax ids if any are given."""
    document = _with(blank(new_id("cus_"), account.now()), call)
    account.search_lag.note(document["id"], before=None)
    account.customers.add(document)
    account.emit("customer.created", document, call)
    for tax_id in call.parameters.get("tax_id_data", ()):
        tax_ids.add(account, call, tax_id["type"], tax_id["value"], customer=document["id"])
    return document


def retrieve(account: Account, call: Call) -> Document:
    """A customer; of a deleted one only that it was deleted."""
    customer_id = call.path["customer"]
    found = account.customers.find(customer_id)
    if found is None:
        raise no_such("customer", customer_id)
    return found


def update(account: Account, call: Call) -> Document:
    """Change what is given; an empty string unsets."""
    before = tax_ids.existing_customer(account, call.path["customer"], param="id")
    after = _with(before, call)
    previous = changed(before, after)
    if previous:
        account.search_lag.note(after["id"], before)
        account.customers.replace(after)
        account.emit("customer.updated", after, call, previous)
    return after


def delete(account: Account, call: Call) -> Document:
    """Delete a customer and its tax ids for good."""
    customer = tax_ids.existing_customer(account, call.path["customer"], param="id")
    gone = {"id": customer["id"], "object": "customer", "deleted": True}
    account.search_lag.note(customer["id"], customer)
    account.customers.replace(gone)
    tax_ids.remove_all(account, customer["id"])
    account.emit("customer.deleted", customer, call)
    return gone


def list_all(account: Account, call: Call) -> str:
    """Customers, newest first; `email` is compared exactly."""
    conditions = equal_to(call, "email")
    return listed(
        account.customers, call, name="customer", url="/v1/customers", conditions=conditions
    )


def search(account: Account, call: Call) -> str:
    """Customers as search sees them, which is behind: never to be asked right after a write."""
    documents, next_page = account.search_lag.find(
        account.customers, call.parameters["query"], page_size(call), call.parameters.get("page")
    )
    return (
        f'{{"object":"search_result","data":[{",".join(documents)}],'
        f'"has_more":{json.dumps(next_page is not None)},'
        f'"next_page":{json.dumps(next_page)},"url":"/v1/customers/search"}}'
    )


def _with(customer: Document, call: Call) -> Document:
    """The customer with what the call sets."""
    given = call.parameters
    after = dict(customer)
    if given.get("email") is not None and not EMAIL.match(given["email"]):
        raise ParameterError("Invalid email address.", code="email_invalid", param="email")
    for name in (*TEXTS, *PLAIN):
        if name in given:
            after[name] = given[name]
    for name in ("business_name", "individual_name"):
        if after.get(name, "") is None:
            del after[name]  # the facts have these as set or absent
    for name in NESTED:
        if name in given:
            after[name] = _merged(name, after[name], given[name])
    if "tax_exempt" in given:
        after["tax_exempt"] = given["tax_exempt"] or "none"
    if "metadata" in given:
        after["metadata"] = metadata.merged(customer["metadata"], given["metadata"])
    return after


def _merged(name: str, before: Any, given: Any) -> Any:
    """An address or another nested object: what is given over what was."""
    if given is None:
        return None
    unset: Document = {}
    if name == "address":
        unset = dict.fromkeys(ADDRESS_FIELDS)
    elif name == "shipping":
        unset = dict.fromkeys(("carrier", "phone", "tracking_number"))
        given = {**given, "address": dict.fromkeys(ADDRESS_FIELDS) | given["address"]}
    return {**unset, **(before or {}), **given}


def _list_of(url: str) -> Expand:
    """A list that is always empty, since what it would hold is not simulated."""

    def expand(_: Account, customer: Document) -> Document:
        path = f"/v1/customers/{customer['id']}/{url}"
        return {"object": "list", "data": [], "has_more": False, "url": path}

    return expand


EXPANDABLE: dict[str, Expand] = {
    "sources": _list_of("sources"),
    "subscriptions": _list_of("subscriptions"),
    "tax_ids": tax_ids.of_customer,
}
OPERATIONS = (
    Operation("POST", "/v1/customers", create, EXPANDABLE, NOT_AT_CREATION),
    Operation("GET", "/v1/customers", list_all, EXPANDABLE, frozenset({"test_clock"})),
    Operation("GET", "/v1/customers/search", search, EXPANDABLE),
    Operation("GET", "/v1/customers/{customer}", retrieve, EXPANDABLE),
    Operation("POST", "/v1/customers/{customer}", update, EXPANDABLE, NOT_IN_AN_UPDATE),
    Operation("DELETE", "/v1/customers/{customer}", delete),
)
