"""The condition of a row: what it may say, what it says, and whether it holds.

Conditions are `rule-engine` expressions of a small kind: an input compared with values, joined by
`and`, `or`, `not` and parentheses. So each one ends, tells the same whenever it is asked, and can
be looked through case by case. Whatever else the language has is refused before it is parsed,
since parsing already computes: a regular expression over a plain text may run for hours.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from rule_engine import Context, DataType, Rule, ast
from rule_engine.errors import EngineError, RuleSyntaxError

from activities.rules.inputs import Input, ListOfValues, Value, WrongValue, meant, shown

LONGEST = 1_000
"""Characters of a condition: it is to be read by people, and parsed without end of nesting."""

_ALLOWED = frozenset(
    "SYMBOL STRING FLOAT TRUE FALSE AND OR NOT IN EQ NE GT GE LT LE LPAREN RPAREN LBRACKET "
    "RBRACKET COMMA SUB".split()
)
_REGEX = frozenset({"EQ_FZM", "EQ_FZS", "NE_FZM", "NE_FZS"})
_SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_TYPES = {
    "text": DataType.STRING,
    "country": DataType.STRING,
    "yes_no": DataType.BOOLEAN,
    "whole": DataType.FLOAT,
}


class WrongCondition(ValueError):
    """A condition says what it may not say. `at` is the place of the character, from 1."""

    def __init__(self, at: int | None, why: str) -> None:
        super().__init__(why)
        self.at = at


Says = tuple[str, str, tuple[Value, ...]]
"""Input, sign and values."""


@dataclass(frozen=True)
class Comparison:
    """One input compared with values: what a condition is made of.

    `named` is the list that the values stand under; `node` is rule-engine's.
    """

    input: Input
    sign: str
    values: tuple[Value, ...]
    named: str | None
    node: ast.ExpressionBase

    @property
    def says(self) -> Says:
        """What two comparisons have in common that always come to the same."""
        return self.input.name, self.sign, self.values

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether it holds; `facts` has the lists, too."""
        return bool(self.node.evaluate(facts))

    def __str__(self) -> str:
        if self.sign == "is":
            return self.input.name
        values = self.values if self.sign == "in" else self.values[0]
        return f"{self.input.name} {self.sign} {self.named or shown(values)}"


@dataclass(frozen=True)
class Not:
    """The contrary of a formula."""

    of: "Formula"


@dataclass(frozen=True)
class Both:
    """Two formulas joined by `and` or `or`."""

    word: Literal["and", "or"]
    left: "Formula"
    right: "Formula"


Formula = Comparison | Not | Both


def holds(formula: Formula, comparison_holds: Callable[[Comparison], bool]) -> bool:
    """Whether a formula holds, given which of its comparisons do."""
    match formula:
        case Comparison():
            return comparison_holds(formula)
        case Not(of):
            return not holds(of, comparison_holds)
        case Both("and", left, right):
            return holds(left, comparison_holds) and holds(right, comparison_holds)
        case Both(_, left, right):
            return holds(left, comparison_holds) or holds(right, comparison_holds)


def comparisons(formula: Formula) -> Iterator[Comparison]:
    """The comparisons of a formula, from left to right."""
    match formula:
        case Comparison():
            yield formula
        case Not(of):
            yield from comparisons(of)
        case Both(_, left, right):
            yield from comparisons(left)
            yield from comparisons(right)


@dataclass(frozen=True)
class Condition:
    """A condition that was found in order."""

    text: str
    formula: Formula
    rule: Rule

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether it holds; `facts` has every input and every list."""
        return bool(self.rule.matches(facts))


def read_condition(
    text: str, inputs: Mapping[str, Input], lists: Mapping[str, ListOfValues]
) -> Condition:
    """Read a condition. Raises WrongCondition where it is not one that a table may have."""
    if len(text) > LONGEST:
        raise WrongCondition(None, f"it is longer than {LONGEST} characters: make it several rows")
    symbols = _symbols(text, {**inputs, **lists})
    places = iter([at for at, name in symbols if name in inputs])
    types = {one.name: _TYPES[one.type] for one in inputs.values()}
    try:
        # First without types: what is wrong with them we can say more clearly, and where.
        untyped = Rule(text, context=Context())
        formula = _Reader(inputs, lists, places).formula(untyped.statement.expression)
        arrays = {name: DataType.ARRAY(_type_of(one)) for name, one in lists.items()}
        rule = Rule(text, context=Context(type_resolver={**types, **arrays}))
    except RuleSyntaxError as error:
        raise WrongCondition(_place(error), "it cannot be read here") from error
    except EngineError as error:
        raise WrongCondition(None, f"{error.message or type(error).__name__}") from error
    except RecursionError as error:
        raise WrongCondition(None, "it is nested too deeply") from error
    return Condition(text=text, formula=formula, rule=rule)


def _type_of(one: ListOfValues) -> Any:  # Any: rule-engine ships no types
    return DataType.FLOAT if isinstance(one.values[0], int) else DataType.STRING


def _place(error: RuleSyntaxError) -> int | None:
    return None if error.token is None else error.token.lexpos + 1


def _symbols(text: str, known: Mapping[str, object]) -> list[tuple[int, str]]:
    """The names in a condition with their places. Refuses every word and sign it may not have."""
    lexer = Rule.parser._lexer.clone()  # the language's own; it has no public door
    lexer.lineno = 1
    lexer.input(text)
    found = []
    try:
        tokens = list(lexer)
    except RuleSyntaxError as error:
        at = _place(error)
        raise WrongCondition(at, "there is a character that no condition has") from error
    for number, token in enumerate(tokens):
        at, word = token.lexpos + 1, str(token.value)
        if token.type in _REGEX:
            raise WrongCondition(
                at, f"regular expressions ({word}) may run without end: list the values instead"
            )
        if word.startswith("$"):
            raise WrongCondition(
                at,
                f"{word} is not an input: what a clock or chance says would make the same case "
                "come out differently",
            )
        if token.type not in _ALLOWED:
            raise WrongCondition(
                at,
                f"{word} has no place here: compare inputs with values (== != < <= > >= in), and "
                "join them by and, or, not and parentheses",
            )
        if token.type != "SYMBOL":
            continue
        if number + 1 < len(tokens) and tokens[number + 1].type == "LPAREN":
            raise WrongCondition(at, f"{word} is used as a function: there are none")
        if word not in known:
            raise WrongCondition(
                at, f"there is no input or list {word}{meant(word, known) or _those(known)}"
            )
        found.append((at, word))
    return found


def _those(known: Mapping[str, object]) -> str:
    return f"; there are {', '.join(known)}"


class _Reader:
    """Turns rule-engine's tree into ours, and refuses what is not one of our comparisons."""

    def __init__(
        self,
        inputs: Mapping[str, Input],
        lists: Mapping[str, ListOfValues],
        places: Iterator[int],
    ) -> None:
        self._inputs = inputs
        self._lists = lists
        self._places = places
        self._at: int | None = None

    def formula(self, node: ast.ExpressionBase) -> Formula:
        match node:
            case ast.LogicExpression(type="and" | "or" as word, left=left, right=right):
                return Both(word, self.formula(left), self.formula(right))
            case ast.UnaryExpression(type="not", right=right):
                return Not(self.formula(right))
            case ast.SymbolExpression():
                found = self._input(node)
                if found.type != "yes_no":
                    raise self._wrong(
                        f"{found.name} is not yes or no by itself: compare it with something"
                    )
                return Comparison(found, "is", (True,), None, node)
            case ast.ContainsExpression(container=container, member=member):
                found = self._input(member)
                values, named = self._several(container)
                self._check(found, "in", values)
                return Comparison(found, "in", values, named, node)
            case ast.ComparisonExpression(type=kind, left=left, right=right):
                return self._comparison(node, _SIGNS[kind], left, right)
            case _:
                raise WrongCondition(None, "a part of it depends on no input, or is no comparison")

    def _comparison(
        self, node: ast.ExpressionBase, sign: str, left: ast.ExpressionBase, right: Any
    ) -> Comparison:
        if not isinstance(left, ast.SymbolExpression):
            left, right, sign = right, left, _TURNED[sign]
        found = self._input(left)
        value = self._literal(found, right)
        self._check(found, sign, (value,))
        return Comparison(found, sign, (value,), None, node)

    def _input(self, node: ast.ExpressionBase) -> Input:
        if not isinstance(node, ast.SymbolExpression):
            raise self._wrong("a comparison has one input on one side and values on the other")
        if node.name not in self._inputs:
            raise self._wrong(f"{node.name} is a list: write `input in {node.name}`")
        self._at = next(self._places)
        return self._inputs[node.name]

    def _literal(self, compared: Input, node: ast.ExpressionBase) -> Value:
        match node:
            case ast.StringExpression() | ast.BooleanExpression() | ast.FloatExpression():
                return self._plain(node.evaluate(None))
            case ast.SymbolExpression() if node.name in self._lists:
                raise self._wrong(f"{node.name} is a list: write `{compared.name} in {node.name}`")
            case _:
                raise self._wrong(
                    f"{compared.name} is compared with something that is not a plain value: two "
                    "inputs are compared by whoever gives them, as an input of its own"
                )

    def _several(self, node: ast.ExpressionBase) -> tuple[tuple[Value, ...], str | None]:
        match node:
            case ast.SymbolExpression() if node.name in self._lists:
                return self._lists[node.name].values, node.name
            case ast.ArrayExpression() if node.is_reduced and node.value:
                return tuple(self._plain(one) for one in node.evaluate(None)), None
            case _:
                raise self._wrong("after `in` there is a list of values, as ['a', 'b'], or a name")

    def _plain(self, value: Any) -> Value:
        if isinstance(value, Decimal):
            if value != value.to_integral_value():
                raise self._wrong(f"{value} is not a whole number")
            return int(value)
        if isinstance(value, str | bool):
            return value
        raise self._wrong(f"{value} is neither a text nor a number nor yes or no")

    def _check(self, compared: Input, sign: str, values: tuple[Value, ...]) -> None:
        if compared.type != "whole" and sign in ("<", "<=", ">", ">="):
            raise self._wrong(f"{compared.name} has no more or less: {sign} is for whole numbers")
        for value in values:
            try:
                compared.take(value)
            except WrongValue as error:
                raise self._wrong(str(error)) from error

    def _wrong(self, why: str) -> WrongCondition:
        return WrongCondition(self._at, why)
