"""What `perdure reconcile files` answers: matches, breaks and the bridge, in minor units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from pydantic import BaseModel

from connectors.csv_rows import BadRow
from workflows.reconciliation.books import Book, BreakClass, Leg, Status
from workflows.reconciliation.break_list import BreakLine
from workflows.reconciliation.certificate import (
    Certificate,
    Equation,
    EquationName,
    MatchCount,
    Missing,
    RollForward,
    TimingTotal,
)
from workflows.reconciliation.proof import NEEDS


class Period(BaseModel):
    """The days that were compared; without `first` all that the files have up to `last`."""

    first: date | None
    last: date


class BookTotals(BaseModel):
    """A book in one currency: what was there, what moved, and what the source says at the end."""

    book: Book
    currency: str
    opening_minor: int
    movements_minor: int
    closing_minor: int
    told_minor: int | None
    told_by: str


class Break(BaseModel):
    """A break. `side` is the book that it was found in, `subject` the sources' own ids."""

    break_class: BreakClass
    leg: Leg
    side: Book
    currency: str
    amount_at_risk_minor: int
    open_minor: int
    subject: tuple[str, ...]
    kind: str
    reference: str | None
    opened_on: date


class BadRowLine(BaseModel):
    """A row that could not be read, and counts for nothing."""

    file: str
    line: int
    field: str | None
    reason: str


class FilesReport(BaseModel):
    """How exported books compare.

    items         how many items each book has
    out_of_scope  equations that the files say nothing about
    missing       what makes it INCOMPLETE
    """

    status: Status
    account: str
    period: Period
    items: dict[Book, int]
    books: tuple[BookTotals, ...]
    matches: tuple[MatchCount, ...]
    breaks: tuple[Break, ...]
    timing: tuple[TimingTotal, ...]
    bridge: tuple[Equation, ...]
    roll_forward: tuple[RollForward, ...]
    out_of_scope: tuple[EquationName, ...]
    missing: tuple[Missing, ...]
    bad_rows: tuple[BadRowLine, ...]
    result_hash: str


def report(
    certificate: Certificate,
    breaks: Iterable[BreakLine],
    bad_rows: Iterable[BadRow],
    *,
    first: date | None,
) -> FilesReport:
    """The answer, from the certificate of the run and its breaks."""
    scope = set(certificate.scope)
    outside: Sequence[EquationName] = [name for name, needs in NEEDS.items() if not needs <= scope]
    return FilesReport(
        status=certificate.status,
        account=certificate.account,
        period=Period(first=first, last=certificate.business_date),
        items={one.book: one.items for one in certificate.cut.contents},
        books=tuple(
            BookTotals(
                book=one.book,
                currency=one.currency,
                opening_minor=one.opening_minor,
                movements_minor=one.movements_minor,
                closing_minor=one.closing_minor,
                told_minor=one.source_minor,
                told_by=one.source,
            )
            for one in certificate.controls
        ),
        matches=certificate.matches,
        breaks=tuple(
            Break(
                break_class=one.break_class,
                leg=one.leg,
                side=one.book,
                currency=one.currency,
                amount_at_risk_minor=one.at_risk_minor,
                open_minor=one.open_minor,
                subject=one.subject,
                kind=one.kind,
                reference=one.reference,
                opened_on=one.opened_on,
            )
            for one in breaks
        ),
        timing=certificate.timing,
        bridge=certificate.bridge,
        roll_forward=certificate.roll_forward,
        out_of_scope=tuple(outside),
        missing=certificate.missing,
        bad_rows=tuple(
            BadRowLine(file=one.file, line=one.line, field=one.field, reason=one.reason)
            for one in bad_rows
        ),
        result_hash=certificate.result_hash,
    )
