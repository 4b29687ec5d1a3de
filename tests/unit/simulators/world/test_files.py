"""The files of a world are read back as the world has them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar, get_args
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from activities.reconciliation.columns import items_of_ledger, items_of_report
from activities.reconciliation.sources import items_of_movements
from connectors import ledger_columns
from connectors.csv_rows import BadRow
from connectors.stripe import report_columns, report_csv
from database.reconciliation.item import NewItem
from simulators.bank.money import exponent
from simulators.bank.statement import Entry, Statement
from simulators.bank.statements import FORMATS
from simulators.world.files import write
from simulators.world.generate import World
from simulators.world.planting import ALL, plant
from simulators.world.shape import KnownBy, Shape
from simulators.world.stripe_csv import StripeCsv
from tests.unit.connectors.statements.reading import Whole, statements
from tests.worlds import line_item, transaction_items

Row = TypeVar("Row")

UTC = ZoneInfo("UTC")
SHAPE = Shape(seed=4, days=5, payments=80, currencies=("EUR", "JPY", "KWD"))
MAIN = [each for each in FORMATS if each not in ("ofx", "csv")]


def all_statements(world: World) -> dict[str, list[Statement]]:
    found: dict[str, list[Statement]] = {}
    for day in world.days():
        for each in day.statements:
            found.setdefault(each.currency, []).append(each)
    return found


def read_back(format_: str, some: list[Statement], most: int | None = None) -> list[Whole]:
    file = io.StringIO(newline="")
    FORMATS[format_][1](file, some, most)
    return statements(file.getvalue())


def told(entry: Entry) -> tuple[Any, ...]:
    return (
        entry.booked_on, entry.value_on, entry.amount, entry.currency, entry.reference,
        entry.trace, entry.description,
    )  # fmt: skip


def known(whole: Whole) -> list[tuple[Any, ...]]:
    return [
        (
            each.booking_date, each.value_date, each.amount_minor, each.currency, each.reference,
            each.end_to_end_id, each.description,
        )
        for each in whole.entries
    ]  # fmt: skip


@pytest.mark.parametrize("format_", MAIN)
def test_a_statement_is_read_back_proven_and_whole(format_: str) -> None:
    for currency, written in all_statements(plant(SHAPE, ALL)).items():
        read = read_back(format_, written)
        assert len(read) == len(written)
        for whole, statement in zip(read, written, strict=True):
            assert whole.proven.proof == "proven"
            assert (whole.opened.account, whole.opened.currency) == (statement.account, currency)
            assert whole.closed.opening is not None
            assert whole.closed.closing is not None
            assert whole.closed.opening.amount_minor == statement.opening
            assert whole.closed.closing.amount_minor == statement.closing
            assert known(whole) == [told(entry) for entry in statement.entries]


@pytest.mark.parametrize("format_", ["camt.053", "mt940"])
def test_pages_of_a_statement_prove_themselves_one_by_one(format_: str) -> None:
    for written in all_statements(plant(SHAPE, ALL)).values():
        read = read_back(format_, written, 2)
        assert len(read) > len(written)
        assert all(whole.proven.proof == "proven" for whole in read)
        assert [each for whole in read for each in known(whole)] == [
            told(entry) for statement in written for entry in statement.entries
        ]
        assert len({whole.opened.statement_id for whole in read}) == len(read)


def test_ofx_is_read_back_and_proves_nothing() -> None:
    for written in all_statements(plant(SHAPE, ALL)).values():
        read = read_back("ofx", written)
        assert {whole.proven.proof for whole in read} == {"unprovable"}
        assert [each for whole in read for each in known(whole)] == [
            told(entry) for statement in written for entry in statement.entries
        ]


def test_csv_is_one_statement_with_the_name_that_a_payer_gave_as_reference() -> None:
    for written in all_statements(plant(SHAPE, ALL)).values():
        [whole] = read_back("csv", written)
        assert whole.proven.proof == "proven"
        entries = [entry for statement in written for entry in statement.entries]
        assert whole.amounts == [entry.amount for entry in entries]
        assert [each.reference for each in whole.entries] == [each.known_by for each in entries]


@pytest.mark.parametrize("format_", [*MAIN, "csv"])
def test_a_statement_that_leaves_something_out_is_unproven(format_: str) -> None:
    world = plant(Shape(seed=4), ["statement_unproven"])
    [entry] = [each for day in world.days() for each in day.unstated]
    read = read_back(format_, all_statements(world)["EUR"])
    [wrong] = [whole for whole in read if whole.proven.proof != "proven"]
    assert wrong.proven.proof == "unproven"
    assert wrong.proven.difference_minor == entry.amount or format_ == "csv"


def test_a_statement_that_does_not_come_leaves_a_gap() -> None:
    numbers = [s.number for s in all_statements(plant(Shape(seed=4), ["19"]))["EUR"]]
    [gap] = {*range(1, numbers[-1] + 1)} - {*numbers}
    assert 1 < gap < numbers[-1]


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as open_file:
        return [*csv.DictReader(open_file)]


def _minor(text: str, currency: str) -> int:
    amount = Decimal(text).scaleb(exponent(currency.upper()))
    assert amount == int(amount)
    return int(amount)


def test_files_have_every_row_in_major_units(tmp_path: Path) -> None:
    world = plant(SHAPE, ALL)
    manifest = write(world, tmp_path)
    lines = [line for day in world.days() for line in day.lines]
    ledger = _rows(tmp_path / "ledger.csv")
    assert [
        (r["entry_id"], int(r["line"]), _minor(r["amount"], r["currency"])) for r in ledger
    ] == [(line.entry, line.line, line.amount) for line in lines]
    stripe = _rows(tmp_path / "stripe.csv")
    transactions = [each for day in world.days() for each in day.transactions]
    assert len(stripe) == len(transactions) + 1  # one is told twice
    by_id = {row["balance_transaction_id"]: row for row in stripe}
    for each in transactions:
        row = by_id[each.id]
        amounts = [_minor(row[name], row["currency"]) for name in ("gross", "fee", "net")]
        assert amounts == [each.gross, each.fee, each.net]
    for row in _rows(tmp_path / "summary.csv"):
        books = manifest.books[row["currency"].upper()]
        if row["category"] == "ending_balance":
            assert _minor(row["net_amount"], row["currency"]) == books.closing("processor")


def good(rows: Iterable[Row | BadRow]) -> Iterator[Row]:
    return (row for row in rows if not isinstance(row, BadRow))


def items(frames: Iterable[pl.DataFrame]) -> list[NewItem]:
    return [NewItem(**row) for frame in frames for row in frame.iter_rows(named=True)]


@pytest.mark.parametrize("key", get_args(KnownBy))
def test_files_are_read_back_as_the_items_that_a_world_has(tmp_path: Path, key: KnownBy) -> None:
    world = plant(replace(SHAPE, known_by=key, failing=0.3, manual=0.3), ALL)
    write(world, tmp_path)
    with (tmp_path / "ledger.csv").open("rb") as file:
        lines = [items_of_ledger(each, UTC) for each in good(ledger_columns.read(file, "L"))]
    assert items(lines) == [line_item(line) for day in world.days() for line in day.lines]
    with (tmp_path / "stripe.csv").open("rb") as file:
        movements = [*good(report_csv.read(file, "S"))]
        file.seek(0)
        report = [
            items_of_report(each, [key], UTC) for each in good(report_columns.read(file, "S"))
        ]
    expected = [
        item
        for day in world.days()
        for each in day.transactions
        for item in transaction_items(each, key=key, by_report=True)
    ]
    assert [*items_of_movements(movements, [key], UTC)] == expected
    by_source = attrgetter("source_id")
    assert sorted(items(report), key=by_source) == sorted(expected, key=by_source)
    with (tmp_path / "summary.csv").open("rb") as file:
        told = report_csv.read_summary(file, "S")
    for currency, books in world.manifest().books.items():
        assert told[currency].opening_minor == books.opening["processor"]
        assert told[currency].closing_minor == books.closing("processor")


def test_the_report_of_payouts_has_what_automatic_ones_consist_of() -> None:
    file = io.StringIO()
    report = StripeCsv(file, "payout_reconciliation.itemized.5")
    world = World(SHAPE)
    for day in world.days():
        report.write(day.transactions)
    rows = [*csv.DictReader(io.StringIO(file.getvalue()))]
    assert next(iter(rows[0])) == "automatic_payout_id"
    assert {row["balance_transaction_id"] for row in rows} == {
        each.id
        for day in world.days()
        for each in day.transactions
        if each.payout and each.category != "payout"
    }


def test_the_command_writes_a_folder_with_its_manifest(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulators.world", "--days", "3", "--payments", "20"]
    options = ["--plant", "all", "--seed", "7", "--statement", "mt940", "--out", str(tmp_path)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "17 breaks to be found, BREAKS" in done.stdout
    names = {each.name for each in tmp_path.iterdir()}
    assert names == {"ledger.csv", "stripe.csv", "summary.csv", "statement.sta", "manifest.json"}
    told = json.loads((tmp_path / "manifest.json").read_text())
    assert (told["status"], len(told["planted"])) == ("BREAKS", 19)
    assert told["files"][:4] == ["--ledger", "ledger.csv", "--stripe", "stripe.csv"]


def test_the_command_says_what_it_does_not_know(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulators.world", "--out", str(tmp_path)]
    done = subprocess.run([*command, "--plant", "x"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no discrepancy 'x'" in done.stderr
