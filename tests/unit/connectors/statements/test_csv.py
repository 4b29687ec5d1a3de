"""CSV by declared columns: decimals of two continents, balances that go either way."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from connectors.statements.csv import BadColumns, Columns, load_columns
from connectors.statements.statement import Balance, Entry
from tests.unit.connectors.statements.reading import refused, statements

PLAIN = """Date,Description,Amount,Currency,Balance,Account,Reference
2026-03-01,Payout,100.00,EUR,150.00,1234567,R-1
2026-03-02,"Fee, monthly",-20.5,EUR,129.50,1234567,R-2
"""
GERMAN = """Buchungstag;Verwendungszweck;Betrag;CCY;IBAN;Ref
2026-03-01;Miete;-1.234,56;EUR;DE00EXAMPLE;R-1
2026-03-02;Lohn;3.500;EUR;DE00EXAMPLE;R-2
"""


def test_rows_are_read_and_a_balance_column_proves_them() -> None:
    (read,) = statements(PLAIN)
    assert (read.opened.format, read.opened.account) == ("csv", "1234567")
    assert read.entries[1] == Entry(
        date(2026, 3, 2), None, -2050, "EUR", "R-2", None, "Fee, monthly", None
    )
    assert read.closed.opening == Balance(date(2026, 3, 1), 5000)
    assert read.closed.closing == Balance(date(2026, 3, 2), 12950)
    assert read.proven.proof == "proven"


def test_the_newest_row_may_be_the_first() -> None:
    head, first, second, _ = PLAIN.split("\n")
    (read,) = statements(f"{head}\n{second}\n{first}")
    assert read.proven.proof == "proven"
    assert read.closed.opening == Balance(date(2026, 3, 1), 5000)


def test_a_balance_that_skips_something_leaves_the_rows_unproven() -> None:
    (read,) = statements(PLAIN.replace("129.50", "129.00"))
    assert read.proven.proof == "unproven"


def test_commas_may_be_decimals() -> None:
    (read,) = statements(GERMAN)
    assert read.amounts == [-123456, 350000]
    assert read.proven.proof == "unprovable"


def test_debit_and_credit_may_have_columns_of_their_own() -> None:
    text = "Date,Debit,Credit,Currency,Description\n2026-03-01,20.00,,EUR,a\n2026-03-01,,7,EUR,b\n"
    assert statements(text)[0].amounts == [-2000, 700]


def test_several_accounts_are_several_statements_if_their_rows_are_together() -> None:
    other = "2026-03-01,Payout,1.00,EUR,1.00,7654321,R-3\n"
    assert [one.opened.account for one in statements(PLAIN + other)] == ["1234567", "7654321"]
    again = PLAIN.split("\n")[1].replace("150.00", "229.50")
    no = refused(PLAIN + other + again)
    assert (no.error, no.position) == ("not_sorted", "line 5")


@pytest.mark.parametrize(
    ("text", "error", "position"),
    [
        (PLAIN.replace("100.00", "10..00"), "bad_amount", "line 2"),
        (PLAIN.replace("100.00", "1,00.00"), "bad_row", "line 2"),
        (PLAIN.replace("100.00", "100.001"), "bad_amount", "line 2"),
        (PLAIN.replace("100.00", ""), "bad_amount", "line 2"),
        (PLAIN.replace("100.00", "=1+1"), "bad_amount", "line 2"),
        (GERMAN.replace("3.500", "3.50"), "bad_amount", "line 3"),
        (PLAIN.replace("2026-03-02", "02.03.2026"), "bad_date", "line 3"),
        (PLAIN.replace("EUR,150", "eur,150"), "bad_currency", "line 2"),
        (PLAIN.replace(",R-2", ""), "bad_row", "line 3"),
        (PLAIN.replace("monthly\"", "monthly"), "bad_row", "line 3"),
        ("Who,What\na,b\n", "unknown_columns", "line 1"),
        (PLAIN.split("\n", maxsplit=1)[0], "no_statement", None),
        ("", "no_statement", None),
        ("PK\x03\x04...", "compressed", None),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(
    text: str, error: str, position: str | None
) -> None:
    no = refused(text)
    assert (no.error, no.position) == (error, position)


def test_a_line_without_an_end_is_refused() -> None:
    assert refused(PLAIN + "x" * 70_000).error == "not_text"


@pytest.mark.parametrize(
    "table",
    [
        'booking_date = "D"\ncurrency = "C"',
        'booking_date = "D"\namount = "A"',
        'booking_date = "D"\namount = "A"\ncurrency = "C"\ncolour = "red"',
        'booking_date = "D"\ndebit = "A"\ncurrency = "C"',
    ],
)
def test_a_map_that_cannot_work_is_refused_with_its_name(tmp_path: Path, table: str) -> None:
    file = tmp_path / "columns.toml"
    file.write_text(f"[mine]\n{table}\n")
    with pytest.raises(BadColumns, match="mine"):
        load_columns(file)


def test_what_goes_out_may_be_counted_as_positive() -> None:
    from connectors.statements import csv

    columns = Columns(
        booking_date="Date", amount="Amount", usual_currency="EUR", inverted=True, dates="%d/%m/%Y"
    )
    import io

    parts = [*csv.read(io.BytesIO(b"Date,Amount\n02/03/2026,5\n"), {"mine": columns})]
    assert isinstance(parts[1], Entry)
    assert (parts[1].amount_minor, parts[1].booking_date) == (-500, date(2026, 3, 2))
