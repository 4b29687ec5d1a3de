"""Comma-separated exports of other systems, row by row: what cannot be read is listed, not guessed.

A file is read once from its beginning, in little memory. What is wrong with the file as a whole
(its header, its encoding) is raised; what is wrong with a row is told of that row alone, and
reading goes on behind it.
"""

import csv
import re
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import chain
from typing import BinaryIO, Protocol, TypeVar

from connectors.statements.amounts import exponent

Meaning = TypeVar("Meaning")
Taken = TypeVar("Taken")

LONGEST_LINE = 1_048_576
"""Bytes. No export writes longer ones; the rest of a longer one is passed over."""

LONGEST_ID = 255
"""Characters. What is longer is no id."""

_BLOCK = 4_194_304
"""Bytes that are read at once: some ten thousand rows."""
_FEW = 16
"""Quotes in so many bytes that leave the lines without them to be read at once."""

_FOREIGN = re.compile("[\ud800-\udfff\0]")
"""What is left of bytes that are not UTF-8, and what no text of ours may hold."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that counts for nothing, since it cannot be read.

    `line` is where it begins, counted from one; `field` the column, where it is one's fault. The
    reason quotes nothing of the row, which holds what people wrote.
    """

    file: str
    line: int
    field: str | None
    reason: str


class FileRefused(Exception):
    """A file of which no row can be read. `error` is a code, `detail` a sentence."""

    def __init__(self, error: str, detail: str, position: str | None = None) -> None:
        super().__init__(f"{detail} ({position})" if position else detail)
        self.error, self.detail, self.position = error, detail, position


class Unreadable(ValueError):
    """A field cannot be read; the text says why."""

    def __init__(self, field: str | None, reason: str) -> None:
        super().__init__(reason)
        self.field = field


Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class Header:
    """The titles of a file's columns, in its order."""

    titles: tuple[str, ...]

    def place(self, *names: str) -> int | None:
        """Where the first of these columns that is there is."""
        return next((self.titles.index(name) for name in names if name in self.titles), None)

    def place_or_behind(self, *names: str) -> int:
        """The same, or behind the last one, where a row that lacks the column has nothing."""
        place = self.place(*names)
        return len(self.titles) if place is None else place

    def require(self, *names: str) -> int:
        """Where the first of these columns that is there is. Raises FileRefused."""
        place = self.place(*names)
        if place is None:
            text = f"There is no column {' or '.join(names)}."
            raise FileRefused("missing_column", text, "line 1")
        return place

    def only(self, known: Collection[str]) -> None:
        """Raises FileRefused for a column that is none of these."""
        unknown = [title for title in self.titles if title not in known]
        if unknown:
            named = ", ".join(repr(title[:40]) for title in unknown[:5])
            raise FileRefused("unknown_column", f"Nobody knows the column {named}.", "line 1")


class Form(Protocol[Meaning]):
    """What the rows of one kind of file mean.

    contradiction   what is wrong with a row whose id was there before, with other content
    """

    contradiction: Unreadable

    def meaning(self, row: Row, /) -> Meaning:
        """What a row means. Raises Unreadable."""

    def known_by(self, meaning: Meaning, /) -> tuple[Hashable, Hashable] | None:
        """Its id and its content; None where it has no id."""


class Seen:
    """Which rows of a file were read before.

    Two of 64 bits for a row, in place of its text: a file has a million of them.
    """

    def __init__(self) -> None:
        self._contents: dict[int, int] = {}

    def alike(self, id_: int, content: int) -> bool | None:
        """Whether a row is like the first with its id, by their hashes; None where it is that."""
        before = self._contents.get(id_)
        if before is None:
            self._contents[id_] = content
            return None
        return before == content


class CsvFile:
    """A file whose first line names its columns; `name` is what bad rows call it.

    Raises FileRefused where there is no such line, or the file is no text in UTF-8.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        self._foreign = False
        self._blocks = chain.from_iterable(map(_apart, _blocks(file)))
        self._waiting: list[str] | None = None
        self._given = self._taken = 0
        self._rows = csv.reader(chain.from_iterable(self._lines()), strict=True)
        try:
            titles = tuple(title.strip() for title in next(self._rows, []))
        except csv.Error:
            raise FileRefused("bad_header", "The first line cannot be read.", "line 1") from None
        if not any(titles):
            raise FileRefused("no_header", "The first line names no columns.", "line 1")
        if _FOREIGN.search("".join(titles)):
            raise FileRefused("bad_encoding", "The file is not text in UTF-8.", "line 1")
        twice = next((title for title in titles if titles.count(title) > 1), None)
        if twice is not None:
            text = f"The column {twice[:40]!r} is there twice."
            raise FileRefused("bad_header", text, "line 1")
        self.header = Header(titles)

    def rows(self) -> Iterator[tuple[int, Row] | BadRow]:
        """Each row and the line where it begins, or why it cannot be read. Empty lines are none."""
        return chain.from_iterable(self.blocks(lambda _lines, _first: None))

    def blocks(
        self, take: Callable[[bytes, int], Taken | None]
    ) -> Iterator[Taken | Iterator[tuple[int, Row] | BadRow]]:
        """The rows by the ten thousand: as `take` takes them, or as `rows` has them.

        It is given whole lines, of which the first begins a row, and the number of that; where it
        answers None, they are read row by row, which must be done before the next are asked for.
        """
        yield self._rows_given()  # where the header went on
        for block in self._blocks:
            taken = take(block, self._line)
            if taken is None:
                self._give(block)
                yield self._rows_given()
            else:
                self._taken += block.count(b"\n") + 1
                yield taken

    @property
    def _line(self) -> int:
        """The number of the next line."""
        return self._taken + self._rows.line_num + 1

    def _rows_given(self) -> Iterator[tuple[int, Row] | BadRow]:
        reader, width = self._rows, len(self.header.titles)
        while reader.line_num < self._given:
            line = self._line
            try:
                row = next(reader)
            except csv.Error as error:
                yield self._broken(line, self._line - 1, str(error))
                continue
            if len(row) != width:
                if row:
                    yield self._bad(line, f"has {len(row)} of {width} columns")
            elif self._foreign and (field := self._foreign_field(row)) is not None:
                yield self._bad(line, "is not text in UTF-8", field)
            else:
                yield line, row

    def read(self, form: "Form[Meaning]") -> Iterator[Meaning | BadRow]:
        """What each row means, or why it cannot be read; one that is there twice counts once."""
        seen = Seen()
        for row in self.rows():
            if isinstance(row, BadRow):
                yield row
                continue
            line, values = row
            try:
                meant = form.meaning(values)
            except Unreadable as error:
                yield self.bad(line, error)
                continue
            known_by = form.known_by(meant)
            alike = seen.alike(hash(known_by[0]), hash(known_by[1])) if known_by else None
            if alike is None:
                yield meant
            elif not alike:
                yield self.bad(line, form.contradiction)

    def bad(self, line: int, error: Unreadable) -> BadRow:
        """A row of this file of which a field cannot be read."""
        return BadRow(self.name, line, error.field, str(error))

    def _broken(self, first: int, last: int, what: str) -> BadRow:
        if "limit" in what:
            reason = "has a field that is far too long"
        else:
            reason = "has quotes that do not close, or that close within a field"
        return self._bad(first, f"{reason} (to line {last})" if last > first else reason)

    def _bad(self, line: int, reason: str, field: str | None = None) -> BadRow:
        return BadRow(self.name, line, field, reason)

    def _foreign_field(self, row: Row) -> str | None:
        for title, value in zip(self.header.titles, row, strict=True):
            if _FOREIGN.search(value):
                return title
        return None

    def _lines(self) -> Iterator[list[str]]:
        """The lines that the reader asks for: those given to it, and more where a row goes on."""
        while True:
            if self._waiting is None:
                block = next(self._blocks, None)
                if block is None:
                    return
                self._give(block)
            assert self._waiting is not None, "it was given"
            lines, self._waiting = self._waiting, None
            yield lines

    def _give(self, block: bytes) -> None:
        """Have the reader read these lines, so that the work for each is the standard library's.

        What is not UTF-8 stays in its line as lone surrogates, which `rows` finds.
        """
        try:
            text = block.decode()
            self._foreign = self._foreign or "\0" in text
        except UnicodeDecodeError:
            text = block.decode(errors="surrogateescape")
            self._foreign = True
        self._waiting = [f"{line}\n" for line in text.split("\n")]
        self._given += len(self._waiting)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """A file's first line, then the others by the ten thousand; without the end of the last one."""
    rest = file.readline(LONGEST_LINE).removeprefix(b"\xef\xbb\xbf")
    if rest.endswith(b"\n"):
        yield rest[:-1]
        rest = b""
    while block := file.read(_BLOCK):
        whole, newline, after = block.rpartition(b"\n")
        if newline:
            yield rest + whole
            rest = after
        elif len(rest) < LONGEST_LINE:
            rest += block
        else:  # one endless line: what is cut off, is replaced by what no row may hold
            rest = rest[:LONGEST_LINE] + b"\0"
    if rest:
        yield rest


def _apart(block: bytes) -> Iterator[bytes]:
    """A block's lines; those with quotes by themselves, where they are few."""
    start = 0
    if block.count(b'"') <= _FEW:
        while (quote := block.find(b'"', start)) >= 0:
            begin = max(start, block.rfind(b"\n", start, quote) + 1)
            if begin > start:
                yield block[start : begin - 1]
            end = block.find(b"\n", quote)
            if end < 0:
                yield block[begin:]
                return
            yield block[begin:end]
            start = end + 1
    yield block[start:]


_AMOUNT = re.compile(r"[+-]?\d{1,15}(?:\.(\d{1,9}))?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)


@lru_cache(maxsize=1024)
def currency(text: str, field: str) -> str:
    """`eur` is EUR: a code of ISO 4217 by its form. Raises Unreadable."""
    if not _CURRENCY.fullmatch(text):
        raise Unreadable(field, "is no currency: three letters")
    return text.upper()


def minor(text: str, of: str, field: str) -> int:
    """Major units with a decimal point: `-12.5` in EUR is -1250. Exact; raises Unreadable."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise Unreadable(field, "is no amount: digits, and a decimal point where there are cents")
    digits, decimals = exponent(of), found[1] or ""
    if len(decimals) == digits:
        return int(text.replace(".", ""))
    if len(decimals) > digits:
        if decimals[digits:].strip("0"):
            raise Unreadable(field, f"has more digits than {of} has")
        decimals = decimals[:digits]
    whole = text.partition(".")[0]
    return int(whole + decimals.ljust(digits, "0"))


def no_longer_ids(*texts: str) -> None:
    """Raises Unreadable for a text that is longer than an id is."""
    for text in texts:
        if len(text) > LONGEST_ID:
            raise Unreadable(None, f"has an id of more than {LONGEST_ID} characters")


def whole(text: str, field: str) -> int:
    """A whole number, such as minor units. Raises Unreadable."""
    if not _WHOLE.fullmatch(text):
        raise Unreadable(field, "is no whole number")
    return int(text)


def moment(text: str, field: str) -> datetime:
    """A day or a time of ISO 8601, in UTC where it says no zone. Raises Unreadable."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(field, "is no day or time of ISO 8601") from None


def day(text: str, field: str) -> date:
    """The day of a day or a time of ISO 8601, as it is written. Raises Unreadable."""
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise Unreadable(field, "is no day or time of ISO 8601") from None
