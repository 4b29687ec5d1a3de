"""A certificate as a run of an invented account would give it."""

from datetime import UTC, date, datetime

from workflows.reconciliation import proof
from workflows.reconciliation.books import Book
from workflows.reconciliation.break_list import BreakLine
from workflows.reconciliation.certificate import (
    BookContents,
    BreakMovement,
    BreakTotal,
    Certificate,
    ControlTotal,
    CutRecord,
    MatchCount,
    MatchedTotal,
    RollForward,
    TimingTotal,
)

SCOPE: tuple[Book, ...] = ("processor", "bank", "clearing", "in_transit", "cash")

CUT = CutRecord(
    hash="c" * 64,
    processor_before=datetime(2026, 3, 14, 23, tzinfo=UTC),
    statements=("2026-073",),
    contents=(
        BookContents(book="processor", items=48_211, hash="1" * 64),
        BookContents(book="bank", items=61, hash="2" * 64),
    ),
    controls="3" * 64,
    rules="r7",
    calendars="4" * 64,
    grace="5" * 64,
    manual_matches="6" * 64,
    traces="8" * 64,
    open_before="7" * 64,
)

EUR = proof.Figures(
    closing={
        "clearing": 1_204_500,
        "processor": 1_214_150,
        "in_transit": 97_000,
        "cash": 8_800_000,
        "bank": 8_805_000,
    },
    payouts=-9_097_000,
    settlements=9_005_000,
    open_l1=-9_650,
    open_l2=92_000,
    open_l3=-5_000,
    open_settlements=-5_000,
)

BREAKS = (
    BreakTotal(break_class="missing_ours", currency="EUR", age="0-1", breaks=1, at_risk_minor=9700),
    BreakTotal(break_class="missing_ours", currency="EUR", age="2-7", breaks=2, at_risk_minor=4400),
    BreakTotal(break_class="fee", currency="EUR", age="0-1", breaks=3, at_risk_minor=50),
    BreakTotal(
        break_class="unidentified_deposit",
        currency="EUR",
        age="31-90",
        breaks=1,
        at_risk_minor=5000,
    ),
    BreakTotal(break_class="amount", currency="JPY", age="8-30", breaks=1, at_risk_minor=1200),
)

LINES = (
    BreakLine(
        break_class="missing_ours",
        leg="L1",
        book="processor",
        subject=("txn_1",),
        kind="charge",
        reference="=HYPERLINK(1)",
        currency="EUR",
        at_risk_minor=9700,
        open_minor=-9700,
        opened_on=date(2026, 3, 13),
    ),
    BreakLine(
        break_class="unidentified_deposit",
        leg="L2",
        book="bank",
        subject=("<script>alert(1)</script>",),
        kind="NTRF",
        reference=None,
        currency="EUR",
        at_risk_minor=5000,
        open_minor=-5000,
        opened_on=date(2026, 2, 1),
    ),
)

CERTIFICATE = Certificate(
    account="acme",
    business_date=date(2026, 3, 14),
    ordinal=2,
    previous="8" * 64,
    supersedes="9" * 64,
    scope=SCOPE,
    cut=CUT,
    status="BREAKS",
    missing=(),
    controls=tuple(
        ControlTotal(
            book=book,
            currency="EUR",
            opening_minor=closing - 1234,
            movements_minor=1234,
            closing_minor=closing,
            source="balance summary" if book == "processor" else "statements",
            source_minor=closing,
        )
        for book, closing in EUR.closing.items()
    ),
    bridge=proof.bridge("EUR", EUR, SCOPE),
    roll_forward=(
        RollForward(
            leg="L1",
            currency="EUR",
            opening_minor=-4400,
            new_minor=-9650,
            cleared_minor=-4400,
            closing_minor=-9650,
            residual_minor=0,
        ),
    ),
    matches=(MatchCount(leg="L1", rule="reference", disposition="exact", matches=48_000),),
    matched=(
        MatchedTotal(
            leg="L1",
            currency="EUR",
            rule="reference",
            disposition="exact",
            items=96_000,
            independent_minor=481_234_500,
            derived_minor=-9_234_500,
            theirs_minor=472_000_000,
        ),
    ),
    timing=(TimingTotal(leg="L2", currency="EUR", age="0-1", items=1, amount_minor=97_000),),
    breaks=BREAKS,
    break_movements=(
        BreakMovement(
            break_class="missing_ours",
            currency="EUR",
            opening=2,
            opening_minor=4400,
            new=1,
            new_minor=9700,
            cleared=0,
            cleared_minor=0,
            closing=3,
            closing_minor=14_100,
        ),
    ),
    result_hash="a" * 64,
)
