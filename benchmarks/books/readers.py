"""Entries a second of our statement readers, beside the parser that each of them rests on alone."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from defusedxml.ElementTree import iterparse
from mt940.models import Transactions
from ofxtools.Parser import TreeBuilder

from connectors.statements import reading
from connectors.statements.csv import load_columns
from connectors.statements.statement import Entry
from workers import settings as setting

ENDINGS = {"camt.053": "xml", "mt940": "sta", "bai2": "bai", "ofx": "ofx", "csv": "csv"}
"""The formats, with the endings of their files."""


@dataclass(frozen=True)
class Read:
    """Entries a second, of our reader and of its library."""

    ours: float
    library: float


def read(path: Path, kind: str) -> Read:
    """Read a file in both ways. Raises StatementRefused."""
    columns = load_columns(setting.load().rules / "statement_columns.toml")
    begun = time.perf_counter()
    with path.open("rb") as file:
        entries = sum(isinstance(part, Entry) for part in reading.read(file, columns))
    between = time.perf_counter()
    _LIBRARIES[kind](path)
    over = time.perf_counter()
    return Read(entries / (between - begun), entries / (over - between))


def _camt053(path: Path) -> None:
    for _, element in iterparse(path):
        element.clear()


def _mt940(path: Path) -> None:
    for message in re.split(r"(?m)^(?=:20:)", path.read_text()):
        Transactions().parse(message)


def _ofx(path: Path) -> None:
    content = path.read_text()
    TreeBuilder().feed(content[content.index("<OFX>") :])


def _lines(path: Path) -> None:
    for _ in csv.reader(StringIO(path.read_text())):
        pass


# Of BAI2 nobody keeps a library that streams: beside it stands what reads lines of values.
_LIBRARIES: dict[str, Callable[[Path], None]] = {
    "camt.053": _camt053,
    "mt940": _mt940,
    "bai2": _lines,
    "ofx": _ofx,
    "csv": _lines,
}
