"""Columns that our tables share."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Identity, text
from sqlalchemy.dialects.postgresql import JSONB


def time(*, nullable: bool = False, now: bool = False) -> Column[datetime]:
    """A point in time; `now` has the database say when the row came."""
    default = text("clock_timestamp()") if now else None
    return Column(DateTime(timezone=True), nullable=nullable, server_default=default)


def json(*, nullable: bool = False) -> Column[Any]:
    """JSON; None is no value, and not JSON's null. Any: each column's own."""
    return Column(JSONB(none_as_null=True), nullable=nullable)


def serial() -> Column[int]:
    """A primary key that counts up."""
    return Column(BigInteger, Identity(always=True), primary_key=True)
