"""Items in columns, with the names of `NewItem`'s fields: for as many as exported files have."""

import io
from collections.abc import Iterable

import polars as pl
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.codes import BOOKS
from database.reconciliation.items import COLUMNS, stage_rows

_TIME = "%Y-%m-%d %H:%M:%S%.6f+00"
"""Columns of times are in UTC."""


async def stage(connection: AsyncConnection, items: Iterable[pl.DataFrame]) -> None:
    """Lay items out by the thousand, as `items.stage` does one by one."""
    await stage_rows(connection, map(_rows, items))


def _rows(items: pl.DataFrame) -> bytes:
    """In the order of `COLUMNS`: text in quotes where it needs them, nothing where null."""
    written = io.BytesIO()
    codes = pl.col("book").replace_strict(BOOKS, return_dtype=pl.Int8)
    items.with_columns(codes).select(COLUMNS).write_csv(
        written, include_header=False, quote_style="necessary", datetime_format=_TIME
    )
    return written.getvalue()
