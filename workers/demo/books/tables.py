"""The books as tables for people: while the act is played, and after it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from workers.demo.books.nights import Night, money
from workers.demo.books.report import BooksReport

_STYLES = {
    "BALANCED": "green",
    "BREAKS": "yellow",
    "INCOMPLETE": "magenta",
    "PROOF_FAILED": "bold red",
}


def live_table(nights: Iterable[Night], *, wide: bool) -> RenderableType:
    """The nights as they are now; where it is wide, also what was paid on their days."""
    table = _nights(paid=wide)
    for night in nights:
        count, amount = night.paid
        paid = f"{count} · {money(amount)}" if count else ""
        seconds = "" if night.seconds is None else f"{night.seconds:.1f} s"
        _row(
            table,
            night.name,
            paid if wide else None,
            night.now,
            _told(night.matched),
            _told(night.breaks),
            money(night.at_risk),
            _told(night.on_its_way),
            money(night.residual),
            seconds,
        )
    return table


def nights_table(books: BooksReport) -> RenderableType:
    """The nights as they came out."""
    table = _nights(paid=False)
    for night in books.nights:
        again = f" ({night.ordinal})" if night.ordinal > 1 else ""
        _row(
            table,
            f" {night.business_date:%a %d %b}{again}",
            None,
            night.status or "",
            str(night.matched),
            str(night.breaks),
            money(night.at_risk_minor),
            str(night.on_its_way),
            money(night.residual_minor),
            f"{night.seconds:.1f} s",
        )
    return table


def planted_table(books: BooksReport) -> RenderableType:
    """What was made to go wrong, beside what was found."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(" planted", no_wrap=True)
    table.add_column("found as", no_wrap=True)
    table.add_column("at risk", no_wrap=True, justify="right")
    table.add_column("on", no_wrap=True)
    for one in books.planted:
        right = one.found == (one.break_class,) and one.found_minor == one.at_risk_minor
        closed = f", closed {one.closed_on:%a}" if one.closed_on else ""
        table.add_row(
            Text(f" {one.title}"),
            Text(", ".join(one.found) or "nothing", style="green" if right else "bold red"),
            money(one.found_minor),
            Text(f"{one.opened_on:%a}{closed}" if one.opened_on else "", style="dim"),
        )
    return table


def _nights(*, paid: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("night", no_wrap=True)
    if paid:
        table.add_column("paid", no_wrap=True, justify="right")
    table.add_column("status", no_wrap=True, width=10)
    for heading in ("matches", "breaks", "at risk", "on way", "residual", "time"):
        table.add_column(heading, no_wrap=True, justify="right")
    return table


def _row(table: Table, name: str, paid: str | None, status: str, *rest: str) -> None:
    cells = [name] if paid is None else [name, paid]
    table.add_row(*cells, Text(status, style=_STYLES.get(status, "cyan")), *rest)


def _told(number: int | None) -> str:
    return "" if number is None else str(number)
