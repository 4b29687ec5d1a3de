"""Statements as comma-separated values, by column maps that somebody declared.

`rules/statement_columns.toml` says, for each kind of file, which column means what. The map whose
columns are all in the header is used; a file that none fits is refused.
"""

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from connectors.statements.amounts import currency_code, minor
from connectors.statements.statement import (
    Balance,
    Closed,
    Entry,
    Opened,
    Parts,
    StatementRefused,
)
from connectors.statements.text import lines_of


class BadColumns(ValueError):
    """The file of column maps cannot be used; the text names the file and the field."""


class Columns(BaseModel):
    """Which column means what, by its title; those that a file has not are left out.

    decimal   what stands before the decimals; the other of `.` and `,` groups thousands
    dates     as strptime reads them
    inverted  the file counts what goes out as positive
    currency  where the file has no column for it, `usual_currency` holds
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    delimiter: Literal[",", ";", "\t", "|"] = ","
    decimal: Literal[".", ","] = "."
    dates: str = "%Y-%m-%d"
    inverted: bool = False
    booking_date: str
    value_date: str | None = None
    amount: str | None = None
    debit: str | None = None
    credit: str | None = None
    currency: str | None = None
    usual_currency: str | None = None
    balance: str | None = None
    account: str | None = None
    reference: str | None = None
    end_to_end_id: str | None = None
    description: str | None = None
    bank_code: str | None = None

    @model_validator(mode="after")
    def _amounts_are_said_once(self) -> "Columns":
        if (self.amount is None) == (self.debit is None or self.credit is None):
            raise ValueError("name either amount, or both debit and credit")
        if self.currency is None and self.usual_currency is None:
            raise ValueError("name currency, or a usual_currency")
        return self

    @property
    def titles(self) -> frozenset[str]:
        """The columns that a file must have."""
        named = self.model_dump(
            exclude={"delimiter", "decimal", "dates", "inverted", "usual_currency"},
            exclude_none=True,
        )
        return frozenset(named.values())


def load_columns(file: Path) -> dict[str, Columns]:
    """The column maps by name. Raises BadColumns."""
    try:
        tables = tomllib.loads(file.read_text())
        return TypeAdapter(dict[str, Columns]).validate_python(tables)
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise BadColumns(f"{file}: {error}") from error


def read(file: BinaryIO, maps: Mapping[str, Columns]) -> Parts:
    """The parts of a file: a statement for each account and currency. Raises StatementRefused."""
    lines = lines_of(file)
    begin = next(((number, line) for number, line in lines if line.strip()), None)
    if begin is None:
        raise StatementRefused("no_statement", "The file is empty.")
    columns, titles = _fitting(begin[1], maps)
    statement: _Statement | None = None
    over: set[tuple[str, str]] = set()
    for row in _rows(lines, columns, titles):
        entry, balance = _entry(row, columns)
        of = (row.get(columns.account), entry.currency)
        if statement is None or statement.of != of:
            if of in over:
                raise StatementRefused(
                    "not_sorted", "The rows of one account are not together.", row.position
                )
            if statement is not None:
                yield statement.closed()
            over.add(of)
            statement = _Statement(of)
            yield Opened("csv", of[0], of[1], "")
        statement.take(entry, balance)
        yield entry
    if statement is None:
        raise StatementRefused("no_statement", "The file has a header and no row.")
    yield statement.closed()


class _Row:
    def __init__(self, line: int, titles: Sequence[str], values: Sequence[str]) -> None:
        self.position = f"line {line}"
        if len(values) != len(titles):
            raise StatementRefused(
                "bad_row", f"The row has {len(values)} of {len(titles)} columns.", self.position
            )
        self._values = dict(zip(titles, values, strict=True))

    def get(self, title: str | None) -> str:
        return self._values[title].strip() if title is not None else ""


class _Statement:
    """The rows of one account so far; `steps` holds with a balance column that goes either way."""

    def __init__(self, of: tuple[str, str]) -> None:
        self.of = of
        self._seen: list[tuple[date | None, int, int]] = []  # first and last: day, amount, balance
        self._upwards = self._downwards = True

    def take(self, entry: Entry, balance: int | None) -> None:
        if balance is None:
            return
        now = (entry.booking_date, entry.amount_minor, balance)
        if self._seen:
            _, amount, before = self._seen[-1]
            self._upwards &= before + entry.amount_minor == balance
            self._downwards &= balance + amount == before
        self._seen = [*self._seen[:1], now]

    def closed(self) -> Closed:
        if not self._seen:
            return Closed(None, None)
        first, last = self._seen[0], self._seen[-1]
        if not self._upwards and self._downwards:  # the newest row is the first
            first, last = last, first
        opening = Balance(first[0], first[2] - first[1])
        holds = self._upwards or self._downwards
        return Closed(opening, Balance(last[0], last[2]), totals_hold=holds)


def _fitting(header: str, maps: Mapping[str, Columns]) -> tuple[Columns, list[str]]:
    fits = []
    for columns in maps.values():
        titles = [one.strip() for one in next(csv.reader([header], delimiter=columns.delimiter))]
        if columns.titles <= set(titles) and len(set(titles)) == len(titles):
            fits.append((len(columns.titles), columns, titles))
    if not fits:
        raise StatementRefused(
            "unknown_columns", "No declared column map fits the header.", "line 1"
        )
    _, found, titles = max(fits, key=lambda fit: fit[0])
    return found, titles


def _rows(lines: Iterator[tuple[int, str]], columns: Columns, titles: list[str]) -> Iterator[_Row]:
    at = 0

    def texts() -> Iterator[str]:
        nonlocal at
        for number, line in lines:
            at = number
            yield line + "\n"

    try:
        for values in csv.reader(texts(), delimiter=columns.delimiter, strict=True):
            if any(value.strip() for value in values):
                yield _Row(at, titles, values)
    except csv.Error:
        raise StatementRefused("bad_row", "The row's quotes do not close.", f"line {at}") from None


def _entry(row: _Row, columns: Columns) -> tuple[Entry, int | None]:
    position = row.position
    currency = currency_code(
        row.get(columns.currency) if columns.currency else columns.usual_currency or "", position
    )

    def money(title: str | None) -> int | None:
        text = row.get(title)
        return minor(_plain(text, columns.decimal, position), currency, position) if text else None

    if columns.amount is not None:
        amount = money(columns.amount)
    else:
        credit, debit = money(columns.credit), money(columns.debit)
        amount = None if credit is None and debit is None else (credit or 0) - abs(debit or 0)
    if amount is None:
        raise StatementRefused("bad_amount", "The row has no amount.", position)
    entry = Entry(
        booking_date=_day(row.get(columns.booking_date), columns.dates, position),
        value_date=(
            _day(row.get(columns.value_date), columns.dates, position)
            if row.get(columns.value_date)
            else None
        ),
        amount_minor=-amount if columns.inverted else amount,
        currency=currency,
        reference=row.get(columns.reference) or None,
        end_to_end_id=row.get(columns.end_to_end_id) or None,
        description=row.get(columns.description) or None,
        bank_code=row.get(columns.bank_code) or None,
    )
    return entry, money(columns.balance)


_GROUPED = {
    ".": re.compile(r"[+-]?\d{1,3}(?:[,' ]\d{3})+(?:\.\d+)?|[+-]?\d+(?:\.\d+)?"),
    ",": re.compile(r"[+-]?\d{1,3}(?:[.' ]\d{3})+(?:,\d+)?|[+-]?\d+(?:,\d+)?"),
}


def _plain(text: str, decimal: str, position: str) -> str:
    """`-1.234,56` is `-1234.56`. A group that has not three digits is refused."""
    text = text.replace("\u00a0", " ").replace("\u2212", "-")
    if not _GROUPED[decimal].fullmatch(text):
        raise StatementRefused("bad_amount", "An amount cannot be read.", position)
    return re.sub(r"[' .,]", lambda found: "." if found[0] == decimal else "", text)


def _day(text: str, format_: str, position: str) -> date:
    try:
        return datetime.strptime(text, format_).date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise StatementRefused("bad_date", "A date cannot be read.", position) from None
