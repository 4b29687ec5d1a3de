"""A world as a folder of files: what a reconciliation of exported files is given."""

import contextlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from simulators.bank.money import major
from simulators.bank.statement import Statement
from simulators.bank.statements import FORMATS
from simulators.world.generate import World
from simulators.world.ledger_csv import LedgerCsv
from simulators.world.manifest import Manifest
from simulators.world.rows import Book, Day
from simulators.world.stripe_csv import StripeCsv, write_summary

_PREFIXES: dict[Book, str] = {"clearing": "", "cash": "cash:", "in_transit": "in_transit:"}


def write(
    world: World,
    folder: Path,
    formats: Sequence[str] = ("camt.053",),
    most: int | None = None,
) -> Manifest:
    """Write ledger.csv, stripe.csv, summary.csv, statement.* and manifest.json.

    A statement file holds all statements of a currency; with several currencies, its name has it.
    `most` is how many entries a page of a statement has. The manifest says by which options
    `perdure reconcile files` is given the files of the first format.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tally, statements = world.tally(), dict[str, list[Statement]]()
    with contextlib.ExitStack() as files:
        ledger = LedgerCsv(files.enter_context((folder / "ledger.csv").open("w", newline="")))
        stripe = _Stripe(
            StripeCsv(files.enter_context((folder / "stripe.csv").open("w", newline=""))),
            set(world.plan.again),
        )
        for day in world.counted(tally):
            ledger.write(day.lines)
            stripe.write(day)
            for statement in day.statements:
                statements.setdefault(statement.currency, []).append(statement)
        stripe.end()
    manifest = world.manifest(tally)
    with (folder / "summary.csv").open("w", newline="") as file:
        write_summary(file, manifest.books)
    names = _write_statements(folder, statements, formats, most)
    arguments = _arguments(manifest, names)
    if world.shape.known_by != "source_id":
        arguments += ["--key", world.shape.known_by]
    told = {**manifest.as_json(), "files": arguments}
    (folder / "manifest.json").write_text(json.dumps(told, indent=2) + "\n")
    return manifest


class _Stripe:
    """A day is written when the payouts that take it along are known: two days later."""

    def __init__(self, file: StripeCsv, again: set[str]) -> None:
        self._file, self._again = file, again
        self._waiting: list[Day] = []
        self._arrivals: dict[str, date] = {}

    def write(self, day: Day) -> None:
        self._arrivals |= {payout.id: payout.arrival_on for payout in day.payouts}
        self._waiting.append(day)
        if len(self._waiting) > 2:
            self._write(self._waiting.pop(0))

    def end(self) -> None:
        while self._waiting:
            self._write(self._waiting.pop(0))

    def _write(self, day: Day) -> None:
        self._file.write(day.transactions, self._arrivals)
        if self._again:
            twice = [each for each in day.transactions if each.id in self._again]
            self._file.write(twice, self._arrivals)


def _write_statements(
    folder: Path,
    statements: dict[str, list[Statement]],
    formats: Sequence[str],
    most: int | None,
) -> list[str]:
    """The names of the first format's files."""
    names = []
    for format_ in formats:
        ending, write_as = FORMATS[format_]
        for currency, its in statements.items():
            name = (
                f"statement.{ending}" if len(statements) == 1 else f"statement.{currency}.{ending}"
            )
            with (folder / name).open("w", newline="") as file:
                write_as(file, its, most)
            if format_ == formats[0]:
                names.append(name)
    return names


def _arguments(manifest: Manifest, statements: list[str]) -> list[str]:
    """What `perdure reconcile files` is given, besides `--json`, in the folder."""
    arguments = ["--ledger", "ledger.csv", "--stripe", "stripe.csv"]
    for name in statements:
        arguments += ["--statement", name]
    arguments += ["--stripe-summary", "summary.csv"]
    for currency, books in sorted(manifest.books.items()):
        for book, prefix in _PREFIXES.items():
            if not (books.rows[book] or books.opening[book]):
                continue
            for option, amount in (
                ("--ledger-opening", books.opening[book]),
                ("--ledger-closing", books.closing(book)),
            ):
                arguments += [option, f"{prefix}{currency}={major(amount, currency)}"]
    return [*arguments, "--from", str(manifest.first_day), "--to", str(manifest.last_day)]
