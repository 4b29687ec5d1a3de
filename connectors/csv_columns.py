"""Comma-separated exports, column by column: what `csv_rows` reads, at a tenth of the time.

Most rows are of a form that leaves nothing to decide: their blocks are taken apart and converted
by columns. Every other row goes to the reader of rows, which alone says what a row means and what
is wrong with it. So an expression here gives what the function of its name in `csv_rows` gives, or
null where it is for that to say.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

import polars as pl
from polars.exceptions import PolarsError

from connectors.csv_rows import (
    LONGEST_ID,
    BadRow,
    CsvFile,
    Form,
    Header,
    Row,
    Unreadable,
)
from connectors.statements.amounts import EXPONENTS

Meaning = TypeVar("Meaning")

Schema = Mapping[str, pl.DataType]

TIME = pl.Datetime("us", "UTC")

LINE, ORDINARY = "\0line", "\0ordinary"
"""Columns beside those of a file or a form: where a row begins; whether it is told by columns."""

_SPACE = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
_LINE_TYPE = pl.Int64
_END = b"\0"
"""A cell behind the last one of each row: what no row may hold."""


class ColumnForm(Form[Meaning], Protocol[Meaning]):
    """What the rows of one kind of file mean, also by columns."""

    @property
    def schema(self) -> Schema:
        """The columns that it makes of a file."""

    @property
    def id(self) -> Sequence[str]:
        """Those of them that a row is known by; none where no row can be there twice."""

    @property
    def content(self) -> Sequence[str]:
        """Those that are alike where a row is there twice."""

    def columns(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """What rows mean, by `schema`, with their `LINE`, and whether they are `ORDINARY`.

        The expression `cells` is for those at a place.
        """

    def values(self, meaning: Meaning, /) -> tuple[object, ...]:
        """What a row means, in the order of `schema`."""


def read_columns(file: CsvFile, form: ColumnForm[Meaning]) -> Iterator[pl.DataFrame | BadRow]:
    """What the rows mean, by the ten thousand, and before them which of them cannot be read.

    What is there twice counts once; what is there with other content is bad.
    """
    seen = _Seen()
    for block in file.blocks(lambda lines, first: _plain(lines, first, len(file.header.titles))):
        bad: list[BadRow] = []
        cells = block if isinstance(block, pl.DataFrame) else _cells(file, block, bad)
        told = _told(file, form, cells, bad)
        if form.id:
            told = _first(file, form, seen, told, bad)
        yield from sorted(bad, key=lambda row: row.line)
        yield told.select(*form.schema)


def _plain(lines: bytes, first: int, width: int) -> pl.DataFrame | None:
    """The cells of lines of which each is a row that ends there; None where any is not."""
    if any(sign in lines for sign in (b'"', b"\r", _END)) or lines.startswith(b"\xef\xbb\xbf"):
        return None
    names = [str(place) for place in range(width)]
    schema = dict.fromkeys([*names, "end"], pl.String())
    ended = lines.replace(b"\n", b",%s\n" % _END) + b",%s" % _END
    try:
        cells = pl.read_csv(
            ended, has_header=False, schema=schema, quote_char=None, empty_string_is_null=False
        )
    except PolarsError:
        return None
    # A row with fewer cells has no end there, and one with more has something else.
    whole = cells.select((pl.col("end") == _END.decode()).all()).item()
    longest = max(cells.select(pl.col(names).str.len_bytes().max()).row(0))
    if not whole or longest > csv.field_size_limit():
        return None
    numbers = pl.int_range(first, first + len(cells), dtype=_LINE_TYPE, eager=True)
    return cells.select(*names, numbers.alias(LINE))


def _cells(
    file: CsvFile, rows: Iterator[tuple[int, Row] | BadRow], bad: list[BadRow]
) -> pl.DataFrame:
    """The cells of rows that were read one by one."""
    numbers: list[int] = []
    good: list[Row] = []
    for row in rows:
        if isinstance(row, BadRow):
            bad.append(row)
        else:
            numbers.append(row[0])
            good.append(row[1])
    columns = zip(*good, strict=True) if good else [()] * len(file.header.titles)
    return pl.DataFrame(
        [
            *(pl.Series(str(at), cells, pl.String) for at, cells in enumerate(columns)),
            pl.Series(LINE, numbers, _LINE_TYPE),
        ]
    )


def _told(
    file: CsvFile, form: ColumnForm[Meaning], cells: pl.DataFrame, bad: list[BadRow]
) -> pl.DataFrame:
    """What rows mean, in their order: the ordinary ones by columns, the others one by one."""
    told = form.columns(cells.lazy()).collect()
    ordinary = told[ORDINARY].fill_null(value=False)
    told = told.filter(ordinary).select(LINE, *form.schema)
    if ordinary.all():
        return told
    odd: list[tuple[object, ...]] = []
    for *row, line in cells.filter(~ordinary).rows():
        try:
            odd.append((line, *form.values(form.meaning(row))))
        except Unreadable as error:
            bad.append(file.bad(line, error))
    others = pl.DataFrame(odd, {LINE: _LINE_TYPE(), **form.schema}, orient="row")
    return pl.concat([told, others]).sort(LINE)


def _first(
    file: CsvFile, form: ColumnForm[Meaning], seen: "_Seen", told: pl.DataFrame, bad: list[BadRow]
) -> pl.DataFrame:
    """The rows that were not there before, here or in an earlier block."""
    alike = seen.alike(told.select(form.id).hash_rows(), told.select(form.content).hash_rows())
    if alike.null_count() == len(alike):
        return told
    bad.extend(file.bad(line, form.contradiction) for line in told.filter(~alike)[LINE])
    return told.filter(alike.is_null())


class _Seen:
    """Which rows were read before, by two of 64 bits for each."""

    def __init__(self) -> None:
        self._rows = pl.DataFrame(schema={"id": pl.UInt64, "content": pl.UInt64})

    def alike(self, ids: pl.Series, contents: pl.Series) -> pl.Series:
        """Whether each is like the first with its id; null where it is that."""
        rows = pl.DataFrame({"id": ids, "content": contents})
        before = self._rows.filter(pl.col("id").is_in(ids.implode()))
        first = pl.col("content").first().over("id")
        again = pl.when(~pl.col("id").is_first_distinct()).then(pl.col("content") == first)
        alike = pl.concat([before, rows]).select(again).to_series().tail(len(rows))
        self._rows.extend(rows)
        return alike


def cells(header: Header, place: int) -> pl.Expr:
    """The cells at a place; empty ones behind the last."""
    return pl.col(str(place)) if place < len(header.titles) else pl.lit("")


def text(cells: pl.Expr) -> pl.Expr:
    """Text without the space around it; null where nothing is left."""
    stripped = cells.str.strip_chars(_SPACE)
    return pl.when(stripped != "").then(stripped)


def are_ids(*names: str) -> pl.Expr:
    """Whether texts, where there are any, are no longer than ids are."""
    return pl.all_horizontal((pl.col(*names).str.len_chars() <= LONGEST_ID).fill_null(value=True))


def currency(cells: pl.Expr) -> pl.Expr:
    """`eur` is EUR."""
    return pl.when(cells.str.contains(r"^[A-Za-z]{3}$")).then(cells.str.to_uppercase())


def minor(cells: pl.Expr, of: pl.Expr) -> pl.Expr:
    """Major units in minor units of a currency, where they have no more digits than that."""
    point = cells.str.find(".", literal=True)
    decimals = (cells.str.len_bytes() - 1 - point).fill_null(0).cast(pl.Int64)
    more = of.replace_strict(EXPONENTS, default=2, return_dtype=pl.Int64) - decimals
    digits = cells.str.replace(".", "", literal=True).cast(pl.Int64, strict=False)
    usual = cells.str.contains(r"^-?[0-9]{1,12}(?:\.[0-9]{1,4})?$") & (more >= 0)
    return pl.when(usual).then(digits * pl.lit(10, pl.Int64).pow(more.clip(0)))


def whole(cells: pl.Expr) -> pl.Expr:
    """A whole number."""
    usual = cells.str.contains(r"^-?[0-9]{1,18}$")
    return pl.when(usual).then(cells.cast(pl.Int64, strict=False))


def moment(cells: pl.Expr) -> pl.Expr:
    """A day, or a time in whole seconds of UTC."""
    seconds = cells.str.slice(0, 19).str.replace("T", " ", literal=True)
    times = seconds.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    days = cells.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    usual = cells.str.contains(
        r"^[12][0-9]{3}-[01][0-9]-[0-3][0-9]"
        r"(?:[ T][0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:Z|\+00:00)?)?$"
    )
    return pl.when(usual).then(pl.coalesce(times, days).dt.replace_time_zone("UTC"))


def day(cells: pl.Expr) -> pl.Expr:
    """The day of these, which is the one that is written."""
    return moment(cells).dt.date()
