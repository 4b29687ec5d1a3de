"""What is said on a terminal: words, never what would steer it.

References, names and descriptions were written by others. A control character among them could
colour, hide or rewrite what somebody decides by; so each is shown as its number, as JSON has it.
"""

from __future__ import annotations

import re

import typer

_STEERS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""C0 without the line feed, C1, what ends lines elsewhere, and what turns the direction of text."""
_HALVES = re.compile(r"[\ud800-\udfff]")
"""Halves of characters: no encoding has them."""


def visible(text: str) -> str:
    """Lines of text in which control characters are numbers: `\\u001b`."""
    return _HALVES.sub(_number, _STEERS.sub(_number, text))


def visible_value(value: object) -> str:
    """A value within a line: it has no line feed either. Nothing where there is none."""
    return "" if value is None or value is False else visible(str(value)).replace("\n", r"\u000a")


def say(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Print to people and machines; JSON stays JSON, as only what is in its strings changes."""
    typer.echo(visible(text), err=err, nl=nl)  # noqa: TID251


def _number(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
