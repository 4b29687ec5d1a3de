"""Requests: nested form parameters, read and checked by the field facts."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from simulators.facts import Fact
from simulators.stripe.errors import ParameterError

Form: TypeAlias = "dict[str, str | list[Any] | Form]"
Parameters: TypeAlias = dict[str, Any]  # Any: checked against the facts of the operation

KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
INTEGER = re.compile(r"^-?\d{1,18}$")
BOOLEANS = {"true": True, "false": False}


def nested(pairs: Iterable[tuple[str, str]]) -> Form:
    """`a[b][c]=1`, `a[]=1` and `a[0]=1` as dicts and lists; lists by index stay dicts here."""
    form: Form = {}
    for key, value in pairs:
        matched = KEY.match(key)
        if matched is None:
            raise ParameterError(f"Invalid parameter name: {key}", param=key)
        steps = [matched[1], *re.findall(r"\[([^\[\]]*)\]", matched[2])]
        _put(form, steps, value, key)
    return form


def _put(form: Form, steps: list[str], value: str, key: str) -> None:
    name, *rest = steps
    if not rest:
        form[name] = value
    elif rest == [""]:
        values = form.setdefault(name, [])
        if not isinstance(values, list):
            raise ParameterError(f"Invalid parameter: {key}", param=key)
        values.append(value)
    else:
        inner = form.setdefault(name, {})
        if not isinstance(inner, dict):
            raise ParameterError(f"Invalid parameter: {key}", param=key)
        _put(inner, rest, value, key)


def check(facts: Mapping[str, Any], form: Form, where: str = "") -> Parameters:
    """The parameters typed as the facts say; what is to be unset is None.

    Raises ParameterError for the first that is unknown, missing or wrong.
    """
    fields: Mapping[str, Fact] = facts["fields"]
    for name in form:
        if name not in fields:
            raise ParameterError(
                f"Received unknown parameter: {_named(name, where)}",
                code="parameter_unknown",
                param=_named(name, where),
            )
    for name in facts["required"]:
        if name not in form:
            raise ParameterError(
                f"Missing required param: {_named(name, where)}.",
                code="parameter_missing",
                param=_named(name, where),
            )
        if form[name] == "":
            raise ParameterError(
                f"An empty string was given for '{_named(name, where)}', which is required.",
                code="parameter_invalid_empty",
                param=_named(name, where),
            )
    return {name: _value(fields[name], raw, _named(name, where)) for name, raw in form.items()}


def _named(name: str, where: str) -> str:
    return f"{where}[{name}]" if where else name


def _value(fact: Fact, raw: Any, name: str) -> Any:
    """One value as its fact says. An empty string unsets what is a string or may be blank."""
    if isinstance(fact, str):
        fact = {"type": fact}
    if raw == "" and (fact.get("blank") or fact.get("type") == "string"):
        return None
    if "any" in fact:
        fact = _member(fact["any"], raw)
    if "fields" in fact:
        return check(fact, _mapping(raw, name), name)
    if "map" in fact:
        return {
            key: _text(value, f"{name}[{key}]", None) for key, value in _mapping(raw, name).items()
        }
    if "list" in fact:
        return [
            _value(fact["list"], part, f"{name}[{position}]")
            for position, part in enumerate(_sequence(raw, name))
        ]
    if "enum" in fact:
        if raw not in fact["enum"]:
            values = ", ".join(fact["enum"][:20])
            raise ParameterError(f"Invalid {name}: must be one of {values}", param=name)
        return raw
    return _scalar(fact, raw, name)


def _member(members: list[Fact], raw: Any) -> dict[str, Any]:
    """The member of a union that fits how the value was written."""
    spelt_out = [{"type": member} if isinstance(member, str) else member for member in members]
    return next(
        (member for member in spelt_out if isinstance(raw, dict) == ("fields" in member)),
        spelt_out[0],
    )


def _scalar(fact: dict[str, Any], raw: Any, name: str) -> str | int | bool:
    match fact["type"]:
        case "integer":
            if not isinstance(raw, str) or not INTEGER.match(raw):
                raise ParameterError(
                    f"Invalid integer: {name}", code="parameter_invalid_integer", param=name
                )
            return int(raw)
        case "boolean":
            if raw not in BOOLEANS:
                raise ParameterError(f"Invalid boolean: {name}", param=name)
            return BOOLEANS[raw]
        case _:
            return _text(raw, name, fact.get("max"))


def _text(raw: Any, name: str, longest: int | None) -> str:
    if not isinstance(raw, str):
        raise ParameterError(f"Invalid string: {name}", param=name)
    if longest is not None and len(raw) > longest:
        raise ParameterError(
            f"Invalid string: {name} must be at most {longest} characters", param=name
        )
    return raw


def _mapping(raw: Any, name: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ParameterError(f"Invalid object: {name}", param=name)
    return raw


def _sequence(raw: Any, name: str) -> list[Any]:
    if isinstance(raw, list):
        return raw
    if isinstance(raw, dict) and all(key.isdecimal() for key in raw):
        return [raw[key] for key in sorted(raw, key=int)]
    raise ParameterError(f"Invalid array: {name}", param=name)
