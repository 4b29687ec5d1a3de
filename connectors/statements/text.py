"""Text files of banks, line by line, in the encodings that banks use."""

from collections.abc import Iterator
from typing import BinaryIO

from connectors.statements.statement import StatementRefused

LONGEST_LINE = 65_536
"""Characters. Nothing that a bank writes is longer; what is has another purpose."""


def lines_of(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Each line and its number, from one, without its end. Raises StatementRefused.

    UTF-8, with or without a mark; where that does not fit, Windows-1252.
    """
    number = 0
    encoding = "utf-8-sig"
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            raise StatementRefused("not_text", "A line is far too long.", f"line {number}")
        try:
            line = raw.decode(encoding)
        except UnicodeDecodeError:
            encoding = "cp1252"
            try:
                line = raw.decode(encoding)
            except UnicodeDecodeError:
                raise StatementRefused(
                    "bad_encoding", "This is neither UTF-8 nor Windows-1252.", f"line {number}"
                ) from None
        if "\x00" in line:
            raise StatementRefused(
                "bad_encoding", "The file is binary, or UTF-16.", f"line {number}"
            )
        yield number, line.rstrip("\r\n")
