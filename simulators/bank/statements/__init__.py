"""Statements as banks write them, one module for each format."""

from collections.abc import Callable, Sequence
from typing import TextIO

from simulators.bank.statement import Statement
from simulators.bank.statements import bai2, camt053, csv, mt940, ofx

Writer = Callable[[TextIO, Sequence[Statement], int | None], None]
"""Writes a file of statements; the number is the most entries that a page has."""

FORMATS: dict[str, tuple[str, Writer]] = {
    "camt.053": ("xml", camt053.write),
    "mt940": ("sta", mt940.write),
    "bai2": ("bai", bai2.write),
    "ofx": ("ofx", ofx.write),
    "csv": ("csv", csv.write),
}
"""The ending of the file's name and the writer, for each format."""
