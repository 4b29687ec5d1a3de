"""How a reconciliation is shown to people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from activities.reconciliation import words
from workers.terminal import visible_value
from workflows.reconciliation import currencies

if TYPE_CHECKING:
    from workers.files_report import FilesReport

_MOST = 50
"""Breaks that are shown; --json has all."""
_COLOURS = {"BALANCED": "green", "BREAKS": "yellow", "INCOMPLETE": "yellow", "PROOF_FAILED": "red"}


def money(amount_minor: int | None, currency: str) -> str:
    """An amount in major units, with its currency; nothing where there is none."""
    return "" if amount_minor is None else currencies.money(amount_minor, currency)


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
        ("between", "rule", "how", "matches"),
        (
            (
                words.LEG[one.leg],
                words.RULE[one.rule],
                words.DISPOSITION[one.disposition],
                f"{one.matches:,}",
            )
            for one in report.matches
        ),
    )
    _breaks(console, report)
    _table(
        console,
        "Not due yet",
        ("between", "age", "items", "amount"),
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


def _breaks(console: Console, report: FilesReport) -> None:
    """A table for each currency: amounts of several are never added up."""
    for currency in sorted({one.currency for one in report.breaks}):
        those = [one for one in report.breaks if one.currency == currency]
        at_risk = money(sum(one.amount_at_risk_minor for one in those), currency)
        _table(
            console,
            f"Breaks in {currency}: {len(those):,}, {at_risk} at risk",
            ("class", "between", "at risk", "subject", "reference"),
            (
                (
                    words.BREAK[one.break_class],
                    words.LEG[one.leg],
                    money(one.amount_at_risk_minor, currency),
                    " ".join(one.subject),
                    one.reference or "",
                )
                for one in those[:_MOST]
            ),
        )
        if len(those) > _MOST:
            console.print(f"and {len(those) - _MOST:,} more: --json has all of them")


def _bridge(console: Console, report: FilesReport) -> None:
    if report.bridge:
        console.print("\nThe bridge", style="bold")
        console.print(words.BRIDGE, style="dim")
    for one in report.bridge:
        if one.is_empty:
            continue
        rows = [
            (words.TERM[term.name], _added(term.amount_minor, one.currency, first=number == 0))
            for number, term in enumerate(one.terms)
        ]
        rows.append((words.RESIDUAL, f"= {money(one.residual_minor, one.currency)}"))
        _table(console, f"{words.EQUATION[one.name]}, {one.currency} ({one.name})", ("", ""), rows)
    if empty := words.nothing_in(one for one in report.bridge if one.is_empty):
        console.print(f"\n{empty}", style="dim")
    if report.out_of_scope:
        named = "; ".join(f"{words.EQUATION[one]} ({one})" for one in report.out_of_scope)
        console.print(f"\nNot judged, the ledger has no lines of it: {named}.", style="dim")


def _added(amount_minor: int, currency: str, *, first: bool) -> str:
    """A term with its sign, as one adds them up; what comes first needs no plus."""
    plus = "+" if amount_minor > 0 and not first else ""
    return f"{plus}{money(amount_minor, currency)}"


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
        table.add_row(*(Text(visible_value(cell)) for cell in row))
    console.print(table)
