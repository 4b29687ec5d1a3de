"""Books in which the second act went as planned, for tests to falsify."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from workers.demo.books.evidence import BooksEvidence, NightFound
from workers.demo.books.finance import APPROVER, PROPOSER
from workers.demo.books.memory import Memory, Planted
from workers.demo.books.money import PayoutAtStripe
from workers.demo.books.nights import Night
from workers.demo.books.plan import (
    CURRENCY,
    OUTCOMES,
    PLANTINGS,
    Planting,
    Week,
    account_name,
    iban_of,
)
from workers.demo.books.report import BooksReport, books_report
from workers.demo.temporal import WorkflowRun
from workflows.reconciliation.answers import BreakInFull, Item, Match, Reconciliation
from workflows.reconciliation.books import Status
from workflows.reconciliation.certificate import (
    Certificate,
    ControlTotal,
    CutRecord,
    Equation,
    RollForward,
    Term,
    TimingTotal,
)
from workflows.reconciliation.messages import END_OF, Run
from workflows.reconciliation.opening import OpeningBalance, ProposedOpening

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
WEEK = Week(date(2026, 1, 12))
ACCOUNT, IBAN = account_name("abcdef"), iban_of("abcdef")
CHARGES = ("ch_1", "ch_2", "ch_3")
PAYOUTS = tuple(
    PayoutAtStripe(id=f"po_{at}", amount=amount, created=0)
    for at, amount in enumerate((50_000, 30_000, 20_000))
)


def as_planned() -> BooksEvidence:
    """What is there when everything went well."""
    nights = tuple(_nights())
    return BooksEvidence(
        memory=Memory(
            account=ACCOUNT,
            iban=IBAN,
            week=WEEK,
            paid=[(3, 30_000)],
            told=3,
            planted={one.key: Planted(_about(one), 1_000) for one in PLANTINGS},
            payouts=PAYOUTS,
            refused=403,
            killed=nights[3].run.id,
            workers=(100, 200),
        ),
        opening=ProposedOpening(
            id=1,
            account=ACCOUNT,
            state="approved",
            opened_on=WEEK.monday,
            content_hash="0" * 64,
            balances=(OpeningBalance(book="bank", currency=CURRENCY, amount_minor=1),),
            items=0,
            open_items=(),
            proposed_by=PROPOSER,
            proposed_at=NOW,
            reason="as they say",
            decided_by=APPROVER,
            decided_at=NOW,
            decision_reason="compared",
        ),
        audited=frozenset({"opening.proposed", "opening.approved"}),
        nights=nights,
        breaks=tuple(break_of(one) for one in PLANTINGS),
        matches=tuple(match_of(charge) for charge in CHARGES),
        payments=3,
        statements=("counts",) * 5 + ("again",),
        charged=frozenset(CHARGES),
        faults=0,
    )


def break_of(planting: Planting, **changes: Any) -> BreakInFull:
    """The break that has to come of what was planted. Any: fields of a break."""
    about = _about(planting)
    of_bank = planting.key == "deposit"
    item = Item(
        book="bank" if of_bank else "processor",
        source_id=f"{IBAN}/2{about}BK1" if of_bank else "txn_1",
        component="",
        kind="charge",
        currency=CURRENCY,
        amount_minor=1_000,
        effective_on=WEEK.day(planting.day),
        reference="BK1" if of_bank else about,
    )
    found = BreakInFull(
        id=1,
        account=ACCOUNT,
        break_class=planting.break_class,
        leg="L1",
        currency=CURRENCY,
        at_risk_minor=1_000,
        material=False,
        subject=(item.source_id,),
        opened_on=WEEK.day(planting.from_),
        closed_on=None if planting.healed is None else WEEK.day(planting.healed),
        days=0,
        provisional=False,
        revision=1,
        items=[item],
        events=[],
    )
    return found.model_copy(update=changes)


def match_of(charge: str) -> Match:
    """A match of a payment with what we booked of it."""
    sides = (("processor", f"txn_{charge}"), ("clearing", f"payment_{charge}"))
    return Match(
        id=charge,
        account=ACCOUNT,
        leg="L1",
        rule="reference",
        disposition="exact",
        difference_minor=0,
        run="",
        items=[
            Item.model_validate(
                {
                    "book": book,
                    "source_id": source,
                    "component": "",
                    "kind": "charge",
                    "currency": CURRENCY,
                    "amount_minor": 10_000,
                    "effective_on": WEEK.monday,
                    "reference": charge,
                }
            )
            for book, source in sides
        ],
    )


def with_night(at: int, **changes: Any) -> BooksEvidence:
    """The same, but for one run. Any: fields of what was found."""
    evidence = as_planned()
    nights = list(evidence.nights)
    nights[at] = replace(nights[at], **changes)
    return replace(evidence, nights=tuple(nights))


def with_certificate(at: int, **changes: Any) -> BooksEvidence:
    """The same, but for one certificate. Any: its fields."""
    night = as_planned().nights[at]
    return with_night(at, certificate=night.certificate.model_copy(update=changes))


def equation(name: str, residual: int = 0) -> Equation:
    """An equation of the bridge that leaves so much over."""
    terms = (Term(name="clearing_closing", amount_minor=residual),)
    told = {"name": name, "currency": CURRENCY, "terms": terms, "residual_minor": residual}
    return Equation.model_validate(told)


def _about(planting: Planting) -> str:
    if planting.key == "deposit":
        return f"/{WEEK.day(planting.day):%Y%m%d}/"
    return f"about_{planting.key}"


def _nights() -> Iterator[NightFound]:
    previous: tuple[int, str] | None = None
    base: str | None = None
    for number, (day, status) in enumerate(OUTCOMES):
        again = previous is not None and previous[0] == day
        name = hashlib.sha256(f"{number}".encode()).hexdigest()
        if previous is not None and not again:
            base = previous[1]
        supersedes = previous[1] if again and previous else None
        run = Run(account=ACCOUNT, day=WEEK.day(day), ordinal=2 if again else 1)
        yield NightFound(
            run=_reconciliation(run, status, name),
            certificate=_certificate(run, status, base, supersedes),
            hashed=name,
            differences=(),
            workflows=(WorkflowRun("completed", END_OF[status]),),
            workers=("100@here", "200@here") if number == 3 else ("200@here",),
            letters=0 if status == "BALANCED" else 1,
        )
        previous = day, name


def _reconciliation(run: Run, status: Status, certificate: str) -> Reconciliation:
    return Reconciliation(
        id=run.workflow_id,
        account=run.account,
        tenant="example",
        business_date=run.day,
        ordinal=run.ordinal,
        stage=END_OF[status],
        stage_since=NOW,
        status=status,
        certificate_id=certificate,
        begun_at=NOW,
        ended_at=NOW,
    )


def _certificate(
    run: Run, status: Status, previous: str | None, supersedes: str | None
) -> Certificate:
    zero = "0" * 64
    cut = CutRecord(
        hash=zero,
        processor_before=NOW,
        statements=(),
        contents=(),
        controls=zero,
        rules="1",
        calendars=zero,
        grace=zero,
        manual_matches=zero,
        traces=zero,
        open_before=zero,
    )
    control = ControlTotal(
        book="bank",
        currency=CURRENCY,
        opening_minor=1,
        movements_minor=0,
        closing_minor=1,
        source="statements",
        source_minor=1,
    )
    roll = RollForward(
        leg="L1",
        currency=CURRENCY,
        opening_minor=0,
        new_minor=0,
        cleared_minor=0,
        closing_minor=0,
        residual_minor=0,
    )
    on_its_way = TimingTotal(leg="L2", currency=CURRENCY, age="0-1", items=2, amount_minor=-50_000)
    return Certificate(
        account=run.account,
        business_date=run.day,
        ordinal=run.ordinal,
        previous=previous,
        supersedes=supersedes,
        scope=("processor", "bank", "clearing", "in_transit", "cash"),
        cut=cut,
        status=status,
        missing=(),
        controls=(control,),
        bridge=tuple(equation(name) for name in ("E1", "E2", "E3", "E4")),
        roll_forward=(roll,),
        matches=(),
        matched=(),
        timing=(on_its_way,),
        breaks=(),
        break_movements=(),
        result_hash=zero,
    )


def nights() -> list[Night]:
    """What there is to see of the runs."""
    return [Night(one.run, (3, 30_000), one.certificate) for one in as_planned().nights]


def report(*, stays: bool = True) -> BooksReport:
    """What is told of them in the end; links only where Temporal's Web UI `stays`."""
    evidence = as_planned()
    links = [f"http://127.0.0.1:8233/{at}" if stays else None for at in range(len(nights()))]
    return books_report(
        evidence.memory, nights(), evidence.breaks, links=links, page="/home/page.html"
    )
