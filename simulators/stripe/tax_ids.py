"""Tax ids, of customers and of the account itself."""

import json
import re

from simulators.stripe.account import Account, Call, new_id
from simulators.stripe.collection import Condition, Document
from simulators.stripe.errors import ParameterError, no_such
from simulators.stripe.operation import MOST_IN_A_PAGE, Operation, listed

OTHER_OWNERS = ("account", "application", "customer_account")
# The form of the number in each member state (Directive 2006/112/EC; XI is Northern Ireland).
EU_VAT = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-Z0-9]{2}\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}",
    "LT": r"(\d{9}|\d{12})",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": r"(\d{9}|\d{12})",
}
FORMS = {
    "au_abn": r"\d{11}",
    "br_cnpj": r"\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}",
    "ca_bn": r"\d{9}",
    "ch_vat": r"CHE-?\d{3}\.?\d{3}\.?\d{3} ?(MWST|TVA|IVA)",
    "eu_vat": "|".join(f"{state}{form}" for state, form in EU_VAT.items()),
    "gb_vat": r"GB(\d{9}|\d{12}|GD\d{3}|HA\d{3})",
    "in_gst": r"\d{2}[A-Z]{5}\d{4}[A-Z][A-Z0-9]Z[A-Z0-9]",
    "jp_cn": r"\d{13}",
    "no_vat": r"\d{9}MVA",
    "nz_gst": r"\d{8,9}",
    "us_ein": r"\d{2}-?\d{7}",
}
# Types whose numbers Stripe looks up at a register.
LOOKED_UP = frozenset({"au_abn", "eu_vat", "gb_vat"})
COUNTRIES_OF_PREFIXES = {"EL": "GR", "XI": "GB"}
STATELESS = frozenset({"eu_oss_vat", "unknown"})


def create(account: Account, call: Call) -> Document:
    """Add a tax id to a customer."""
    customer = call.path["customer"]
    return add(account, call, call.parameters["type"], call.parameters["value"], customer=customer)


def create_owned(account: Account, call: Call) -> Document:
    """Add a tax id to the account itself or, by `owner`, to a customer."""
    customer = _owner(call)
    return add(account, call, call.parameters["type"], call.parameters["value"], customer=customer)


def retrieve(account: Account, call: Call) -> Document:
    """A tax id, by its customer or by its id alone."""
    tax_id = account.tax_ids.get(call.path["id"])
    if "customer" in call.path:
        existing_customer(account, call.path["customer"])
    if tax_id is None or call.path.get("customer", tax_id["customer"]) != tax_id["customer"]:
        raise no_such("tax_id", call.path["id"])
    return tax_id


def delete(account: Account, call: Call) -> Document:
    """Remove a tax id."""
    tax_id = retrieve(account, call)
    account.tax_ids.remove(tax_id["id"])
    if tax_id["customer"] is not None:
        account.emit("customer.tax_id.deleted", tax_id, call)
    return {"id": tax_id["id"], "object": "tax_id", "deleted": True}


def list_of_customer(account: Account, call: Call) -> str:
    """A customer's tax ids, newest first."""
    customer = existing_customer(account, call.path["customer"])["id"]
    url = f"/v1/customers/{customer}/tax_ids"
    conditions = [Condition("customer = ?", (customer,))]
    return listed(account.tax_ids, call, name="tax_id", url=url, conditions=conditions)


def list_owned(account: Account, call: Call) -> str:
    """The tax ids of the account itself or of the `owner`."""
    customer = _owner(call)
    # Not `IS ?` for both: the index is used only where the value cannot be null.
    belongs = Condition("customer = ?", (customer,)) if customer else Condition("customer IS NULL")
    return listed(account.tax_ids, call, name="tax_id", url="/v1/tax_ids", conditions=[belongs])


def of_customer(account: Account, customer: Document) -> Document:
    """A customer's `tax_ids` when it is expanded."""
    page = account.tax_ids.page([Condition("customer = ?", (customer["id"],))], MOST_IN_A_PAGE)
    text = page.text(f"/v1/customers/{customer['id']}/tax_ids")
    document: Document = json.loads(text)
    return document


def add(
    account: Account, call: Call, tax_type: str, value: str, *, customer: str | None
) -> Document:
    """Add a tax id; its form is checked before anything is begun."""
    _check_form(tax_type, value)
    if customer is not None:
        existing_customer(account, customer)
    owner: Document = {"type": "self"}
    if customer is not None:
        owner = {"type": "customer", "customer": customer, "customer_account": None}
    status = "pending" if tax_type in LOOKED_UP else "unavailable"
    tax_id: Document = {
        "id": new_id("txi_1", 24),
        "object": "tax_id",
        "country": _country(tax_type, value),
        "created": account.now(),
        "customer": customer,
        "customer_account": None,
        "livemode": False,
        "owner": owner,
        "type": tax_type,
        "value": value,
        "verification": {"status": status, "verified_address": None, "verified_name": None},
    }
    account.tax_ids.add(tax_id)
    if customer is not None:
        account.emit("customer.tax_id.created", tax_id, call)
    return tax_id


def remove_all(account: Account, customer: str) -> None:
    """A customer is deleted: its tax ids go with it."""
    account.storage.run("DELETE FROM stripe_tax_ids WHERE customer = ?", (customer,))


def existing_customer(account: Account, customer_id: str, *, param: str = "customer") -> Document:
    """The customer; raises ExecutionError if it is not there or was deleted."""
    customer = account.customers.get(customer_id)
    if customer is None:
        raise no_such("customer", customer_id, param=param)
    return customer


def _owner(call: Call) -> str | None:
    """The customer that `owner` names, or None for the account itself."""
    owner = call.parameters.get("owner") or {"type": "self"}
    if owner["type"] in OTHER_OWNERS:
        raise ParameterError(f"Owners of type {owner['type']} are not simulated.", param="owner")
    if owner["type"] == "self":
        return None
    if not owner.get("customer"):
        raise ParameterError(
            "Missing required param: owner[customer].",
            code="parameter_missing",
            param="owner[customer]",
        )
    return str(owner["customer"])


def _check_form(tax_type: str, value: str) -> None:
    form = FORMS.get(tax_type)
    if form is not None and not re.fullmatch(form, value.replace(" ", "")):
        raise ParameterError(f"Invalid value for {tax_type}.", code="tax_id_invalid", param="value")


def _country(tax_type: str, value: str) -> str | None:
    if tax_type in STATELESS:
        return None
    prefix = value[:2] if tax_type == "eu_vat" else tax_type[:2].upper()
    return COUNTRIES_OF_PREFIXES.get(prefix, prefix)


OPERATIONS = (
    Operation("POST", "/v1/customers/{customer}/tax_ids", create),
    Operation("GET", "/v1/customers/{customer}/tax_ids", list_of_customer),
    Operation("GET", "/v1/customers/{customer}/tax_ids/{id}", retrieve),
    Operation("DELETE", "/v1/customers/{customer}/tax_ids/{id}", delete),
    Operation("POST", "/v1/tax_ids", create_owned),
    Operation("GET", "/v1/tax_ids", list_owned),
    Operation("GET", "/v1/tax_ids/{id}", retrieve),
    Operation("DELETE", "/v1/tax_ids/{id}", delete),
)
