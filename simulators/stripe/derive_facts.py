"""Derive `facts.json` from Stripe's OpenAPI: python -m simulators.stripe.derive_facts FILE

Only what the simulator serves is kept, names, types and enums without prose, in an order that does
not depend on the source: the operations of `SERVED`, and every object that their answers reach.
A resource that is reached but not simulated (a customer's subscriptions) becomes `absent`, and so
does what is in `LEFT_OUT`: an answer that has one is wrong.

A fact is written as `simulators.facts` says. Parameters have more beside it: "max" (length),
"blank" (the empty string unsets).
"""

import argparse
import json
from pathlib import Path
from typing import Any, TypeAlias

from simulators.facts import section

Schema: TypeAlias = dict[str, Any]  # Any: OpenAPI, as Stripe writes it
Fact: TypeAlias = str | dict[str, Any]  # Any: facts within facts

FACTS = Path(__file__).with_name("facts.json")
FORM = "application/x-www-form-urlencoded"
UNLIMITED = 5000  # what the source says where there is no real limit
SERVED = (
    "/v1/balance",
    "/v1/balance_transactions",
    "/v1/balance_transactions/{id}",
    "/v1/charges",
    "/v1/charges/{charge}",
    "/v1/charges/{charge}/capture",
    "/v1/customers",
    "/v1/customers/search",
    "/v1/customers/{customer}",
    "/v1/customers/{customer}/tax_ids",
    "/v1/customers/{customer}/tax_ids/{id}",
    "/v1/disputes",
    "/v1/disputes/{dispute}",
    "/v1/disputes/{dispute}/close",
    "/v1/events",
    "/v1/events/{id}",
    "/v1/files",
    "/v1/files/{file}",
    "/v1/identity/verification_sessions",
    "/v1/identity/verification_sessions/{session}",
    "/v1/identity/verification_sessions/{session}/cancel",
    "/v1/identity/verification_sessions/{session}/redact",
    "/v1/payment_intents",
    "/v1/payment_intents/{intent}",
    "/v1/payment_intents/{intent}/cancel",
    "/v1/payment_intents/{intent}/capture",
    "/v1/payment_intents/{intent}/confirm",
    "/v1/payouts",
    "/v1/payouts/{payout}",
    "/v1/payouts/{payout}/cancel",
    "/v1/refunds",
    "/v1/refunds/{refund}",
    "/v1/reporting/report_runs",
    "/v1/reporting/report_runs/{report_run}",
    "/v1/reporting/report_types",
    "/v1/reporting/report_types/{report_type}",
    "/v1/tax_ids",
    "/v1/tax_ids/{id}",
    "/v1/webhook_endpoints",
    "/v1/webhook_endpoints/{webhook_endpoint}",
)
SIMULATED = frozenset(
    {
        "balance",
        "balance_transaction",
        "charge",
        "customer",
        "deleted_customer",
        "deleted_tax_id",
        "deleted_webhook_endpoint",
        "dispute",
        "event",
        "file",
        "identity.verification_session",
        "payment_intent",
        "payout",
        "refund",
        "reporting.report_run",
        "reporting.report_type",
        "tax_id",
        "webhook_endpoint",
    }
)
# Neither resources nor simulated: what payments by other means than cards have, and what is done
# with a payment besides taking it.
LEFT_OUT = frozenset(
    {
        "charge_transfer_data",
        "payment_flows_amount_details",
        "payment_flows_amount_details_client",
        "payment_flows_payment_details",
        "payment_flows_payment_intent_async_workflows",
        "payment_intent_next_action",
        "payment_intent_payment_method_options",
        "payment_intent_processing",
        "radar_radar_options",
        "refund_next_action",
        "smor_resource_managed_payments",
        "transfer_data",
    }
)
BY_CARD_ALONE = frozenset(
    {"dispute_payment_method_details", "payment_method_details", "refund_destination_details"}
)
LEFT_OUT_PARAMETERS = frozenset({"payment_method_data", "payment_method_options"})


class Derivation:
    """Collects the objects that the operations reach."""

    def __init__(self, api: Schema) -> None:
        self._schemas: dict[str, Schema] = api["components"]["schemas"]
        self._paths: dict[str, dict[str, Schema]] = api["paths"]
        self.objects: dict[str, Fact] = {}
        self.operations: dict[str, Schema] = {}

    def run(self) -> None:
        """Go through every operation that is served."""
        self.fact({"$ref": "error"})
        for path in SERVED:
            for method, operation in self._paths[path].items():
                if method == "post" and FORM not in operation["requestBody"]["content"]:
                    continue  # an upload, which nothing here needs
                self.operations[f"{method.upper()} {path}"] = self._operation(method, operation)

    def _operation(self, method: str, operation: Schema) -> Schema:
        fields: dict[str, Fact] = {}
        required: list[str] = []
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query":
                fields[parameter["name"]] = self.fact(parameter["schema"])
                if parameter["required"]:
                    required.append(parameter["name"])
        if method == "post":
            body = operation["requestBody"]["content"][FORM]["schema"]
            fields |= {
                name: {"absent": True} if name in LEFT_OUT_PARAMETERS else self.fact(schema)
                for name, schema in body["properties"].items()
            }
            required += body.get("required", ())
        answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
        return {
            "parameters": {"fields": fields, "required": sorted(required)},
            "answer": self.fact(answer),
        }

    def fact(self, schema: Schema) -> Fact:
        """The fact that a schema states."""
        if "anyOf" in schema:
            fact = self._union(schema["anyOf"])
        elif "$ref" in schema:
            fact = self._reference(schema["$ref"].rsplit("/", 1)[-1])
        elif "enum" in schema:
            fact = self._enumeration(schema["enum"])
        elif schema["type"] == "array":
            fact = {"list": self.fact(schema["items"])}
        elif "properties" in schema:
            fact = self._fields(schema)
        elif schema["type"] == "object":
            of = schema.get("additionalProperties", True)
            fact = {"map": "anything" if of is True else self.fact({**of, "maxLength": UNLIMITED})}
        elif schema.get("maxLength", UNLIMITED) < UNLIMITED:
            fact = {"type": schema["type"], "max": schema["maxLength"]}
        else:
            fact = schema["type"]
        if schema.get("nullable"):
            fact = {**_spelt_out(fact), "nullable": True}
        return fact

    def _union(self, members: list[Schema]) -> Fact:
        blank = any(member.get("enum") == [""] for member in members)
        facts = [self.fact(member) for member in members if member.get("enum") != [""]]
        simulated = [fact for fact in facts if fact != {"absent": True}] or [{"absent": True}]
        fact = simulated[0] if len(simulated) == 1 else {"any": simulated}
        return {**_spelt_out(fact), "blank": True} if blank else fact

    def _reference(self, name: str) -> Fact:
        schema = self._schemas[name]
        is_resource = "enum" in schema["properties"].get("object", {})
        if name in LEFT_OUT or (is_resource and name not in SIMULATED):
            return {"absent": True}
        if name not in self.objects:
            self.objects[name] = {}  # known from now on: schemas may reach themselves
            self.objects[name] = self._fields(_by_card(schema) if name in BY_CARD_ALONE else schema)
        return {"ref": name}

    def _enumeration(self, values: list[Any]) -> Fact:
        named = [value for value in values if value != ""]
        return {"enum": named, "blank": True} if "" in values else {"enum": named}

    def _fields(self, schema: Schema) -> Fact:
        fields = {name: self.fact(part) for name, part in schema["properties"].items()}
        return {"fields": fields, "required": sorted(schema.get("required", ()))}


def _by_card(schema: Schema) -> Schema:
    """How something was paid, where it can only be by card."""
    fields = {name: schema["properties"][name] for name in ("card", "type")}
    return {**schema, "properties": fields}


def _spelt_out(fact: Fact) -> dict[str, Any]:
    return {"type": fact} if isinstance(fact, str) else fact


def derive(api: Schema) -> str:
    """The text of `facts.json`: one line for each object and operation."""
    derivation = Derivation(api)
    derivation.run()
    lines = [
        f'"version": {json.dumps(api["info"]["version"])}',
        f'"objects": {section(derivation.objects)}',
        f'"operations": {section(derivation.operations)}',
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Write `facts.json` beside this file."""
    parser = argparse.ArgumentParser(description="Derive facts.json from Stripe's OpenAPI.")
    parser.add_argument("openapi_file", type=Path)
    api = json.loads(parser.parse_args().openapi_file.read_text())
    FACTS.write_text(derive(api))


if __name__ == "__main__":
    main()
