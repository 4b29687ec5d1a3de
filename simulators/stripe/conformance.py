"""Nothing leaves the simulator that Stripe could not have said.

The field facts are compiled to validators that read JSON: required fields, types, enums, no unknown
fields. A wrong answer is a defect of the simulator and must be loud, so it becomes a 500.
"""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from pydantic_core import CoreSchema, SchemaValidator, core_schema

from simulators.facts import check, object_of, reference, schema_of, validator

FACTS = Path(__file__).with_name("facts.json")
SNAPSHOTS = (
    "balance",
    "charge",
    "customer",
    "dispute",
    "identity.verification_session",
    "payment_intent",
    "payout",
    "refund",
    "reporting.report_run",
    "tax_id",
)
# Stripe's own facts leave an event's object open; here it is one of what we simulate.
_SNAPSHOT: dict[str, CoreSchema] = {
    "object": core_schema.tagged_union_schema(
        {kind: reference(kind) for kind in SNAPSHOTS}, "object"
    )
}


class Conformance:
    """The compiled facts. `version` is the API version that they are of."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts
        self.version: str = facts["version"]
        self._definitions = [
            object_of(fact, name, _SNAPSHOT if name == "notification_event_data" else None)
            for name, fact in facts["objects"].items()
        ]
        self._objects: dict[str, SchemaValidator] = {}
        self._answers: dict[str, SchemaValidator] = {}

    @classmethod
    def from_file(cls, path: Path = FACTS) -> "Conformance":
        """Read the facts of a file; each is compiled when it is first asked for (about 2 ms)."""
        return cls(json.loads(path.read_text()))

    def parameters(self, operation: str) -> dict[str, Any]:
        """What an operation (`POST /v1/customers`) takes, as facts."""
        return cast(dict[str, Any], self._facts["operations"][operation]["parameters"])

    def check_answer(self, operation: str, body: str) -> None:
        """Raise `Violation` unless the operation may answer this with 200."""
        if operation not in self._answers:
            answer = schema_of(self._facts["operations"][operation]["answer"])
            self._answers[operation] = validator(answer, self._definitions)
        check(self._answers[operation], operation, body)

    def check(self, name: str, body: str) -> None:
        """Raise `Violation` unless the JSON is an object of this name (`event`, `error`)."""
        if name not in self._objects:
            self._objects[name] = validator(reference(name), self._definitions)
        check(self._objects[name], name, body)

    @cached_property
    def types_of_balance_transactions(self) -> frozenset[str]:
        """What a balance transaction can be."""
        return frozenset(self._facts["objects"]["balance_transaction"]["fields"]["type"]["enum"])

    @cached_property
    def last_error_codes(self) -> frozenset[str]:
        """Why an identity check can fail."""
        fields = self._facts["objects"]["gelato_session_last_error"]["fields"]
        return frozenset(fields["code"]["enum"])
