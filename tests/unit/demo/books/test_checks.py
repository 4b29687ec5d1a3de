"""What the checks of the second act let pass, and what they do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.demo.books.world import (
    ACCOUNT,
    IBAN,
    PAYOUTS,
    WEEK,
    as_planned,
    break_of,
    equation,
    match_of,
    with_certificate,
    with_night,
)
from workers.demo.books.checks import check_books
from workers.demo.books.evidence import BooksEvidence
from workers.demo.books.finance import APPROVER
from workers.demo.books.memory import Memory
from workers.demo.books.plan import PLANTINGS, Key
from workers.demo.temporal import WorkflowRun

OPENED = "Two people opened the books"
NIGHTS = "Every night came out as it had to"
FOUND = "Everything that was planted is found"
NOTHING_ELSE = "… and nothing else is"
HEALED = "What came late closed its break by itself"
BRIDGE = "The bridge is zero every night"
ON_ITS_WAY = "What is on its way is told as such"
CERTIFICATES = "Every certificate verifies, and names the last"
MATCHED = "Nothing is matched twice, nothing forgotten"
PAID = "A payment that is told twice is booked once"
STATEMENTS = "Each of the bank's statements counts once"
KILLED = "A worker died in a run, and nobody notices"
TOLD = "Finance was told once of each open night"


def failing(evidence: BooksEvidence) -> set[str]:
    return {check.what for check in check_books(evidence) if not check.holds}


def test_books_as_planned_pass_every_check() -> None:
    checks = check_books(as_planned())
    assert [check.problems for check in checks] == [()] * 13
    assert all(check.saw for check in checks)


def test_empty_books_pass_hardly_any() -> None:
    nothing = BooksEvidence(
        memory=Memory(account=ACCOUNT, iban=IBAN, week=WEEK),
        opening=as_planned().opening,
        audited=frozenset(),
        nights=(),
        breaks=(),
        matches=(),
        payments=0,
        statements=(),
        charged=frozenset(),
        faults=0,
    )
    assert {check.what for check in check_books(nothing) if check.holds} == {NOTHING_ELSE}


def with_(**changes: Any) -> BooksEvidence:
    return replace(as_planned(), **changes)


def with_memory(**changes: Any) -> BooksEvidence:
    evidence = as_planned()
    return replace(evidence, memory=replace(evidence.memory, **changes))


def with_break(key: Key, **changes: Any) -> BooksEvidence:
    breaks = [break_of(one, **(changes if one.key == key else {})) for one in PLANTINGS]
    return with_(breaks=tuple(breaks))


def without_break(key: Key) -> BooksEvidence:
    return with_(breaks=tuple(break_of(one) for one in PLANTINGS if one.key != key))


def with_one_more_break() -> BooksEvidence:
    first = break_of(PLANTINGS[0])
    item = first.items[0].model_copy(update={"reference": "ch_other"})
    other = first.model_copy(update={"items": [item]})
    return with_(breaks=(*as_planned().breaks, other))


def opened(**changes: Any) -> BooksEvidence:
    return with_(opening=as_planned().opening.model_copy(update=changes))


def bridge(**residuals: int) -> BooksEvidence:
    made = tuple(equation(name, residuals.get(name, 0)) for name in ("E1", "E2", "E3", "E4"))
    return with_certificate(4, bridge=made)


def control(**changes: Any) -> BooksEvidence:
    (only,) = as_planned().nights[4].certificate.controls
    return with_certificate(4, controls=(only.model_copy(update=changes),))


def rolled(**changes: Any) -> BooksEvidence:
    (only,) = as_planned().nights[4].certificate.roll_forward
    return with_certificate(4, roll_forward=(only.model_copy(update=changes),))


def on_its_way(**changes: Any) -> BooksEvidence:
    (only,) = as_planned().nights[-1].certificate.timing
    return with_certificate(-1, timing=(only.model_copy(update=changes),))


FALSE_BOOKS: dict[str, tuple[str, Callable[[], BooksEvidence]]] = {
    "one person alone opened them": (OPENED, lambda: opened(proposed_by=APPROVER)),
    "the opening was refused": (OPENED, lambda: opened(state="refused")),
    "who proposed could approve": (OPENED, lambda: with_memory(refused=200)),
    "no trace of the approval": (OPENED, lambda: with_(audited=frozenset({"opening.proposed"}))),
    "a night was left out": (NIGHTS, lambda: with_(nights=as_planned().nights[:-1])),
    "a night is certified as something else": (
        NIGHTS,
        lambda: with_certificate(3, status="BALANCED"),
    ),
    "a run that goes on at Temporal": (
        NIGHTS,
        lambda: with_night(2, workflows=(WorkflowRun("running", None),)),
    ),
    "a run that ran twice": (
        NIGHTS,
        lambda: with_night(2, workflows=(WorkflowRun("completed", "breaks"),) * 2),
    ),
    "a break is missing": (FOUND, lambda: without_break("dispute")),
    "a break of another class": (FOUND, lambda: with_break("fee", break_class="amount")),
    "a break of another amount": (FOUND, lambda: with_break("refund", at_risk_minor=999)),
    "a break that was found too late": (
        FOUND,
        lambda: with_break("twice", opened_on=WEEK.day(3)),
    ),
    "a break of what is right": (NOTHING_ELSE, with_one_more_break),
    "what came late did not close it": (HEALED, lambda: with_break("forgotten", closed_on=None)),
    "a break that was closed by nothing": (
        HEALED,
        lambda: with_break("wire_fee", closed_on=WEEK.day(4)),
    ),
    "an equation that leaves something": (BRIDGE, lambda: bridge(E2=1)),
    "equations that cancel each other": (BRIDGE, lambda: bridge(E1=1, E3=-1)),
    "an equation that was left out": (
        BRIDGE,
        lambda: with_certificate(4, bridge=(equation("E1"), equation("E2"))),
    ),
    "a closing that nobody else says": (BRIDGE, lambda: control(source_minor=None)),
    "a roll forward that does not hold": (BRIDGE, lambda: rolled(residual_minor=1)),
    "a payout that is not on its way": (ON_ITS_WAY, lambda: on_its_way(items=1)),
    "less on its way than was paid out": (
        ON_ITS_WAY,
        lambda: on_its_way(amount_minor=-49_999),
    ),
    "a payout that was never made": (ON_ITS_WAY, lambda: with_memory(payouts=PAYOUTS[:2])),
    "a certificate that was changed": (CERTIFICATES, lambda: with_night(1, hashed="f" * 64)),
    "a certificate that does not come out again": (
        CERTIFICATES,
        lambda: with_night(1, differences=("status",)),
    ),
    "a certificate that forgets the last": (
        CERTIFICATES,
        lambda: with_certificate(3, previous=None),
    ),
    "a certificate that does not say what it supersedes": (
        CERTIFICATES,
        lambda: with_certificate(2, supersedes=None),
    ),
    "an item in two matches": (
        MATCHED,
        lambda: with_(matches=(*as_planned().matches, match_of("ch_1"))),
    ),
    "a payment in no match": (MATCHED, lambda: with_(matches=as_planned().matches[1:])),
    "a payment that was booked twice": (PAID, lambda: with_(payments=4)),
    "a statement that counts twice": (STATEMENTS, lambda: with_(statements=("counts",) * 6)),
    "a statement that contradicts": (
        STATEMENTS,
        lambda: with_(statements=("counts",) * 5 + ("contradicted",)),
    ),
    "nobody was killed": (KILLED, lambda: with_memory(workers=None)),
    "the one who was killed did nothing": (KILLED, lambda: with_night(3, workers=("200@here",))),
    "a mail that was lost": (TOLD, lambda: with_night(4, letters=0)),
    "a mail that came twice": (TOLD, lambda: with_night(4, letters=2)),
    "a mail about a balanced night": (TOLD, lambda: with_night(0, letters=1)),
    "a bank that goes on to err": (TOLD, lambda: with_(faults=1)),
}


@pytest.mark.parametrize(("what", "falsified"), FALSE_BOOKS.values(), ids=FALSE_BOOKS)
def test_each_sabotage_is_seen(what: str, falsified: Callable[[], BooksEvidence]) -> None:
    assert what in failing(falsified())
