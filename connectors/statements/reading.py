"""Reading a statement file in whatever format it is."""

import re
from collections.abc import Mapping
from typing import BinaryIO, Literal

from connectors.statements import bai2, camt053, csv, mt940, ofx
from connectors.statements.csv import Columns
from connectors.statements.statement import Parts, StatementRefused

_LOOK = 4096
_SWIFT = re.compile(rb"(?m)^(?:\{1:[^\n]*?\{4:\s*)?:20:|^\{1:F01|^:940:|^94[02]\s*$")
_BAI2 = re.compile(rb"\s*01,[^\n]*/\s*\r?\n")
_OFX = re.compile(rb"(?i)OFXHEADER\s*[:=]|<\?OFX|<OFX>")
_XML = re.compile(rb"\s*<(?:\?xml|!|[A-Za-z])")

_ZIPPED = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")

Kind = Literal["camt.053", "mt940", "bai2", "ofx", "csv"]


def kind_of(beginning: bytes) -> Kind:
    """The format of a file by its first bytes. Raises StatementRefused."""
    if not beginning.strip():
        raise StatementRefused("no_statement", "The file is empty.")
    if beginning.startswith(_ZIPPED):
        raise StatementRefused("compressed", "The file is compressed: unpack it first.")
    text = beginning.removeprefix(b"\xef\xbb\xbf")
    if _OFX.search(text):
        return "ofx"
    if _XML.match(text) or text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "camt.053"
    if _SWIFT.search(text):
        return "mt940"
    if _BAI2.match(text):
        return "bai2"
    return "csv"


def read(file: BinaryIO, maps: Mapping[str, Columns]) -> Parts:
    """The parts of the statements in a file that can be sought in. Raises StatementRefused."""
    beginning = file.read(_LOOK)
    file.seek(0)
    match kind_of(beginning):
        case "camt.053":
            return camt053.read(file)
        case "mt940":
            return mt940.read(file)
        case "bai2":
            return bai2.read(file)
        case "ofx":
            return ofx.read(file)
        case "csv":
            return csv.read(file, maps)
