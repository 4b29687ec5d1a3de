"""A decision table: its rows are tried from the top, and the first that holds decides."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from activities.rules.condition import Condition, comparisons
from activities.rules.inputs import Input, ListOfValues, Value, WrongValue, meant
from workflows.rules import Route

OutcomeType = Literal["text", "yes_no", "whole", "texts"]
OutcomeValue = str | bool | int | tuple[str, ...]


class WrongFacts(ValueError):
    """A table was not told what it has to be told. The text names the input and what it takes."""


@dataclass(frozen=True)
class Outcome:
    """One thing that a table answers, besides the route."""

    name: str
    type: OutcomeType
    meaning: str
    values: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None

    def take(self, value: object) -> OutcomeValue:
        """The value, if it is one of this outcome's. Raises WrongValue."""
        if self.type == "texts":
            if not isinstance(value, list):
                raise WrongValue(f"{self.name} is a list of texts, as ['a', 'b'], or empty: []")
            one = Input(self.name, "text", self.meaning, self.values)
            return tuple(str(one.take(text)) for text in value)
        alike = Input(self.name, self.type, self.meaning, self.values, self.minimum, self.maximum)
        return alike.take(value)


@dataclass(frozen=True)
class Row:
    """A row: where its condition holds, the outcomes are these. The last row has no condition."""

    id: str
    number: int
    when: Condition | None
    route: Route
    outcomes: Mapping[str, OutcomeValue]
    reason: str

    @property
    def answer(self) -> dict[str, OutcomeValue]:
        """Route and outcomes."""
        return {"route": self.route, **self.outcomes}


@dataclass(frozen=True)
class Looked:
    """A row as it was looked at: whether it held, and what each of its comparisons came to.

    `held` is None for a row that was not looked at, because one above it decided.
    """

    row: Row
    held: bool | None
    comparisons: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True)
class Table:
    """A table that was found in order. `version` is the hash of its content, `text` its file."""

    name: str
    title: str
    version: str
    text: str
    inputs: Mapping[str, Input]
    lists: Mapping[str, ListOfValues]
    outcomes: Mapping[str, Outcome]
    rows: tuple[Row, ...]

    def facts(self, told: Mapping[str, object]) -> dict[str, Value]:
        """What the table was told, checked. Raises WrongFacts."""
        for name in told:
            if name not in self.inputs:
                raise WrongFacts(f"{self.name} has no input {name}{meant(name, self.inputs)}")
        missing = [name for name in self.inputs if name not in told]
        if missing:
            raise WrongFacts(f"{self.name} has to be told {', '.join(missing)}")
        try:
            return {name: one.take(told[name]) for name, one in self.inputs.items()}
        except WrongValue as error:
            raise WrongFacts(str(error)) from error

    def decide(self, told: Mapping[str, object]) -> Row:
        """The row that decides. Raises WrongFacts."""
        known = self._known(self.facts(told))
        return next(row for row in self.rows if row.when is None or row.when.holds(known))

    def explain(self, told: Mapping[str, object]) -> list[Looked]:
        """Every row with what it came to, the deciding one among them. Raises WrongFacts."""
        known = self._known(self.facts(told))
        looked: list[Looked] = []
        decided = False
        for row in self.rows:
            if decided:
                looked.append(Looked(row, None))
                continue
            decided = row.when is None or row.when.holds(known)
            parts = comparisons(row.when.formula) if row.when else ()
            looked.append(
                Looked(row, decided, tuple((str(part), part.holds(known)) for part in parts))
            )
        return looked

    def _known(self, facts: Mapping[str, Value]) -> dict[str, Any]:
        return {**facts, **{name: one.values for name, one in self.lists.items()}}


def inputs_hash(facts: Mapping[str, Value]) -> str:
    """SHA-256 over the sorted JSON of what a table was told."""
    return hashlib.sha256(canonical(facts)).hexdigest()


def canonical(content: object) -> bytes:
    """JSON that is the same for the same content."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()
