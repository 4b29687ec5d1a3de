"""The tables of a folder: read once, when a worker starts, and asked ever since."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from activities.rules.inputs import Input, InputType
from activities.rules.places import Places
from activities.rules.problems import BadRules, Problem
from activities.rules.reading import read_table
from activities.rules.table import Outcome, Row, Table, inputs_hash
from workflows.rules import Answered, AskedWith, Country, Facts, Question, RuleVersions, Ruling

NOT_TABLES = frozenset({"policy.toml", "reconciliation.toml", "statement_columns.toml"})
"""What lies in the folder, too, and is read by others."""

_SAID_BY_EVERY_ROW = frozenset(Ruling.model_fields)


class RuleBook:
    """Tables by name, in the order that they are asked."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self.tables: Mapping[str, Table] = {table.name: table for table in tables}

    @property
    def versions(self) -> RuleVersions:
        """The version of each table."""
        return {name: table.version for name, table in self.tables.items()}

    def answer(self, question: Question[AskedWith, Answered], facts: AskedWith) -> Answered:
        """What the rules say. The same facts bring the same answer for as long as this lives."""
        return answer(self.tables[question.table], question, facts)


def answer(table: Table, question: Question[AskedWith, Answered], facts: AskedWith) -> Answered:
    """What a table says to a question that it fits. Raises WrongFacts."""
    told = told_to(table, facts)
    return question.answer.model_validate(ruling(table, table.decide(told), told))


def told_to(table: Table, facts: Facts) -> dict[str, Any]:
    """What a table is told of the facts: one of earlier days may ask for fewer. Any: JSON."""
    return facts.model_dump(mode="json", include=set(table.inputs))


def ruling(table: Table, row: Row, told: Mapping[str, Any]) -> dict[str, Any]:
    """A row's answer with what it rests on, as a `Ruling` has it."""
    return {
        "table": table.name,
        "version": table.version,
        "row": row.id,
        "reason": row.reason,
        "inputs_hash": inputs_hash(table.facts(told)),
        **row.answer,
    }


def load_rules(folder: Path, questions: Iterable[Question[Any, Any]]) -> RuleBook:
    """Read every table of a folder. Raises BadRules with every problem of every table.

    They are asked in the order of `questions`: what one says the next may be told.
    Each question has to have its table, and each table its question: a file that nobody asks would
    otherwise be taken for a rule that holds.
    """
    asked = {question.table: question for question in questions}
    problems = [
        Problem(str(file), f"no process asks this table; they ask {', '.join(asked)}")
        for file in sorted(folder.glob("*.toml"))
        if file.name not in NOT_TABLES and file.stem not in asked
    ]
    tables: list[Table] = []
    for question in asked.values():
        file = folder / f"{question.table}.toml"
        try:
            table = read_for(question, file.read_text(), file=str(file))
            problems += _answered_by_none(str(file), table, tables)
            tables.append(table)
        except BadRules as error:
            problems += error.problems
        except FileNotFoundError:
            problems.append(Problem(str(file), "it is missing: a process asks this table"))
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(str(file), str(error)))
    if problems:
        raise BadRules(problems)
    return RuleBook(tables)


def read_for(question: Question[Any, Any], text: str, *, file: str, past: bool = False) -> Table:
    """The table of a question from its text. Raises BadRules, also where it does not fit.

    A table of the past may lack inputs, outcomes and values that were added since: it is asked as
    it was, and an outcome that it does not know has its default.
    """
    table = read_table(question.table, text, file=file)
    problems = [
        *_against(file, text, "inputs", _inputs_of(question.facts), table.inputs, past=past),
        *_against(file, text, "outcomes", _outcomes_of(question.answer), table.outcomes, past=past),
    ]
    if not problems:
        problems = list(_answers_that_do_not_fit(file, table, question.answer))
    if problems:
        raise BadRules(problems)
    return table


Kind = tuple[InputType | Literal["texts"], frozenset[str]]
"""A type, and the texts that it may be."""


def _against(
    file: str,
    text: str,
    section: str,
    wanted: Mapping[str, Kind],
    declared: Mapping[str, Input] | Mapping[str, Outcome],
    *,
    past: bool,
) -> list[Problem]:
    """Where what a table declares is not what processes give it, or take from it."""
    problems = []
    for name in (*wanted, *(name for name in declared if name not in wanted)):
        if name not in declared:
            if past:
                continue
            why = f"it is missing: processes have {name}"
        elif name not in wanted:
            why = f"processes know nothing of it; they have {', '.join(wanted)}"
        elif declared[name].type != wanted[name][0]:
            why = f"for processes it is {wanted[name][0]}, not {declared[name].type}"
        elif not _fits(frozenset(declared[name].values), wanted[name][1], past=past):
            why = f"for processes its values are {', '.join(sorted(wanted[name][1]))}"
        else:
            continue
        line = Places(text).section([section, name])
        problems.append(Problem(file, why, line, column=f"{section}.{name}"))
    return problems


def _fits(declared: frozenset[str], wanted: frozenset[str], *, past: bool) -> bool:
    return declared == wanted or (past and bool(declared) and declared < wanted)


def _answers_that_do_not_fit(file: str, table: Table, answer: type[Ruling]) -> Iterator[Problem]:
    for row in table.rows:
        try:
            answer.model_validate(
                dict.fromkeys(("table", "version", "reason", "row", "inputs_hash"), "") | row.answer
            )
        except ValidationError as error:
            for one in error.errors(include_url=False, include_input=False):
                column = str(one["loc"][0])
                line = Places(table.text).cell(row.number - 1, column)
                yield Problem(file, one["msg"], line, f"{row.number} ({row.id})", column)


def _answered_by_none(file: str, table: Table, before: Sequence[Table]) -> Iterator[Problem]:
    """Inputs that are said to come from a table which does not say them, or is asked later."""
    said = {f"{one.name}.{name}" for one in before for name in ("route", *one.outcomes)}
    for one in table.inputs.values():
        if one.answered_by is not None and one.answered_by not in said:
            why = f"no table that is asked before this one says {one.answered_by}"
            line = Places(table.text).section(["inputs", one.name])
            yield Problem(file, why, line, column=f"inputs.{one.name}.from")


def _inputs_of(facts: type[Facts]) -> dict[str, Kind]:
    return {name: _kind(field) for name, field in facts.model_fields.items()}


def _outcomes_of(answer: type[Ruling]) -> dict[str, Kind]:
    fields = answer.model_fields.items()
    return {name: _kind(field) for name, field in fields if name not in _SAID_BY_EVERY_ROW}


_COUNTRY = get_args(Country)[1].metadata


def _kind(field: FieldInfo) -> Kind:
    """What a field of a message is called in tables."""
    annotation = field.annotation
    if annotation is bool:
        return "yes_no", frozenset()
    if annotation is int:
        return "whole", frozenset()
    if get_origin(annotation) is Literal:
        return "text", frozenset(get_args(annotation))
    if get_origin(annotation) is tuple:
        return "texts", frozenset(get_args(get_args(annotation)[0]))
    if annotation is str:
        return ("country" if field.metadata == _COUNTRY else "text"), frozenset()
    raise TypeError(f"tables have no type for {annotation}")
