"""Columns that our tables share."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    SmallInteger,
    Text,
    text,
)
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


def whole(*, nullable: bool = False) -> Column[int]:
    """A whole number of at most four bytes."""
    return Column(Integer, nullable=nullable)


def code(*, key: bool = False) -> Column[int]:
    """A word, as its code (`database.reconciliation.codes`)."""
    return Column(SmallInteger, primary_key=key, nullable=False, autoincrement=False)


def bytes_text(*, nullable: bool = False) -> Column[str]:
    """Text in the order of its bytes."""
    return Column(Text(collation="C"), nullable=nullable)


def account(*, key: bool = False, nullable: bool = False) -> Column[int]:
    """The account that is reconciled."""
    of = ForeignKey("reconciliation_accounts.id")
    return Column(Integer, of, primary_key=key, nullable=nullable)
