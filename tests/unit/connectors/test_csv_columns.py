"""Files are read by columns as they are read by rows: the same rows, and the same of them bad."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, TypeVar
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from connectors import csv_rows, ledger_columns, ledger_csv
from connectors.csv_rows import BadRow
from connectors.ledger_csv import LedgerLine
from connectors.movements import Movement
from connectors.stripe import report_columns, report_csv
from connectors.stripe.report_columns import reference_column

Cells = dict[str, list[str]]
Fields = TypeVar("Fields", bound=LedgerLine | Movement | BadRow)

# The first of each is of the ordinary form.
TEXTS = ["charge", "", " e-1 ", "\u3000e\x1c", "\x1f", "é", "a,b", 'a"b', "x" * 255, "x" * 256]
TIMES = [
    *("2026-03-01 10:20:30", "2026-03-01", "2026-03-01T10:20:30Z", "2026-03-01T10:20:30+00:00"),
    *("2026-03-01T10:20:30+02:00", "2026-03-01 10:20:30.5", "2026-03-01T10:20", "20260301", ""),
    *("2026-02-30", "2026-03-01 24:00:00", "2026-03-01 10:20:60", "0000-01-01", "0001-01-01"),
    *("2026-W10-1", "1 March", " 2026-03-01", "2026-03-01Z", "٢٠٢٦-03-01", "2026-03-01 10:20:30\n"),
    *("2026-3-1", "1969-12-31 23:59:59", "2026-03-01x10:20:30", "2026-03-01 10:20:30z"),
]
AMOUNTS = [
    *("1.00", "12.50", "-0.50", "1.5", "7", "-0", "0.00", "1.000", "1.005", "1.2345", "00012.10"),
    *("+3.00", "1e3", "", "=1", "1,5", "99999999999999", "9999999999999.99", "1.", ".5", " 1", "-"),
    *("١", "1.00\n", "0", "12.00", "11.50", "0.5"),
]
CURRENCIES = ["EUR", "eur", "JPY", "kwd", "CLF", "USD", "EURO", "", " EUR", "12A", "ÉUR", "eur\n"]
LEDGER: Cells = {
    "entry_id": ["e-1", "e-2", "e-3", *TEXTS],
    "line": ["1", "2", "01", "+1", "-1", "x", "", "2147483648", "99999999999999999999", "٣", " 1"],
    "booked_at": TIMES,
    "account": ["clearing", "cash", "in_transit", "", " cash", "bank"],
    "kind": TEXTS,
    "currency": CURRENCIES,
    "amount": AMOUNTS,
    "amount_minor": ["", "100", "-50", "+1", "x", " ", "1.0", "0100"],
    "reference": TEXTS,
    "payout": TEXTS,
    "arrival_on": ["", *TIMES],
    "description": TEXTS,
    "presentment_amount": ["", *AMOUNTS],
    "presentment_currency": ["", *CURRENCIES],
    "derived": ["", "true", "false", "True", " true"],
}
REPORT: Cells = {
    "balance_transaction_id": ["txn_1", "txn_2", "txn_3", *TEXTS],
    "created_utc": TIMES,
    "available_on_utc": TIMES,
    "currency": CURRENCIES,
    "gross": ["12.00", *AMOUNTS],
    "fee": ["0.50", "0.00", *AMOUNTS],
    "net": ["11.50", "12.00", *AMOUNTS],
    "reporting_category": ["charge", "payout", "payout_reversal", *TEXTS],
    "source_id": ["ch_1", *TEXTS],
    "description": TEXTS,
    "customer_facing_amount": ["", *AMOUNTS],
    "customer_facing_currency": ["", *CURRENCIES],
    "automatic_payout_id": ["po_1", *TEXTS],
    "automatic_payout_effective_at_utc": ["", *TIMES],
    "charge_id": TEXTS,
    "payment_metadata[order]": TEXTS,
    "card_brand": TEXTS,
    "trace_id": ["", *TEXTS],
}
BROKEN = [
    b"",
    b"\r",
    b"a,b",
    b'"open',
    b'a"b,"c"d,',
    b"\xff",
    b"\0",
    b",\xed\xa0\x80",
    b"\xef\xbb\xbf",
]


@some.composite
def files(draw: some.DrawFn, cells: Cells) -> bytes:
    """A file of ordinary rows, of which some are there twice, some are odd, and some broken."""
    titles = draw(some.sampled_from([[*cells], [*cells], [*cells][::-1], _fewest(cells)]))
    id_ = next(iter(cells))
    row = some.builds(
        lambda known_by, odd: [
            ({id_: known_by} | odd).get(title, cells[title][0]) for title in titles
        ],
        some.sampled_from(cells[id_][:3]),
        some.lists(some.sampled_from(titles), max_size=3).flatmap(
            lambda those: some.fixed_dictionaries({t: some.sampled_from(cells[t]) for t in those})
        ),
    )
    quoting = some.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, None])
    rows = some.builds(_line, row, quoting)
    lines = draw(some.lists(some.one_of(rows, rows, rows, some.sampled_from(BROKEN)), max_size=9))
    lines += draw(some.lists(some.sampled_from(lines), max_size=3)) if lines else []
    end = draw(some.sampled_from([b"\n", b"\n", b"\r\n"]))
    return end.join([",".join(titles).encode(), *lines]) + draw(some.sampled_from([b"", end]))


def _fewest(cells: Cells) -> list[str]:
    optional = {"line", "source_id", "amount_minor", "account", "derived", "charge_id"}
    return [title for title in cells if title not in optional]


def _line(row: list[str], quoting: int | None) -> bytes:
    if quoting is None:
        return ",".join(row).encode()
    written = io.StringIO()
    csv.writer(written, quoting=quoting, lineterminator="").writerow(row)  # type: ignore[arg-type]
    return written.getvalue().encode()


def by_rows(read: Callable[[BinaryIO, str], Iterator[Fields]], file: bytes) -> list[Fields]:
    return list(read(io.BytesIO(file), "a.csv"))


def by_columns(
    read: Callable[[BinaryIO, str], Iterator[pl.DataFrame | BadRow]], file: bytes
) -> tuple[list[dict[str, object]], list[BadRow]]:
    told = list(read(io.BytesIO(file), "a.csv"))
    frames = [each for each in told if isinstance(each, pl.DataFrame)]
    bad = [each for each in told if isinstance(each, BadRow)]
    return [row for frame in frames for row in frame.iter_rows(named=True)], bad


def fields(movement: Movement, names: Iterable[str]) -> dict[str, object]:
    references = {reference_column(name): told for name, told in movement.references.items()}
    known = movement._asdict() | {"fee_minor": movement.gross_minor - movement.net_minor}
    return {name: known[name] if name in known else references.get(name) for name in names}


def assert_same_ledger(file: bytes) -> None:
    rows = by_rows(ledger_csv.read, file)
    found, bad = by_columns(ledger_columns.read, file)
    assert found == [row._asdict() for row in rows if isinstance(row, LedgerLine)]
    assert bad == [row for row in rows if isinstance(row, BadRow)]


def assert_same_report(file: bytes) -> None:
    rows = by_rows(report_csv.read, file)
    found, bad = by_columns(report_columns.read, file)
    names = found[0] if found else ()
    assert found == [fields(row, names) for row in rows if isinstance(row, Movement)]
    assert bad == [row for row in rows if isinstance(row, BadRow)]


def ordinary(cells: Cells, **instead: str) -> bytes:
    row = {title: those[0] for title, those in cells.items()} | instead
    return _line([*row.values()], csv.QUOTE_MINIMAL)


def each_cell(cells: Cells, **usual: str) -> bytes:
    """A file in which each cell of the table stands in a row that is otherwise as usual.

    Each also stands in one that has the id of another row.
    """
    id_, *_ = cells
    odd = [{title: told} for title, those in cells.items() for told in those]
    lines = [
        ordinary(cells, **(usual | one))
        for at, cell in enumerate(odd)
        for one in ({id_: f"a-{at}"} | cell, {id_: f"b-{at}"}, {id_: f"b-{at}"} | cell)
    ]
    return b"\n".join([",".join(cells).encode(), *lines])


@pytest.mark.parametrize(
    "usual",
    [
        {},
        {"currency": "JPY", "amount": "1"},
        {"amount_minor": "100"},
        {"presentment_amount": "1.00", "presentment_currency": "usd"},
    ],
)
def test_no_cell_of_a_ledger_means_another_thing_by_columns(usual: dict[str, str]) -> None:
    assert_same_ledger(each_cell(LEDGER, **usual))


@pytest.mark.parametrize(
    "usual",
    [
        {},
        {"currency": "kwd", "fee": "0.00", "net": "12.00"},
        {"reporting_category": "payout", "automatic_payout_id": ""},
        {"customer_facing_amount": "1.00", "customer_facing_currency": "usd"},
        {"customer_facing_amount": "1.00", "customer_facing_currency": "eur"},
    ],
)
def test_no_cell_of_a_report_means_another_thing_by_columns(usual: dict[str, str]) -> None:
    assert_same_report(each_cell(REPORT, **usual))


def test_the_same_transaction_with_another_fee_is_bad_by_columns_too() -> None:
    changed = ordinary(REPORT, fee="0.00", net="12.00")
    assert_same_report(b"\n".join([",".join(REPORT).encode(), ordinary(REPORT), changed]))


@pytest.mark.parametrize(
    "text",
    [
        b"a\rb",
        b"a\0b",
        b"\xff",
        b"\xed\xa0\x80",
        b"x" * 131_072,
        b"x" * 131_073,
        b"a,b",
        b"\n",
        b'a"b',
        b'"',
    ],
)
def test_what_is_no_text_or_no_cell_is_none_by_columns(text: bytes) -> None:
    row = ordinary(LEDGER)
    told = ordinary(LEDGER, entry_id="e-2", description="TEXT").replace(b"TEXT", text)
    shorter = row.replace(b"e-1", b"e-3").rpartition(b",")[0]
    header = ",".join(LEDGER).encode()
    assert_same_ledger(b"\n".join([header, row, told, row]))
    assert_same_ledger(b"\n".join([header, row, shorter, told, row]))
    assert_same_ledger(b"\n".join([header, row, told, shorter, row]))


def test_a_mark_of_byte_order_is_text_where_no_file_begins() -> None:
    row = ordinary(LEDGER)
    lines = [",".join(LEDGER).encode(), b"\xef\xbb\xbf" + row, row]
    assert_same_ledger(b"\n".join(lines))


blocks = some.sampled_from([64, 300, 4_194_304])


@settings(max_examples=60, deadline=None)
@given(files(LEDGER), blocks)
def test_a_ledger_by_columns_is_the_ledger_by_rows(file: bytes, block: int) -> None:
    with patch.object(csv_rows, "_BLOCK", block):
        assert_same_ledger(file)


@settings(max_examples=60, deadline=None)
@given(files(REPORT), blocks)
def test_a_report_by_columns_is_the_report_by_rows(file: bytes, block: int) -> None:
    with patch.object(csv_rows, "_BLOCK", block):
        assert_same_report(file)
