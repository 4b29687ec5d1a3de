"""A certificate as a page that a finance person can read and print.

It is one file: no script, nothing loaded from elsewhere, so that it reads the same in ten years.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from itertools import groupby, islice
from xml.etree.ElementTree import Element

from activities.reconciliation import words
from activities.reconciliation.chart import chart
from activities.reconciliation.markup import Child, document, element
from activities.reconciliation.style import STYLE
from workflows.reconciliation.break_list import BreakLine
from workflows.reconciliation.certificate import Certificate, Equation, age_of, certificate_id
from workflows.reconciliation.currencies import exponent

LARGEST = 50
"""How many breaks the page lists; the list as CSV has all."""

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; img-src data:; style-src 'sha256-{_STYLE_HASH}'"

_Row = Sequence[Child]


def page(certificate: Certificate, breaks: Iterable[BreakLine]) -> str:
    """The page. `breaks` are the open breaks, those with the most at risk first."""
    title = f"Reconciliation of {certificate.account}, {certificate.business_date:%d %B %Y}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("link", rel="icon", href="data:,"),
        element("style", STYLE),
    )
    parts = (
        _header(certificate),
        _missing(certificate),
        _bridge(certificate),
        _controls(certificate),
        _roll_forward(certificate),
        _breaks(certificate, breaks),
        _timing(certificate),
        _matched(certificate),
        _rests_on(certificate),
    )
    return document(element("html", head, element("body", element("main", *parts)), lang="en"))


def money(minor: int, currency: str) -> str:
    """Minor units as people write them: `-1,234.50`, with a true minus sign."""
    digits = exponent(currency)
    whole, part = divmod(abs(minor), 10**digits)
    sign = "−" if minor < 0 else ""
    return f"{sign}{whole:,}" + (f".{part:0{digits}}" if digits else "")


def _header(of: Certificate) -> Element:
    name, sentence = words.STATUS[of.status]
    return element(
        "header",
        element("p", "Certificate of reconciliation", class_="kicker"),
        element("h1", of.account),
        element("p", f"{of.business_date:%A, %d %B %Y}", _run(of), class_="date"),
        element(
            "div",
            element("strong", name),
            element("span", sentence),
            class_=f"status {of.status.lower()}",
        ),
    )


def _run(of: Certificate) -> str:
    if of.supersedes is None:
        return f" · run {of.ordinal}"
    return f" · run {of.ordinal}, in the place of certificate {of.supersedes[:12]}"


def _missing(of: Certificate) -> Element | None:
    if not of.missing:
        return None
    rows = [
        (
            words.LACK[one.lack],
            words.BOOK[one.book] if one.book else "",
            one.subject,
            one.currency or "",
            ""
            if one.amount_minor is None or one.currency is None
            else money(one.amount_minor, one.currency),
        )
        for one in of.missing
    ]
    head = ("What is missing", "Book", "About", "Currency", "By")
    return _section("What is missing", _table(head, rows, figures=1))


def _bridge(of: Certificate) -> Element:
    parts: list[Child] = [element("p", words.BRIDGE)] if of.bridge else []
    told = [one for one in of.bridge if not one.is_empty]
    for currency, those in groupby(told, key=lambda one: one.currency):
        parts.append(element("h3", currency))
        parts.append(element("div", *(_equation(one) for one in those), class_="columns"))
    if not of.bridge:
        parts.append(element("p", "Nothing to compare: no currency has a balance."))
    elif empty := words.nothing_in(one for one in of.bridge if one.is_empty):
        parts.append(element("p", empty))
    return _section("The bridge", *parts)


def _equation(one: Equation) -> Element:
    body = element("tbody")
    for number, term in enumerate(one.terms):
        amount = money(term.amount_minor, one.currency)
        plus = "+" if number and term.amount_minor > 0 else ""
        body.append(_row((words.TERM[term.name], f"{plus}{amount}"), figures=1))
    holds = "residual" if one.residual_minor == 0 else "residual fails"
    residual = (words.RESIDUAL, f"= {money(one.residual_minor, one.currency)}")
    body.append(_row(residual, figures=1, class_=holds))
    name = element("caption", element("b", words.EQUATION[one.name]), f" · {one.name}")
    return element("table", name, body, class_="bridge")


def _controls(of: Certificate) -> Element:
    rows = [
        (
            words.BOOK[one.book],
            one.currency,
            one.source,
            money(one.opening_minor, one.currency),
            money(one.movements_minor, one.currency),
            money(one.closing_minor, one.currency),
            "not told" if one.source_minor is None else money(one.source_minor, one.currency),
            _mark(one.proven),
        )
        for one in of.controls
    ]
    head = ("Book", "", "Source", "Opening", "Movements", "Closing", "Source says", "Proven")
    return _section("Balances", _table(head, rows, figures=5))


def _roll_forward(of: Certificate) -> Element:
    rows = [
        (
            words.LEG[one.leg],
            one.currency,
            money(one.opening_minor, one.currency),
            money(one.new_minor, one.currency),
            money(one.cleared_minor, one.currency),
            money(one.closing_minor, one.currency),
            _mark(one.residual_minor == 0),
        )
        for one in of.roll_forward
    ]
    head = ("Between", "", "Open before", "New", "Cleared", "Open now", "Adds up")
    return _section("What is open, from day to day", _table(head, rows, figures=5))


def _breaks(of: Certificate, lines: Iterable[BreakLine]) -> Element:
    if not of.breaks and not of.break_movements:
        return _section("Breaks", element("p", "No break is open."))
    parts: list[Child] = []
    in_order = sorted(of.breaks, key=lambda one: one.currency)
    for currency, those in groupby(in_order, key=lambda one: one.currency):
        totals = list(those)
        count = sum(one.breaks for one in totals)
        at_risk = sum(one.at_risk_minor for one in totals)
        told = f"{currency}: {count:,} open, {money(at_risk, currency)} at risk"
        parts.append(element("h3", told))
        parts.append(chart(totals, lambda minor, of=currency: money(minor, of)))  # type: ignore[misc]
    parts += [_break_movements(of), *_largest(of, lines)]
    return _section("Breaks", *parts)


def _break_movements(of: Certificate) -> Element:
    rows = [
        (
            words.BREAK[one.break_class],
            one.currency,
            *_counted(one.opening, one.opening_minor, one.currency),
            *_counted(one.new, one.new_minor, one.currency),
            *_counted(one.cleared, one.cleared_minor, one.currency),
            *_counted(one.closing, one.closing_minor, one.currency),
        )
        for one in of.break_movements
    ]
    head = ("Class", "", "Before", "at risk", "New", "at risk", "Cleared", "at risk", "Now", "")
    return _table((*head[:9], "at risk"), rows, figures=8)


def _counted(count: int, minor: int, currency: str) -> tuple[str, str]:
    return (f"{count:,}", money(minor, currency)) if count else ("–", "–")


def _largest(of: Certificate, lines: Iterable[BreakLine]) -> list[Child]:
    shown = sorted(islice(lines, LARGEST), key=lambda one: one.currency)
    there_are = sum(one.breaks for one in of.breaks)
    which = "those with the most at risk" if there_are > len(shown) else "each of them"
    head = ("Class", "Between", "About", "Reference", "Since", "Age", "At risk")
    parts: list[Child] = []
    for currency, those in groupby(shown, key=lambda one: one.currency):
        rows = [
            (
                words.BREAK[one.break_class],
                words.LEG[one.leg],
                element("code", " ".join(one.subject)),
                one.reference or "",
                f"{one.opened_on:%d %b %Y}",
                words.AGE[age_of(one.opened_on, of.business_date)],
                money(one.at_risk_minor, currency),
            )
            for one in those
        ]
        parts += [element("h3", f"{currency}, {which}"), _table(head, rows, figures=1)]
    return parts


def _timing(of: Certificate) -> Element | None:
    if not of.timing:
        return None
    rows = [
        (
            words.LEG[one.leg],
            words.AGE[one.age],
            one.currency,
            f"{one.items:,}",
            money(one.amount_minor, one.currency),
        )
        for one in of.timing
    ]
    head = ("Between", "Age", "", "Items", "Open")
    return _section("Not due on the other side yet", _table(head, rows, figures=2))


def _matched(of: Certificate) -> Element:
    if not of.matched:
        return _section("Matches of the day", element("p", "Nothing was matched."))
    counts = {(one.leg, one.rule, one.disposition): one.matches for one in of.matches}
    rows = [
        (
            words.LEG[one.leg],
            f"{words.RULE[one.rule]}, {words.DISPOSITION[one.disposition]}",
            one.currency,
            f"{counts.get((one.leg, one.rule, one.disposition), 0):,}",
            f"{one.items:,}",
            money(one.independent_minor, one.currency),
            money(one.derived_minor, one.currency),
            money(one.theirs_minor, one.currency),
        )
        for one in of.matched
    ]
    head = ("Between", "How", "", "Matches", "Items", "One side", "and derived", "Other side")
    return _section("Matches of the day", _table(head, rows, figures=5))


def _rests_on(of: Certificate) -> Element:
    cut = of.cut
    facts: list[tuple[str, str]] = [
        ("Certificate", certificate_id(of)),
        ("Certificate of the day before", of.previous or "none: the load at the beginning"),
        ("Inputs", cut.hash),
        ("Results", of.result_hash),
        ("Rules", cut.rules),
        ("Stripe until", f"{cut.processor_before:%Y-%m-%d %H:%M} UTC"),
        *((words.BOOK[one.book], f"{one.items:,} items · {one.hash}") for one in cut.contents),
        *((f"Proven until {one.day:%Y-%m-%d}", one.bank_account) for one in cut.proven),
        *([("Statements", ", ".join(cut.statements))] if cut.statements else []),
    ]
    told = element("dl")
    for name, value in facts:
        told.append(element("dt", name))
        told.append(element("dd", value))
    return _section("What it rests on", told)


def _section(title: str, *parts: Child) -> Element:
    return element("section", element("h2", title), *parts)


def _table(head: Sequence[str], rows: Iterable[_Row], *, figures: int) -> Element:
    """A table whose last columns are figures; it scrolls by itself where it is too wide."""
    body = element("tbody", *(_row(row, figures=figures) for row in rows))
    return element("div", element("table", _head(head, figures=figures), body), class_="wide")


def _head(names: Sequence[str], *, figures: int) -> Element:
    return element("thead", _row(names, figures=figures, cell="th"))


def _row(cells: _Row, *, figures: int = 0, cell: str = "td", class_: str = "") -> Element:
    first = len(cells) - figures
    row = element("tr", **({"class_": class_} if class_ else {}))
    for place, content in enumerate(cells):
        figure = {"class_": "figure"} if place >= first else {}
        row.append(element(cell, content, **figure))
    return row


def _mark(holds: bool) -> Element:
    return element("span", "✓ yes" if holds else "✗ no", class_="holds" if holds else "fails")
