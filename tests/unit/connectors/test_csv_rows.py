"""Exports as they come: what can be read is read, and nothing else is lost."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors.csv_rows import (
    LONGEST_LINE,
    BadRow,
    CsvFile,
    FileRefused,
    Row,
    Unreadable,
    minor,
    moment,
)
from connectors.statements.amounts import exponent


def read(content: bytes) -> list[tuple[int, Row] | BadRow]:
    return list(CsvFile(io.BytesIO(content), "a.csv").rows())


def bad(content: bytes) -> list[tuple[int, str | None]]:
    return [(row.line, row.field) for row in read(content) if isinstance(row, BadRow)]


def good(content: bytes) -> list[Row]:
    return [row[1] for row in read(content) if not isinstance(row, BadRow)]


def test_rows_tell_the_line_where_they_begin() -> None:
    content = b'\xef\xbb\xbfa,b\r\n1,"two\r\nlines"\r\n\r\n3,4'

    assert read(content) == [(2, ["1", "two\r\nlines"]), (5, ["3", "4"])]


def test_each_line_is_read_once_whether_it_has_quotes_or_not() -> None:
    content = b'"a\nx",b\n"1",2\n"3",4\n5,6\n\n7,8\n"9","\n",\n"",0'

    assert read(content) == [
        (3, ["1", "2"]),
        (4, ["3", "4"]),
        (5, ["5", "6"]),
        (7, ["7", "8"]),
        BadRow("a.csv", 8, None, "has 3 of 2 columns"),
        (10, ["", "0"]),
    ]


def test_a_header_that_goes_on_costs_no_row() -> None:
    content = b'"a\nx",b\n' + 20 * b'"1",2\n'

    assert read(content) == [(line, ["1", "2"]) for line in range(3, 23)]


def test_a_bad_row_does_not_cost_the_next() -> None:
    content = b'a,b\n1\n2,\xe9\n3,\x00\n"4"x,4\n5,6\n'

    assert bad(content) == [(2, None), (3, "b"), (4, "b"), (5, None)]
    assert good(content) == [["5", "6"]]


def test_quotes_that_do_not_close_are_told_with_all_that_they_swallowed() -> None:
    rows = read(b'a,b\n1,2\n"3,4\n5,6\n')

    assert rows[0] == (2, ["1", "2"])
    assert isinstance(rows[1], BadRow)
    assert (rows[1].line, "to line 4" in rows[1].reason) == (3, True)


def test_an_endless_line_is_one_bad_row_and_little_memory() -> None:
    content = b"a,b\n1," + b"x" * (9 * LONGEST_LINE) + b"\n1,2\n"

    assert bad(content) == [(2, None)]
    assert good(content) == [["1", "2"]]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "no_header"),
        (b"\n1,2\n", "no_header"),
        (b'"a,b\n1,2\n', "bad_header"),
        (b"a,b,a\n", "bad_header"),
        ("a,b\n1,2\n".encode("utf-16"), "bad_encoding"),
        (b"a\x00,b\n", "bad_encoding"),
    ],
)
def test_a_file_without_a_header_is_refused(content: bytes, error: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read(content)

    assert refused.value.error == error


@given(
    some.decimals(min_value=-(10**12), max_value=10**12, places=3, allow_nan=False),
    some.sampled_from(["EUR", "JPY", "KWD"]),
)
def test_amounts_are_exact_or_refused(amount: Decimal, currency: str) -> None:
    exactly = amount.scaleb(exponent(currency))
    if exactly == int(exactly):
        assert minor(f"{amount:f}", currency, "amount") == int(exactly)
    else:
        with pytest.raises(Unreadable):
            minor(f"{amount:f}", currency, "amount")


@pytest.mark.parametrize(
    "text", ["", "1,5", "1e3", "=1+1", "١٢", "NaN", "1.", ".5", " 1", "1_0", "0x1", "--1", "9" * 16]
)
def test_what_is_no_amount_is_not_guessed(text: str) -> None:
    with pytest.raises(Unreadable):
        minor(text, "EUR", "amount")


@pytest.mark.parametrize("text", ["", "01/02/2026", "2026-02-30", "now", "0001-01-01T00:00+14:00"])
def test_what_is_no_time_is_not_guessed(text: str) -> None:
    with pytest.raises(Unreadable):
        moment(text, "booked_at")
