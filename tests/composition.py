"""`docker-compose.yml` as a test reads it: with the variables of a file put in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docker-compose.yml"
ENVIRONMENTS = ("simulators", "production")
OURS = "perdure:"
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::?([-?])([^}]*))?\}")


def env_file(name: str) -> Path:
    """A file of variables that comes with the repository."""
    return ROOT / "deploy" / f"{name}.env"


@cache
def variables(name: str) -> Mapping[str, str]:
    return {key: value or "" for key, value in dotenv_values(env_file(name)).items()}


@cache
def composition(name: str) -> Mapping[str, Any]:
    """The whole file, as compose understands it with these variables. Any: whatever YAML holds."""
    found: Mapping[str, Any] = _put_in(yaml.safe_load(FILE.read_text()), variables(name))
    return found


def services(name: str = "simulators") -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = composition(name)["services"]
    return found


def ours() -> Mapping[str, Mapping[str, Any]]:
    """The services that run our own image."""
    return {
        name: service for name, service in services().items() if service["image"].startswith(OURS)
    }


def command_of(service: Mapping[str, Any]) -> list[str]:
    """What a service of ours runs: the image's entry point is `perdure`."""
    return [*service.get("entrypoint", ["perdure"]), *service["command"]]


def waits_for(service: Mapping[str, Any]) -> Mapping[str, str]:
    """Whom a service waits for, and until when."""
    return {name: how["condition"] for name, how in service.get("depends_on", {}).items()}


def _put_in(node: Any, known: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _put_in(value, known) for key, value in node.items()}
    if isinstance(node, list):
        return [_put_in(value, known) for value in node]
    if isinstance(node, str):
        return _VARIABLE.sub(lambda found: _value(found, known), node)
    return node


def _value(found: re.Match[str], known: Mapping[str, str]) -> str:
    name, kind, rest = found.groups()
    if name is None:
        return "$"
    if value := known.get(name):
        return value
    assert kind == "-", f"{name} wants a value: {rest}"
    return str(rest)
