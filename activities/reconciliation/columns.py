"""From exported files to items, by columns: as `sources`, a million rows in seconds."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import polars as pl

from activities.reconciliation.sources import DESCRIPTOR
from connectors.movements import PAYOUT_KINDS
from connectors.stripe.report_columns import reference_column


def items_of_report(movements: pl.DataFrame, keys: Sequence[str], zone: ZoneInfo) -> pl.DataFrame:
    """The same of movements in columns, as a report has them. See `report_columns.read`."""
    amount, fee = pl.col("gross_minor"), pl.col("fee_minor")
    told = movements.with_columns(
        book=pl.lit("processor"),
        source_id="id",
        occurred_at="created_at",
        effective_on=_day("created_at", zone),
        reference=_reference_column(movements.columns, keys),
        derived=pl.lit(value=False),
    )
    shared = ("book", "source_id", "currency", "occurred_at", "effective_on", "reference")
    gross = told.filter((amount != 0) | (fee == 0)).select(
        *(*shared, "kind", "payout", "derived", "arrival_on", "trace_id", "presentment_currency"),
        component=pl.lit("gross"),
        amount_minor=amount,
        descriptor=_descriptors("description"),
        presentment_minor=_signed_like(amount, "presentment_minor"),
    )
    fees = told.filter(fee != 0).select(
        *(*shared, "payout", "derived"),
        kind=pl.lit("fee"),
        component=pl.lit("fee"),
        amount_minor=-fee,
    )
    return pl.concat([gross, fees], how="diagonal")


def _reference_column(told: Sequence[str], keys: Sequence[str]) -> pl.Expr:
    columns = map(reference_column, keys)
    known_by = [name for name in columns if name in told]
    source = [name for name in (reference_column("source_id"),) if name in told]
    paid_out = pl.col("kind").is_in(PAYOUT_KINDS)
    return (
        pl.when(paid_out)
        .then(pl.coalesce(*source, "payout", "id"))
        .otherwise(pl.coalesce(*known_by, "id"))
    )


def items_of_ledger(lines: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    """Our journal's items, from an exported ledger: an account of the ledger is a book."""
    return lines.select(
        *("kind", "currency", "amount_minor", "reference", "payout", "arrival_on"),
        *("presentment_currency", "derived"),
        book="account",
        source_id=pl.concat_str("entry_id", pl.lit("/"), "line"),
        component=pl.lit(""),
        occurred_at="booked_at",
        effective_on=pl.coalesce("booked_on", _day("booked_at", zone)),
        trace_id=pl.lit(None, pl.String),
        descriptor=_descriptors("description"),
        presentment_minor=_signed_like(pl.col("amount_minor"), "presentment_minor"),
    )


def _day(times: str, zone: ZoneInfo) -> pl.Expr:
    return pl.col(times).dt.convert_time_zone(zone.key).dt.date()


def _descriptors(texts: str) -> pl.Expr:
    return pl.col(texts).str.head(DESCRIPTOR)


def _signed_like(amount: pl.Expr, presentment: str) -> pl.Expr:
    """See `_signed_as`."""
    shown = pl.col(presentment).abs()
    return pl.when(amount < 0).then(-shown).otherwise(shown)
