"""Looking through every case of a table: gaps, overlaps, rows that are never reached.

Conditions compare inputs with values, so all that matters of an input is which of its comparisons
hold. Values for which the same ones hold are one class; one sample of each, from every combination,
is every case there is. For whole numbers the samples lie on and next to each value compared with.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from activities.rules.condition import Both, Comparison, Formula, Not, Says, comparisons
from activities.rules.inputs import Input, Value
from activities.rules.table import Table
from workflows.rules import Route

MOST_CASES = 200_000
"""What can be looked through in seconds; a table with more is better split."""

_MANY = 8
_STRICTER: tuple[Route, ...] = ("go_on", "review", "reject")
_OTHER = "any other text"

Case = tuple[int, ...]
"""One class of each input, by number."""
Box = tuple[frozenset[int], ...]
"""Cases side by side: some classes of each input."""


class TooManyCases(Exception):
    """The inputs have too many combinations to look through."""


@dataclass(frozen=True)
class ValueClass:
    """Values of an input that no condition tells apart; of whole numbers, from where to where."""

    label: str
    sample: Value
    holding: frozenset[Says]
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True)
class Unreachable:
    """A row that never decides; `taken_by` are the rows above that take its cases."""

    row: str
    taken_by: tuple[str, ...]


@dataclass(frozen=True)
class Overlap:
    """Two rows that hold for the same cases and say different things. The upper one decides.

    `softer`: it is the more lenient one, as where an approval stands above a refusal. That may be
    meant, or the rows are in the wrong order.
    """

    row: str
    below: str
    softer: bool
    cases: int
    example: Mapping[str, str]


@dataclass(frozen=True)
class Coverage:
    """What there is to say of a table; `gaps` are cases that only the last row catches."""

    table: str
    cases: int
    gaps: tuple[Mapping[str, str], ...]
    overlaps: tuple[Overlap, ...]
    unreachable: tuple[Unreachable, ...]


def coverage(table: Table) -> Coverage:
    """Look through every case. Raises TooManyCases."""
    classes = value_classes(table)
    count = math.prod(map(len, classes.values()))
    if count > MOST_CASES:
        sizes = ", ".join(f"{name}: {len(one)}" for name, one in classes.items())
        raise TooManyCases(
            f"{table.name} has {count} cases ({sizes}), more than the {MOST_CASES} that are "
            "looked through; split the table"
        )
    rows = [(row, _compiled(row.when.formula, classes)) for row in table.rows if row.when]
    gaps: list[Case] = []
    decides: set[str] = set()
    taken: dict[str, set[str]] = defaultdict(set)
    pairs: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in itertools.product(*(range(len(one)) for one in classes.values())):
        holding = [row for row, condition in rows if condition(case)]
        if not holding:
            gaps.append(case)
            continue
        first = holding[0]
        decides.add(first.id)
        for below in holding[1:]:
            taken[below.id].add(first.id)
            if below.answer != first.answer:
                pairs[first.id, below.id].append(case)
    order = {row.id: row.number for row in table.rows}
    strictness = {row.id: _STRICTER.index(row.route) for row in table.rows}
    return Coverage(
        table=table.name,
        cases=count,
        gaps=tuple(_told(box, classes) for box in _boxes(gaps)),
        overlaps=tuple(
            Overlap(
                row,
                below,
                softer=strictness[row] < strictness[below],
                cases=len(cases),
                example=_told(_boxes(cases)[0], classes),
            )
            for (row, below), cases in sorted(
                pairs.items(), key=lambda pair: (order[pair[0][0]], order[pair[0][1]])
            )
        ),
        unreachable=tuple(
            Unreachable(row.id, tuple(sorted(taken[row.id], key=order.__getitem__)))
            for row, _ in rows
            if row.id not in decides
        ),
    )


def value_classes(table: Table) -> dict[str, list[ValueClass]]:
    """The classes of each input: together they are every value that it may have."""
    compared: dict[str, list[Comparison]] = {name: [] for name in table.inputs}
    for row in table.rows:
        for one in comparisons(row.when.formula) if row.when else ():
            compared[one.input.name].append(one)
    return {name: _classes(table, table.inputs[name], one) for name, one in compared.items()}


def _classes(table: Table, of: Input, compared: Sequence[Comparison]) -> list[ValueClass]:
    lists = {name: one.values for name, one in table.lists.items()}

    def holding(sample: Value) -> frozenset[Says]:
        facts = {**lists, of.name: sample}
        return frozenset(one.says for one in compared if one.holds(facts))

    literals = {value for one in compared for value in one.values}
    if of.type == "whole":
        return _ranges(of, [value for value in literals if isinstance(value, int)], holding)
    samples: Sequence[Value]
    if of.type == "yes_no":
        samples = (True, False)
    else:
        texts = {value for value in literals if isinstance(value, str)}
        other = _OTHER
        while other in texts:
            other += " "
        samples = of.finite or (*sorted(texts), other)
    alike: dict[frozenset[Says], list[Value]] = defaultdict(list)
    for sample in samples:
        alike[holding(sample)].append(sample)
    return [ValueClass(_label(ones, samples), ones[0], held) for held, ones in alike.items()]


def _label(values: Sequence[Value], every: Sequence[Value]) -> str:
    if values in ([True], [False]):
        return "yes" if values[0] else "no"
    others = [value for value in every if value not in values]
    if len(others) <= _MANY < len(values):
        return f"all but {', '.join(map(str, others))}" if others else "any"
    more = len(values) - _MANY
    few = " | ".join(str(value) for value in values[:_MANY])
    return f"{few} | {more} more" if more > 0 else few


def _ranges(
    of: Input, literals: Sequence[int], holding: Callable[[Value], frozenset[Says]]
) -> list[ValueClass]:
    """Ranges of whole numbers, in order."""
    around = {at for value in literals for at in (value - 1, value, value + 1)}
    ends = {end for end in (of.minimum, of.maximum) if end is not None}
    samples = [
        at
        for at in sorted(around | ends or {0})
        if (of.minimum is None or at >= of.minimum) and (of.maximum is None or at <= of.maximum)
    ]
    starts: list[tuple[int, frozenset[Says]]] = []
    for at in samples:
        held = holding(at)
        if not starts or starts[-1][1] != held:
            starts.append((at, held))
    found = []
    for number, (start, held) in enumerate(starts):
        first = of.minimum if number == 0 else start
        last = starts[number + 1][0] - 1 if number + 1 < len(starts) else of.maximum
        found.append(ValueClass(_range(first, last), start, held, first, last))
    return found


def _range(first: int | None, last: int | None) -> str:
    if first is None:
        return "any" if last is None else f"{last} or less"
    if last is None:
        return f"{first} or more"
    return str(first) if first == last else f"{first} to {last}"


def _compiled(
    formula: Formula, classes: Mapping[str, Sequence[ValueClass]]
) -> Callable[[Case], bool]:
    """A formula that looks at the numbers of classes only: a case costs a microsecond."""
    match formula:
        case Comparison():
            at = list(classes).index(formula.input.name)
            held = [formula.says in one.holding for one in classes[formula.input.name]]
            return lambda case: held[case[at]]
        case Not(of):
            inner = _compiled(of, classes)
            return lambda case: not inner(case)
        case Both(word, first, second):
            left, right = _compiled(first, classes), _compiled(second, classes)
            if word == "and":
                return lambda case: left(case) and right(case)
            return lambda case: left(case) or right(case)


def _boxes(cases: Sequence[Case]) -> list[Box]:
    """The same cases put together where they differ in one input only; the largest first."""
    boxes: list[Box] = [tuple(frozenset({one}) for one in case) for case in cases]
    if not boxes:
        return []
    for at in range(len(boxes[0])):
        joined: dict[Box, frozenset[int]] = defaultdict(frozenset)
        for box in boxes:
            joined[box[:at] + box[at + 1 :]] |= box[at]
        boxes = [(*rest[:at], classes, *rest[at:]) for rest, classes in joined.items()]
    return sorted(boxes, key=lambda box: -math.prod(map(len, box)))


def _told(box: Box, classes: Mapping[str, Sequence[ValueClass]]) -> dict[str, str]:
    """A box in words, without the inputs that may be anything."""
    return {
        name: _words([one[number] for number in sorted(chosen)])
        for (name, one), chosen in zip(classes.items(), box, strict=True)
        if len(chosen) < len(one)
    }


def _words(chosen: Sequence[ValueClass]) -> str:
    """Classes in words; ranges that follow each other are one."""
    labels: list[str] = []
    before: ValueClass | None = None
    first: int | None = None
    for one in chosen:
        if before is not None and before.last is not None and one.first == before.last + 1:
            labels[-1] = _range(first, one.last)
        else:
            first = one.first
            labels.append(one.label)
        before = one
    return " | ".join(labels)
