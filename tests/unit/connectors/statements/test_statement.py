"""What no bank writes is refused where a part of a statement is made, whatever the format."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from connectors.statements.statement import (
    LONGEST,
    Balance,
    Closed,
    Entry,
    Opened,
    StatementRefused,
    prove,
)
from workflows.reconciliation.currencies import LARGEST

DAY = date(2026, 3, 2)


def entry(amount: int = 1, day: date = DAY, reference: str = "R", text: str = "") -> Entry:
    return Entry(day, day, amount, "EUR", reference, reference, text, None)


def test_what_can_be_is_taken() -> None:
    entry(-LARGEST, date(1900, 1, 1), "R" * LONGEST, "x" * 10_000)
    Balance(date(2199, 12, 31), LARGEST)
    Opened("camt.053", "D" * 64, "EUR", "S" * LONGEST, 10**18 - 1)
    assert prove(LARGEST, Closed(None, None)).proof == "unprovable"


@pytest.mark.parametrize(
    ("made", "error"),
    [
        (lambda: entry(LARGEST + 1), "bad_amount"),
        (lambda: entry(-LARGEST - 1), "bad_amount"),
        (lambda: entry(day=date.min), "bad_date"),
        (lambda: entry(reference="R" * (LONGEST + 1)), "too_long"),
        (lambda: entry(text="a\x00b"), "bad_encoding"),
        (lambda: Balance(DAY, LARGEST + 1), "bad_amount"),
        (lambda: Balance(date.max, 1), "bad_date"),
        (lambda: Opened("ofx", "D" * 65, "EUR", "S"), "too_long"),
        (lambda: Opened("ofx", "D", "EUR", "S" * (LONGEST + 1)), "too_long"),
        (lambda: Opened("camt.053", "D", "EUR", "S", 10**18), "bad_number"),
        (lambda: prove(LARGEST + 1, Closed(None, None)), "bad_amount"),
    ],
)
def test_what_no_bank_writes_is_refused(made: Callable[[], object], error: str) -> None:
    with pytest.raises(StatementRefused) as refused:
        made()
    assert refused.value.error == error
