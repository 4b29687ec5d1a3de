"""Nothing leaves the simulator that Stripe could not have said.

The field facts are compiled to validators that read JSON: required fields, types, enums, no unknown
fields. A wrong answer is a defect of the simulator and must be loud, so it becomes a 500.
"""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias, cast

from pydantic_core import CoreSchema, SchemaValidator, ValidationError, core_schema

Fact: TypeAlias = str | dict[str, Any]  # Any: facts within facts

FACTS = Path(__file__).with_name("facts.json")
SNAPSHOTS = ("customer", "identity.verification_session", "tax_id")


class Violation(Exception):
    """An object that Stripe could not have sent; the text says where it is wrong."""


class Conformance:
    """The compiled facts. `version` is the API version that they are of."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts
        self.version: str = facts["version"]
        definitions = [
            _object(fact, name=name, snapshot=name == "notification_event_data")
            for name, fact in facts["objects"].items()
        ]
        self._objects = {
            name: _validator(_reference(name), definitions) for name in facts["objects"]
        }
        self._answers = {
            name: _validator(_schema(operation["answer"]), definitions)
            for name, operation in facts["operations"].items()
        }

    @classmethod
    def from_file(cls, path: Path = FACTS) -> "Conformance":
        """Compile the facts of a file (about 20 ms)."""
        return cls(json.loads(path.read_text()))

    def parameters(self, operation: str) -> dict[str, Any]:
        """What an operation (`POST /v1/customers`) takes, as facts."""
        return cast(dict[str, Any], self._facts["operations"][operation]["parameters"])

    def check_answer(self, operation: str, body: str) -> None:
        """Raise `Violation` unless the operation may answer this with 200."""
        _check(self._answers[operation], operation, body)

    def check(self, name: str, body: str) -> None:
        """Raise `Violation` unless the JSON is an object of this name (`event`, `error`)."""
        _check(self._objects[name], name, body)

    @cached_property
    def last_error_codes(self) -> frozenset[str]:
        """Why an identity check can fail."""
        fields = self._facts["objects"]["gelato_session_last_error"]["fields"]
        return frozenset(fields["code"]["enum"])


def _check(validator: SchemaValidator, name: str, body: str) -> None:
    try:
        validator.validate_json(body)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, part['loc']))}: {part['msg']}"
            for part in error.errors(include_url=False, include_input=False)
        )
        raise Violation(f"{name}: {wrong}") from None


def _validator(schema: CoreSchema, definitions: list[CoreSchema]) -> SchemaValidator:
    return SchemaValidator(core_schema.definitions_schema(schema, definitions))


def _reference(name: str) -> CoreSchema:
    return core_schema.definition_reference_schema(name)


def _schema(fact: Fact) -> CoreSchema:
    if isinstance(fact, str):
        return SCALARS[fact]
    schema = _bare(fact)
    return core_schema.nullable_schema(schema) if fact.get("nullable") else schema


def _bare(fact: dict[str, Any]) -> CoreSchema:
    if "type" in fact:
        return SCALARS[fact["type"]]
    if "enum" in fact:
        return core_schema.literal_schema(fact["enum"])
    if "ref" in fact:
        return _reference(fact["ref"])
    if "list" in fact:
        return core_schema.list_schema(_schema(fact["list"]), strict=True)
    if "map" in fact:
        return core_schema.dict_schema(SCALARS["string"], _schema(fact["map"]), strict=True)
    if "any" in fact:
        return core_schema.union_schema([_schema(part) for part in fact["any"]])
    if "absent" in fact:
        return core_schema.none_schema()
    return _object(fact)


def _object(fact: dict[str, Any], name: str | None = None, snapshot: bool = False) -> CoreSchema:
    fields = {
        field: core_schema.typed_dict_field(_schema(part), required=field in fact["required"])
        for field, part in fact["fields"].items()
    }
    if snapshot:
        # Stripe's own facts leave an event's object open; here it is one of what we simulate.
        objects = {kind: _reference(kind) for kind in SNAPSHOTS}
        schema = core_schema.tagged_union_schema(objects, "object")
        fields["object"] = core_schema.typed_dict_field(schema, required=True)
    return core_schema.typed_dict_schema(fields, strict=True, extra_behavior="forbid", ref=name)


SCALARS: dict[str, CoreSchema] = {
    "string": core_schema.str_schema(strict=True),
    "integer": core_schema.int_schema(strict=True),
    "boolean": core_schema.bool_schema(strict=True),
    "anything": core_schema.any_schema(),
}
