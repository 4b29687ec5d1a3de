"""The language in which field facts are written, and how they become validators that read JSON.

A fact is one of: "string", "integer", "number", "boolean", "time", "anything"; {"type"}; {"enum"};
{"ref"}; {"list"}; {"map"}; {"any"}; {"fields", "required"}; {"absent"}. Beside it: "nullable".
Unknown fields are wrong, and no type is taken for another.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from pydantic_core import CoreSchema, SchemaValidator, ValidationError, core_schema

Fact: TypeAlias = str | dict[str, Any]  # Any: facts within facts

SCALARS: dict[str, CoreSchema] = {
    "string": core_schema.str_schema(strict=True),
    "integer": core_schema.int_schema(strict=True),
    "number": core_schema.float_schema(strict=True),
    "boolean": core_schema.bool_schema(strict=True),
    "time": core_schema.datetime_schema(tz_constraint="aware"),
    "anything": core_schema.any_schema(),
}


class Violation(Exception):
    """What the real system could not have sent; the text says where it is wrong."""


def check(validator: SchemaValidator, name: str, body: str) -> None:
    """Raise `Violation` unless the JSON is what the validator's fact says."""
    try:
        validator.validate_json(body)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, part['loc']))}: {part['msg']}"
            for part in error.errors(include_url=False, include_input=False)
        )
        raise Violation(f"{name}: {wrong}") from None


def validator(schema: CoreSchema, definitions: list[CoreSchema]) -> SchemaValidator:
    """A validator whose references are to these definitions."""
    return SchemaValidator(core_schema.definitions_schema(schema, definitions))


def reference(name: str) -> CoreSchema:
    """A reference to a named object."""
    return core_schema.definition_reference_schema(name)


def schema_of(fact: Fact) -> CoreSchema:
    """The schema that a fact states."""
    if isinstance(fact, str):
        return SCALARS[fact]
    schema = _bare(fact)
    return core_schema.nullable_schema(schema) if fact.get("nullable") else schema


def object_of(
    fact: dict[str, Any],
    name: str | None = None,
    instead: Mapping[str, CoreSchema] | None = None,
) -> CoreSchema:
    """An object's schema; fields in `instead` are required and checked by that schema."""
    fields = {
        field: core_schema.typed_dict_field(schema_of(part), required=field in fact["required"])
        for field, part in fact["fields"].items()
    }
    for field, schema in (instead or {}).items():
        fields[field] = core_schema.typed_dict_field(schema, required=True)
    return core_schema.typed_dict_schema(fields, strict=True, extra_behavior="forbid", ref=name)


def _bare(fact: dict[str, Any]) -> CoreSchema:
    if "type" in fact:
        return SCALARS[fact["type"]]
    if "enum" in fact:
        return core_schema.literal_schema(fact["enum"])
    if "ref" in fact:
        return reference(fact["ref"])
    if "list" in fact:
        return core_schema.list_schema(schema_of(fact["list"]), strict=True)
    if "map" in fact:
        return core_schema.dict_schema(SCALARS["string"], schema_of(fact["map"]), strict=True)
    if "any" in fact:
        return core_schema.union_schema([schema_of(part) for part in fact["any"]])
    if "absent" in fact:
        return core_schema.none_schema()
    return object_of(fact)


def section(entries: Mapping[str, Any]) -> str:
    """A part of a file of facts: one line for each entry, in their order."""
    lines = [
        f"{json.dumps(name)}: {json.dumps(entries[name], sort_keys=True, separators=(',', ':'))}"
        for name in sorted(entries)
    ]
    return "{\n" + ",\n".join(lines) + "\n}"
