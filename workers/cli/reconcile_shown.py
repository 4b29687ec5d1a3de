"""How a reconciliation is shown to people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from activities.reconciliation import words
from connectors.statements.amounts import exponent

if TYPE_CHECKING:
    from workers.files_report import FilesReport

_MOST = 50
"""Breaks that are shown; --json has all."""
_COLOURS = {"BALANCED": "green", "BREAKS": "yellow", "INCOMPLETE": "yellow", "PROOF_FAILED": "red"}


def money(amount_minor: int | None, currency: str) -> str:
    """An amount in major units, with its currency; nothing where there is none."""
    if amount_minor is None:
        return ""
    digits = exponent(currency)
    return f"{Decimal(amount_minor).scaleb(-digits):,.{digits}f} {currency}"


def show(report: FilesReport) -> None:
    """The whole report."""
    # A narrow pipe must not tear ids apart.
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    title, meaning = words.STATUS[report.status]
    since = f"{report.period.first} to " if report.period.first else "up to "
    console.print(Text(f"{title.upper()}  {since}{report.period.last}", _COLOURS[report.status]))
    console.print(meaning, style="dim")
    _table(
        console,
        "Books",
        ("book", "items", "opening", "movements", "closing", "told"),
        (
            (
                words.BOOK[one.book],
                f"{report.items.get(one.book, 0):,}",
                money(one.opening_minor, one.currency),
                money(one.movements_minor, one.currency),
                money(one.closing_minor, one.currency),
                money(one.told_minor, one.currency) or "nobody says",
            )
            for one in report.books
        ),
    )
    _table(
        console,
        "Matches",
        ("leg", "rule", "how", "matches", "items"),
        (
            (
                words.LEG[one.leg],
                one.rule,
                words.DISPOSITION[one.disposition],
                f"{one.matches:,}",
                f"{one.items:,}",
            )
            for one in report.matches
        ),
    )
    _table(
        console,
        "Breaks",
        ("class", "leg", "at risk", "subject", "reference"),
        (
            (
                words.BREAK[one.break_class],
                one.leg,
                money(one.amount_at_risk_minor, one.currency),
                " ".join(one.subject),
                one.reference or "",
            )
            for one in report.breaks[:_MOST]
        ),
    )
    if len(report.breaks) > _MOST:
        console.print(f"and {len(report.breaks) - _MOST:,} more: --json has all of them")
    _table(
        console,
        "Not due yet",
        ("leg", "age", "items", "amount"),
        (
            (
                words.LEG[one.leg],
                words.AGE[one.age],
                f"{one.items:,}",
                money(one.amount_minor, one.currency),
            )
            for one in report.timing
        ),
    )
    _bridge(console, report)
    _problems(console, report)


def _bridge(console: Console, report: FilesReport) -> None:
    for one in report.bridge:
        rows = [
            (words.TERM[term.name], money(term.amount_minor, one.currency)) for term in one.terms
        ]
        rows.append(("residual", money(one.residual_minor, one.currency)))
        _table(console, f"{one.name}  {words.EQUATION[one.name]}, {one.currency}", ("", ""), rows)
    if report.out_of_scope:
        console.print(
            f"\n{', '.join(report.out_of_scope)} not judged: the ledger has no lines of them",
            style="dim",
        )


def _problems(console: Console, report: FilesReport) -> None:
    _table(
        console,
        "Missing",
        ("what", "book", "subject", "amount"),
        (
            (
                words.LACK[one.lack],
                words.BOOK[one.book] if one.book else "",
                one.subject,
                money(one.amount_minor, one.currency) if one.currency else "",
            )
            for one in report.missing
        ),
    )
    _table(
        console,
        "Rows that could not be read",
        ("file", "line", "field", "reason"),
        ((one.file, f"{one.line}", one.field or "", one.reason) for one in report.bad_rows[:_MOST]),
    )


def _table(
    console: Console, title: str, titles: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """A table with a title; without rows nothing."""
    rows = list(rows)
    if not rows:
        return
    console.print(f"\n{title}", style="bold")
    table = Table(box=None, pad_edge=False, show_header=any(titles))
    for number, one in enumerate(titles):
        amounts = one in (
            "items",
            "matches",
            "opening",
            "movements",
            "closing",
            "told",
            "at risk",
            "amount",
            "line",
        ) or (not one and number)
        table.add_column(one, justify="right" if amounts else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
