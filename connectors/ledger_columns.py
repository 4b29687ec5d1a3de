"""Our ledger, exported as comma-separated values, by columns: what `ledger_csv` reads, faster."""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

import polars as pl

from connectors.csv_columns import (
    LINE,
    ORDINARY,
    TIME,
    Schema,
    are_ids,
    cells,
    currency,
    day,
    minor,
    moment,
    read_columns,
    text,
    whole,
)
from connectors.csv_rows import BadRow, CsvFile, Header
from connectors.ledger_csv import ACCOUNTS, TRUTHS, LedgerForm, LedgerLine

_DAY = len("2026-01-31")

SCHEMA: Schema = {
    "entry_id": pl.String(),
    "line": pl.Int64(),
    "booked_at": TIME,
    "booked_on": pl.Date(),
    "account": pl.String(),
    "kind": pl.String(),
    "currency": pl.String(),
    "amount_minor": pl.Int64(),
    "reference": pl.String(),
    "payout": pl.String(),
    "arrival_on": pl.Date(),
    "description": pl.String(),
    "presentment_minor": pl.Int64(),
    "presentment_currency": pl.String(),
    "derived": pl.Boolean(),
}
"""The fields of `LedgerLine`."""


def read(file: BinaryIO, name: str) -> Iterator[pl.DataFrame | BadRow]:
    """The lines of a ledger, with the fields of `LedgerLine`. See `ledger_csv.read`."""
    rows = CsvFile(file, name)
    yield from read_columns(rows, _ColumnForm(rows.header))


class _ColumnForm(LedgerForm):
    schema = SCHEMA

    def __init__(self, header: Header) -> None:
        super().__init__(header)
        self._cells = {name: cells(header, place) for name, place in self.place.items()}
        # Lines without numbers are numbered as they come, which the reader of rows does.
        self.id = ("entry_id", "line") if self.numbered else ()
        self.content = tuple(SCHEMA) if self.numbered else ()

    def values(self, line: LedgerLine) -> tuple[object, ...]:
        """The fields of a line."""
        return line

    def columns(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The fields of lines."""
        cell = self._cells
        told = rows.with_columns(
            entry_id=text(cell["entry_id"]),
            line=whole(cell["line"]),
            booked_at=moment(cell["booked_at"]),
            account=cell["account"].replace_strict(ACCOUNTS, default=None, return_dtype=pl.String),
            currency=currency(cell["currency"]),
            reference=text(cell["reference"]),
            payout=text(cell["payout"]),
            arrival_on=day(cell["arrival_on"]),
            description=text(cell["description"]),
            presentment_currency=currency(cell["presentment_currency"]),
            derived=cell["derived"].replace_strict(TRUTHS, default=None, return_dtype=pl.Boolean),
        ).with_columns(
            booked_on=pl.when(cell["booked_at"].str.len_bytes() <= _DAY).then(
                pl.col("booked_at").dt.date()
            ),
            amount_minor=_amount(cell),
            presentment_minor=minor(cell["presentment_amount"], pl.col("presentment_currency")),
        )
        usual_kind = pl.when(pl.col("amount_minor") >= 0).then(pl.lit("charge"))
        told = told.with_columns(
            kind=pl.coalesce(text(cell["kind"]), usual_kind.otherwise(pl.lit("refund")))
        )
        return told.select(LINE, self._ordinary().alias(ORDINARY), *SCHEMA)

    def _ordinary(self) -> pl.Expr:
        cell = self._cells
        shown = cell["presentment_amount"] + cell["presentment_currency"] != ""
        needed = ["booked_at", "account", "currency", "amount_minor", "derived"]
        return pl.all_horizontal(
            are_ids("entry_id", "kind", "reference", "payout"),
            pl.col("entry_id", *needed).is_not_null(),
            pl.col("line").is_between(0, 2**31 - 1),
            (cell["arrival_on"] == "") | pl.col("arrival_on").is_not_null(),
            ~shown
            | pl.all_horizontal(pl.col("presentment_minor", "presentment_currency").is_not_null()),
        )


def _amount(cell: Mapping[str, pl.Expr]) -> pl.Expr:
    major = minor(cell["amount"], pl.col("currency"))
    told = whole(cell["amount_minor"])
    alike = (cell["amount"] == "") | (major == told)
    return pl.when(cell["amount_minor"] == "").then(major).when(alike).then(told)
