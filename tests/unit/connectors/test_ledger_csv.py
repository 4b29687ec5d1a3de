"""Our ledger's export: each line is exact, or listed."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pytest

from connectors import ledger_columns
from connectors.csv_rows import BadRow, FileRefused
from connectors.ledger_csv import LedgerLine, read


def lines(text: str) -> list[LedgerLine | BadRow]:
    return list(read(io.BytesIO(text.encode()), "ledger.csv"))


def good(text: str) -> list[LedgerLine]:
    return [line for line in lines(text) if isinstance(line, LedgerLine)]


def bad(text: str) -> list[tuple[int, str | None]]:
    return [(line.line, line.field) for line in lines(text) if isinstance(line, BadRow)]


def test_the_least_that_a_ledger_says_is_enough() -> None:
    [charge, refund] = good(
        "currency,amount,entry_id,booked_at\neur,10.50,e-1,2026-03-01\nEUR,-2,e-1,2026-03-02\n"
    )

    assert charge == LedgerLine(
        entry_id="e-1",
        line=1,
        booked_at=datetime(2026, 3, 1, tzinfo=UTC),
        booked_on=date(2026, 3, 1),
        account="clearing",
        kind="charge",
        currency="EUR",
        amount_minor=1050,
        reference=None,
        payout=None,
        arrival_on=None,
        description=None,
        presentment_minor=None,
        presentment_currency=None,
        derived=False,
    )
    assert (refund.line, refund.kind, refund.amount_minor) == (2, "refund", -200)


def test_a_bad_line_does_not_change_the_number_of_the_next() -> None:
    text = "entry_id,booked_at,currency,amount\ne-1,2026-03-01,EUR,{}\ne-1,2026-03-01,EUR,2\n"

    assert [line.line for line in good(text.format("=A1"))] == [2]
    assert [line.line for line in good(text.format("1"))] == [1, 2]


def test_all_that_a_ledger_may_say_is_read() -> None:
    [line] = good(
        "entry_id,line,booked_at,account,kind,currency,amount_minor,reference,payout,arrival_on,"
        "description,presentment_amount,presentment_currency,derived\n"
        "e-1,3,2026-03-01T23:30:00+02:00,in_transit,payout,JPY,-500,po_1,po_1,2026-03-04,"
        '"=HYPERLINK(""x"")",1.234,KWD,true\n'
    )

    assert line.booked_at == datetime(2026, 3, 1, 21, 30, tzinfo=UTC)
    assert line.booked_on is None
    assert (line.line, line.account, line.amount_minor) == (3, "in_transit", -500)
    assert (line.arrival_on, line.derived) == (date(2026, 3, 4), True)
    assert (line.presentment_minor, line.presentment_currency) == (1234, "KWD")
    assert line.description == '=HYPERLINK("x")'


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (",1,2026-03-01,clearing,EUR,1,,", "entry_id"),
        ("e,x,2026-03-01,clearing,EUR,1,,", "line"),
        ("e,1,yesterday,clearing,EUR,1,,", "booked_at"),
        ("e,1,2026-03-01,bank,EUR,1,,", "account"),
        ("e,1,2026-03-01,clearing,EURO,1,,", "currency"),
        ("e,1,2026-03-01,clearing,EUR,1.005,,", "amount"),
        ("e,1,2026-03-01,clearing,EUR,1.00,101,", "amount"),
        ("e,1,2026-03-01,clearing,EUR,,1.5,", "amount_minor"),
        ("e,1,2026-03-01,clearing,EUR,,,", "amount"),
        ("e,1,2026-03-01,clearing,EUR,,1000000000000001,", "amount_minor"),
        ("e,1,2026-03-01,clearing,EUR,-10000000000000.01,,", "amount"),
        ("e,1,2026-03-01,clearing,EUR,1,,maybe", "derived"),
        (f"{'e' * 256},1,2026-03-01,clearing,EUR,1,,", "entry_id"),
        ("ann@example.com,1,2026-03-01,clearing,EUR,1,,", "entry_id"),
        ("Ann Example,1,2026-03-01,clearing,EUR,1,,", "entry_id"),
        ("e\x07e,1,2026-03-01,clearing,EUR,1,,", "entry_id"),
        ('"e\ne",1,2026-03-01,clearing,EUR,1,,', "entry_id"),
        ("e,1,0001-01-01,clearing,EUR,1,,", "booked_at"),
        ("e,1,1969-12-31,clearing,EUR,1,,", "booked_at"),
        ("e,1,2099-01-01,clearing,EUR,1,,", "booked_at"),
        ("e,1,2026-03-01,clearing,XXQ,1,,", "currency"),
        ("e,1,2026-03-01,clearing,EUR,10000000000000.01,,", "amount"),
        ("e,1,2026-03-01,clearing,EUR,,-1000000000000001,", "amount_minor"),
    ],
)
def test_a_line_of_which_anything_cannot_be_read_is_listed(row: str, field: str | None) -> None:
    header = "entry_id,line,booked_at,account,currency,amount,amount_minor,derived\n"

    assert bad(header + row) == [(2, field)]
    assert good(header + row) == []


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ("ann@example.com,,,", "reference"),
        ("r 1,,,", "reference"),
        (",p\x1b,,", "payout"),
        (",,1000000000000.001,KWD", "presentment_amount"),
        (",,1,XXQ", "presentment_currency"),
    ],
)
def test_what_a_line_refers_to_is_held_to_the_same(cells: str, field: str) -> None:
    columns = "reference,payout,presentment_amount,presentment_currency"
    header = f"entry_id,booked_at,currency,amount,{columns}\n"

    assert bad(f"{header}e,2026-03-01,EUR,1,{cells}") == [(2, field)]


def test_a_line_counts_once_and_another_under_its_number_is_bad() -> None:
    text = (
        "entry_id,line,booked_at,currency,amount\n"
        "e,1,2026-03-01,EUR,1\ne,1,2026-03-01,EUR,1.00\ne,1,2026-03-01,EUR,2\n"
    )

    assert [line.amount_minor for line in good(text)] == [100]
    assert bad(text) == [(4, "entry_id")]


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("entry_id,booked_at,currency,amount,balance", "unknown_column"),
        ("entry_id,booked_at,currency", "missing_column"),
        ("booked_at,currency,amount", "missing_column"),
    ],
)
def test_a_ledger_with_other_columns_is_refused(header: str, error: str) -> None:
    with pytest.raises(FileRefused) as refused:
        lines(header + "\n")

    assert refused.value.error == error


def test_columns_list_what_rows_list() -> None:
    cells = (
        *("e,2026-03-01,EUR,1,r", "ann@example.com,2026-03-01,EUR,1,r", "e 1,2026-03-01,EUR,1,r"),
        *("e,2099-01-01,EUR,1,r", "e,1969-12-31,EUR,1,r", "e,2026-03-01,XXQ,1,r"),
        *("e,2026-03-01,EUR,10000000000000.01,r", "e,2026-03-01,EUR,1,ann@example.com"),
    )
    text = "\n".join(("entry_id,booked_at,currency,amount,reference", *cells))
    by_columns = ledger_columns.read(io.BytesIO(text.encode()), "ledger.csv")

    listed = [row for row in by_columns if isinstance(row, BadRow)]
    assert listed == [row for row in lines(text) if isinstance(row, BadRow)]
    assert len(listed) == len(cells) - 1
