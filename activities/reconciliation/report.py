"""What a run tells people and machines: its certificate as JSON, its breaks as CSV.

The page to print is in `page`.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal

from workflows.reconciliation.break_list import BreakLine
from workflows.reconciliation.certificate import Certificate, age_of, canonical
from workflows.reconciliation.currencies import exponent

COLUMNS = (
    "account",
    "business_date",
    "class",
    "leg",
    "book",
    "subject",
    "kind",
    "reference",
    "currency",
    "at_risk",
    "at_risk_minor",
    "open_minor",
    "opened_on",
    "days",
    "age",
)
"""The columns of the list of breaks. `at_risk` is in major units, with a point."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(certificate: Certificate) -> bytes:
    """The certificate as a file: the bytes that its id is the hash of."""
    return canonical(certificate)


def break_list(certificate: Certificate, breaks: Iterable[BreakLine]) -> Iterator[str]:
    """The open breaks as CSV (RFC 4180), line by line, the first of them the header."""
    yield _line(COLUMNS)
    for one in breaks:
        at_risk = Decimal(one.at_risk_minor).scaleb(-exponent(one.currency))
        yield _line(
            (
                _text(certificate.account),
                certificate.business_date.isoformat(),
                one.break_class,
                one.leg,
                one.book,
                _text(" ".join(one.subject)),
                _text(one.kind),
                _text(one.reference or ""),
                one.currency,
                f"{at_risk:f}",
                one.at_risk_minor,
                one.open_minor,
                one.opened_on.isoformat(),
                one.days(certificate.business_date),
                age_of(one.opened_on, certificate.business_date),
            )
        )


def _line(cells: Iterable[str | int]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _text(outside: str) -> str:
    """What came from outside, so that a spreadsheet does not take it for a formula."""
    return f"'{outside}" if outside.startswith(_FORMULA) else outside
