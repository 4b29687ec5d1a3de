"""Nothing comes in or goes out that HubSpot's field facts do not allow.

A wrong request is refused as HubSpot would; a wrong answer is a defect of the simulator.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulators.facts import check, object_of, reference, schema_of, validator

FACTS = Path(__file__).with_name("facts.json")
OTHERWISE = "default"


class Conformance:
    """The compiled facts."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        definitions = [object_of(fact, name) for name, fact in facts["objects"].items()]
        self._bodies = {
            name: validator(schema_of(operation["body"]), definitions)
            for name, operation in facts["operations"].items()
        }
        self._answers = {
            (name, status): validator(schema_of(fact), definitions)
            for name, operation in facts["operations"].items()
            for status, fact in operation["answers"].items()
        }
        self._error = validator(reference("Error"), definitions)
        self._queries: dict[str, frozenset[str]] = {
            name: frozenset(operation["query"]["fields"])
            for name, operation in facts["operations"].items()
        }

    @classmethod
    def from_file(cls, path: Path = FACTS) -> "Conformance":
        """Compile the facts of a file."""
        return cls(json.loads(path.read_text()))

    def query(self, operation: str) -> frozenset[str]:
        """The names of the query parameters that an operation takes."""
        return self._queries[operation]

    def check_body(self, operation: str, body: str) -> None:
        """Raise `Violation` unless the operation may be asked with this."""
        check(self._bodies[operation], operation, body)

    def check_answer(self, operation: str, status: int, body: str) -> None:
        """Raise `Violation` unless the operation may answer this; an empty body is `null`."""
        answer = self._answers.get((operation, str(status)), self._answers[operation, OTHERWISE])
        check(answer, f"{operation} {status}", body or "null")

    def check_error(self, body: str) -> None:
        """Raise `Violation` unless this is an error as every operation may answer it."""
        check(self._error, "error", body)
