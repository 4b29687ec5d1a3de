"""Reading a decision table from its file, and saying where it is wrong."""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from activities.rules.condition import Condition, WrongCondition, read_condition
from activities.rules.inputs import Input, InputType, ListOfValues, WrongValue, meant
from activities.rules.places import Places
from activities.rules.problems import BadRules, Problem
from activities.rules.table import Outcome, OutcomeType, OutcomeValue, Row, Table, canonical
from workflows.rules import Route

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ROW_ID = re.compile(r"[a-z][a-z0-9-]*")
_ROUTES: tuple[Route, ...] = get_args(Route)
_OF_EVERY_ROW = ("id", "when", "route", "reason")
_WORDS = frozenset({"and", "or", "not", "in", "for", "if", "true", "false", "null", "inf", "nan"})
"""Names that conditions have another meaning for."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Ranged(_Strict):
    meaning: str = Field(min_length=1)
    values: list[str] = []
    minimum: int | None = None
    maximum: int | None = None

    @model_validator(mode="after")
    def _of_its_type(self) -> Self:
        kind = getattr(self, "type", "")
        if self.values and kind not in ("text", "texts"):
            raise ValueError(f"`values` are for texts; this is {kind}")
        if kind != "whole" and (self.minimum, self.maximum) != (None, None):
            raise ValueError(f"`minimum` and `maximum` are for whole numbers; this is {kind}")
        if len(set(self.values)) < len(self.values):
            raise ValueError("a value is there twice")
        return self


class _Input(_Ranged):
    type: InputType
    answered_by: str | None = Field(None, alias="from", pattern=r"^[a-z_]+\.[a-z_]+$")


class _Outcome(_Ranged):
    type: OutcomeType


class _List(_Strict):
    meaning: str = Field(min_length=1)
    values: list[str] | list[int] = Field(min_length=1)


class _File(_Strict):
    title: str = Field(min_length=1)
    inputs: dict[str, _Input] = Field(min_length=1)
    lists: dict[str, _List] = {}
    outcomes: dict[str, _Outcome] = Field(min_length=1)
    rows: list[dict[str, Any]] = Field(min_length=1)  # Any: each table has its own columns


def read_table(name: str, text: str, *, file: str) -> Table:
    """The table in a file's text. Raises BadRules with every problem there is."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRules([Problem(file, str(error))]) from error
    places = Places(text)
    try:
        shape = _File.model_validate(content)
    except ValidationError as error:
        raise BadRules(list(_of_shape(error, file, content, places))) from error
    reader = _Reader(file, shape, places)
    rows = [reader.row(number, cells) for number, cells in enumerate(shape.rows, 1)]
    reader.whole_table(shape.rows)
    if reader.problems:
        raise BadRules(reader.problems)
    return Table(
        name=name,
        title=shape.title,
        version=hashlib.sha256(canonical(content)).hexdigest()[:12],
        text=text,
        inputs=reader.inputs,
        lists=reader.lists,
        outcomes=reader.outcomes,
        rows=tuple(row for row in rows if row is not None),
    )


def _of_shape(
    error: ValidationError, file: str, content: Mapping[str, Any], places: Places
) -> Iterator[Problem]:
    for one in error.errors(include_url=False, include_input=False):
        path = [str(part) for part in one["loc"]]
        if path[:1] == ["rows"] and len(path) > 1:
            cells = content["rows"][int(path[1])]
            row = _called(int(path[1]) + 1, cells if isinstance(cells, dict) else {})
            line = places.cell(int(path[1]), *path[2:3])
            yield Problem(file, one["msg"], line, row, ".".join(path[2:]) or None)
        else:
            yield Problem(file, one["msg"], places.section(path), None, ".".join(path))


def _called(number: int, cells: Mapping[str, Any]) -> str:
    name = cells.get("id")
    return f"{number} ({name})" if isinstance(name, str) else str(number)


class _Reader:
    """Reads rows, and collects what is wrong with them."""

    def __init__(self, file: str, shape: _File, places: Places) -> None:
        self._file = file
        self._places = places
        self.problems: list[Problem] = []
        self.inputs = {
            name: Input(
                name,
                one.type,
                one.meaning,
                tuple(one.values),
                one.minimum,
                one.maximum,
                one.answered_by,
            )
            for name, one in shape.inputs.items()
        }
        self.lists = {
            name: ListOfValues(name, one.meaning, tuple(one.values))
            for name, one in shape.lists.items()
        }
        self.outcomes = {
            name: Outcome(name, one.type, one.meaning, tuple(one.values), one.minimum, one.maximum)
            for name, one in shape.outcomes.items()
        }
        self._names(shape)

    def row(self, number: int, cells: dict[str, Any]) -> Row | None:
        """A row; None where something is wrong with it."""
        before = len(self.problems)
        for column in cells:
            if column not in (*_OF_EVERY_ROW, *self.outcomes):
                columns = [*_OF_EVERY_ROW, *self.outcomes]
                self._wrong(
                    number, cells, column, f"there is no such column{meant(column, columns)}"
                )
        identifier = self._text(number, cells, "id")
        if identifier and not _ROW_ID.fullmatch(identifier):
            self._wrong(number, cells, "id", "an id is small letters, digits and hyphens")
        reason = self._text(number, cells, "reason")
        route = self._route(number, cells)
        when = self._condition(number, cells)
        outcomes: dict[str, OutcomeValue] = {}
        for name, outcome in self.outcomes.items():
            if name not in cells:
                self._wrong(number, cells, name, "it is missing: every row says every outcome")
                continue
            try:
                outcomes[name] = outcome.take(cells[name])
            except WrongValue as error:
                self._wrong(number, cells, name, str(error))
        if route is None or len(self.problems) > before:
            return None
        return Row(identifier, number, when, route, outcomes, reason)

    def whole_table(self, rows: list[dict[str, Any]]) -> None:
        """What holds for the rows together."""
        seen: dict[object, int] = {}
        for number, cells in enumerate(rows, 1):
            identifier = cells.get("id")
            if isinstance(identifier, str) and identifier in seen:
                self._wrong(number, cells, "id", f"row {seen[identifier]} has the same id")
            seen.setdefault(identifier, number)
            if number < len(rows) and "when" not in cells:
                self._wrong(
                    number,
                    cells,
                    "when",
                    "it is missing: only the last row has no condition, and catches what is left",
                )
        last = rows[-1]
        if "when" in last:
            self._wrong(
                len(rows),
                last,
                "when",
                "the last row has a condition; it must have none, so that it catches what is left",
            )
        if last.get("route") in _ROUTES and last["route"] != "review":
            self._wrong(
                len(rows),
                last,
                "route",
                "the last row sends to review: what nobody thought of is neither approved nor "
                "rejected by a rule",
            )

    def _condition(self, number: int, cells: dict[str, Any]) -> Condition | None:
        if "when" not in cells:
            return None
        text = self._text(number, cells, "when")
        if not text:
            return None
        try:
            return read_condition(text, self.inputs, self.lists)
        except WrongCondition as error:
            self._wrong(number, cells, "when", str(error), at=error.at)
            return None

    def _route(self, number: int, cells: dict[str, Any]) -> Route | None:
        for route in _ROUTES:
            if cells.get("route") == route:
                return route
        self._wrong(number, cells, "route", f"a row says where it leads: {', '.join(_ROUTES)}")
        return None

    def _text(self, number: int, cells: dict[str, Any], column: str) -> str:
        found = cells.get(column)
        if isinstance(found, str) and found.strip():
            return found
        self._wrong(number, cells, column, "it is missing, or no text")
        return ""

    def _names(self, shape: _File) -> None:
        sections: dict[str, list[str]] = {
            "inputs": list(shape.inputs),
            "lists": list(shape.lists),
            "outcomes": list(shape.outcomes),
        }
        for section, names in sections.items():
            for name in names:
                why = None
                if not _NAME.fullmatch(name) or name in _WORDS:
                    why = "a name is small letters, digits and _, and no word of conditions"
                elif section == "lists" and name in shape.inputs:
                    why = "there is an input of this name"
                elif section == "outcomes" and name in _OF_EVERY_ROW:
                    why = "every row has this column already"
                if why:
                    line = self._places.section([section, name])
                    self.problems.append(Problem(self._file, why, line, None, f"{section}.{name}"))

    def _wrong(
        self, number: int, cells: dict[str, Any], column: str, why: str, at: int | None = None
    ) -> None:
        self.problems.append(
            Problem(
                self._file,
                why,
                self._places.cell(number - 1, column),
                _called(number, cells),
                column,
                at,
            )
        )
