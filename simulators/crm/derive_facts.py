"""Derive `facts.json` from HubSpot's OpenAPI: python -m simulators.crm.derive_facts FILE...

Only what the simulator serves is kept, names, types and enums without prose, in an order that does
not depend on the source: the operations of `SERVED`, and every object that these reach. Facts are
written as `simulators.facts` says.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from simulators.facts import section

Schema: TypeAlias = dict[str, Any]  # Any: OpenAPI, as HubSpot writes it
Fact: TypeAlias = str | dict[str, Any]  # Any: facts within facts

FACTS = Path(__file__).with_name("facts.json")
MEDIA_TYPES = ("application/json", "*/*")
SERVED = (
    ("GET", "/crm/v3/objects/companies"),
    ("POST", "/crm/v3/objects/companies"),
    ("POST", "/crm/v3/objects/companies/batch/upsert"),
    ("GET", "/crm/v3/objects/companies/{companyId}"),
    ("DELETE", "/crm/v3/objects/companies/{companyId}"),
    ("GET", "/crm/v3/objects/contacts"),
    ("POST", "/crm/v3/objects/contacts"),
    ("POST", "/crm/v3/objects/contacts/batch/upsert"),
    ("GET", "/crm/v3/objects/contacts/{contactId}"),
    ("DELETE", "/crm/v3/objects/contacts/{contactId}"),
)
BESIDE: dict[str, dict[str, Fact]] = {"Error": {"status": "string", "policyName": "string"}}
"""What answers have beside the OpenAPI: HubSpot's pages on errors and on usage limits say so."""
FORMATS = {"date-time": "time"}


class Derivation:
    """Collects the objects that the operations reach."""

    def __init__(self, apis: Iterable[Schema]) -> None:
        self._schemas: dict[str, Schema] = {}
        self._responses: dict[str, Schema] = {}
        self._paths: dict[str, dict[str, Schema]] = {}
        for api in apis:
            self._schemas |= api["components"]["schemas"]
            self._responses |= api["components"]["responses"]
            self._paths |= api["paths"]
        self.objects: dict[str, Fact] = {}
        self.operations: dict[str, Schema] = {}

    def run(self) -> None:
        """Go through every operation that is served."""
        for method, path in SERVED:
            self.operations[f"{method} {path}"] = self._operation(self._paths[path][method.lower()])

    def _operation(self, operation: Schema) -> Schema:
        query = [each for each in operation["parameters"] if each["in"] == "query"]
        return {
            "query": {
                "fields": {each["name"]: self.fact(each["schema"]) for each in query},
                "required": sorted(each["name"] for each in query if each["required"]),
            },
            "body": self._content(operation.get("requestBody", {})),
            "answers": {
                status: self._content(self._resolved(answer))
                for status, answer in operation["responses"].items()
            },
        }

    def _resolved(self, answer: Schema) -> Schema:
        return self._responses[_name(answer)] if "$ref" in answer else answer

    def _content(self, holder: Schema) -> Fact:
        contents = holder.get("content", {})
        found = [contents[each]["schema"] for each in MEDIA_TYPES if each in contents]
        return self.fact(found[0]) if found else {"absent": True}

    def fact(self, schema: Schema) -> Fact:
        """The fact that a schema states."""
        if "$ref" in schema:
            name = _name(schema)
            if name not in self.objects:
                self.objects[name] = {}  # known from now on: schemas may reach themselves
                self.objects[name] = self._fields(self._schemas[name], BESIDE.get(name, {}))
            return {"ref": name}
        if "enum" in schema:
            return {"enum": schema["enum"]}
        if schema["type"] == "array":
            return {"list": self.fact(schema["items"])}
        if "properties" in schema:
            return self._fields(schema, {})
        if schema["type"] == "object":
            return {"map": self.fact(schema["additionalProperties"])}
        kind: str = schema["type"]
        return FORMATS.get(schema.get("format", ""), kind)

    def _fields(self, schema: Schema, beside: dict[str, Fact]) -> dict[str, Any]:
        fields = {name: self.fact(part) for name, part in schema["properties"].items()}
        return {"fields": fields | beside, "required": sorted(schema.get("required", ()))}


def _name(schema: Schema) -> str:
    name: str = schema["$ref"].rsplit("/", 1)[-1]
    return name


def derive(apis: Iterable[Schema]) -> str:
    """The text of `facts.json`: one line for each object and operation."""
    derivation = Derivation(apis)
    derivation.run()
    objects, operations = section(derivation.objects), section(derivation.operations)
    return f'{{\n"objects": {objects},\n"operations": {operations}\n}}\n'


def main() -> None:
    """Write `facts.json` beside this file."""
    parser = argparse.ArgumentParser(description="Derive facts.json from HubSpot's OpenAPI.")
    parser.add_argument("openapi_files", type=Path, nargs="+")
    apis = [json.loads(file.read_text()) for file in parser.parse_args().openapi_files]
    FACTS.write_text(derive(apis))


if __name__ == "__main__":
    main()
