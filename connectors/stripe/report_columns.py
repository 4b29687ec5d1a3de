"""Stripe's itemised reports as comma-separated values, by columns: as `report_csv`, but faster."""

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
)
from connectors.csv_rows import BadRow, CsvFile, Header
from connectors.movements import PAYOUT_KINDS, Movement
from connectors.stripe.report_csv import ReportForm


def reference_column(name: str) -> str:
    """Where a reference is: see `Movement.references`."""
    return f"reference {name}"


def read(file: BinaryIO, name: str) -> Iterator[pl.DataFrame | BadRow]:
    """The balance transactions of a report, with the fields of `Movement`. See `report_csv.read`.

    All fees of one are in `fee_minor`, and what else knows it in a `reference_column` for each.
    """
    rows = CsvFile(file, name)
    yield from read_columns(rows, _ColumnForm(rows.header))


class _ColumnForm(ReportForm):
    id = ("id",)

    def __init__(self, header: Header) -> None:
        super().__init__(header)
        self._cells = {name: cells(header, place) for name, place in self.place.items()}
        self._told = {
            reference_column(name): text(cells(header, place))
            for name, place in self.references.items()
        }
        self.schema: Schema = {
            "id": pl.String(),
            "kind": pl.String(),
            "currency": pl.String(),
            "gross_minor": pl.Int64(),
            "fee_minor": pl.Int64(),
            "created_at": TIME,
            "payout": pl.String(),
            "arrival_on": pl.Date(),
            "trace_id": pl.String(),
            "description": pl.String(),
            "presentment_minor": pl.Int64(),
            "presentment_currency": pl.String(),
            **dict.fromkeys(self._told, pl.String()),
        }
        source = reference_column("source_id")
        self.content = [
            *("created_at", "kind", "currency", "gross_minor", "fee_minor", "payout"),
            *([source] if source in self._told else []),
        ]

    def values(self, movement: Movement) -> tuple[object, ...]:
        """The fields of a transaction."""
        return (
            movement.id,
            movement.kind,
            movement.currency,
            movement.gross_minor,
            movement.gross_minor - movement.net_minor,
            movement.created_at,
            movement.payout,
            movement.arrival_on,
            movement.trace_id,
            movement.description,
            movement.presentment_minor,
            movement.presentment_currency,
            *(movement.references.get(name) for name in self.references),
        )

    def columns(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The fields of transactions."""
        cell, code = self._cells, pl.col("currency")
        told = (
            rows.with_columns(
                id=text(cell["balance_transaction_id"]),
                kind=text(cell["reporting_category"]),
                currency=currency(cell["currency"]),
                created_at=moment(cell["created_utc"]),
                trace_id=text(cell["trace_id"]),
                description=text(cell["description"]),
                shown_in=currency(cell["customer_facing_currency"]),
                paid_out=text(cell["reporting_category"]).is_in(PAYOUT_KINDS),
                **self._told,
            )
            .with_columns(
                gross_minor=minor(cell["gross"], code),
                fee_minor=minor(cell["fee"], code),
                net_minor=minor(cell["net"], code),
                payout=pl.coalesce(
                    text(cell["automatic_payout_id"]),
                    pl.when("paid_out").then(text(cell["source_id"])),
                ),
                arrival=pl.when("paid_out").then(_arrival(cell)),
                foreign=_is_shown(cell) & (pl.col("shown_in") != code),
            )
            .with_columns(
                arrival_on=day(pl.col("arrival")),
                presentment_currency=pl.when("foreign").then("shown_in"),
                presentment_minor=pl.when("foreign").then(
                    minor(cell["customer_facing_amount"], pl.col("shown_in"))
                ),
            )
        )
        return told.select(LINE, self._ordinary().alias(ORDINARY), *self.schema)

    def _ordinary(self) -> pl.Expr:
        net = pl.col("gross_minor") - pl.col("fee_minor") == pl.col("net_minor")
        return pl.all_horizontal(
            net,
            are_ids("id", "kind", "payout", "trace_id", *self._told),
            pl.col("id", "kind", "currency", "created_at").is_not_null(),
            pl.col("arrival").is_null() | pl.col("arrival_on").is_not_null(),
            # Null, too, where it is shown in what is no currency.
            ~pl.col("foreign") | pl.col("presentment_minor").is_not_null(),
        )


def _arrival(cell: Mapping[str, pl.Expr]) -> pl.Expr:
    """What tells the day of a payout's arrival; null where nothing does."""
    effective = cell["automatic_payout_effective_at_utc"]
    available = cell["available_on_utc"]
    return (
        pl.when(effective != "").then(effective).otherwise(pl.when(available != "").then(available))
    )


def _is_shown(cell: Mapping[str, pl.Expr]) -> pl.Expr:
    return (cell["customer_facing_amount"] != "") & (cell["customer_facing_currency"] != "")
