"""The second act, from the opening of the books to the last check."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from activities.reconciliation.terms import load_terms
from workers.demo.books.act import Books, Stage
from workers.demo.books.checks import check_books
from workers.demo.books.evidence import BooksEvidence, BooksInvestigation
from workers.demo.books.plan import week_after
from workers.demo.books.report import BooksReport, books_report
from workers.demo.check import Check
from workers.demo.outside import Outside
from workers.demo.report import link
from workers.demo.show import Row
from workers.demo.watch import Derailed
from workers.settings import Settings
from workers.temporal_client import connect


@dataclass(frozen=True)
class BooksPlayed:
    """What came of it. `played` and `looked` are how long that took, in seconds."""

    derailed: str | None
    checks: list[Check]
    report: BooksReport
    played: float
    looked: float


async def perform_books(
    settings: Settings, stage: Stage, customers: Sequence[str], *, web_ui: str | None
) -> BooksPlayed:
    """Play, then look at what is there. A play that derails is looked at all the same.

    `customers` are ids at Stripe. Raises httpx.HTTPError, RPCError and DatabaseDown where it cannot
    be looked at.
    """
    began = time.monotonic()
    calendar = load_terms(settings.rules / "reconciliation.toml").calendars["target"]
    act = Books(stage, customers, week_after(await stage.money.now(), calendar))
    derailed = None
    try:
        await act.play()
    except (Derailed, httpx.HTTPError) as error:
        derailed = f"{type(error).__name__}: {error}"
    played = time.monotonic() - began
    stage.show.say(
        "Now the certificates are made anew from what is stored, and every break and match is held"
        " against what was planted."
    )
    temporal = await connect(settings, lazy=True)
    evidence = await BooksInvestigation(stage, settings, temporal).of(act.memory)
    nights = stage.show.nights
    report = books_report(
        act.memory,
        nights,
        evidence.breaks,
        links=[link(web_ui, night.run.id) if web_ui else None for night in nights],
        page=await _page(settings, stage, evidence),
    )
    looked = time.monotonic() - began - played
    return BooksPlayed(derailed, check_books(evidence), report, played, looked)


async def customers_of(outside: Outside, rows: Sequence[Row], since: int) -> list[str]:
    """The ids at Stripe of those who became customers."""
    at_stripe = {one.email: one.id for one in await outside.customers(since)}
    active = [row.applicant.application.email for row in rows if row.stage == "active"]
    return [at_stripe[email] for email in active]


async def _page(settings: Settings, stage: Stage, evidence: BooksEvidence) -> str | None:
    """Keep the last certificate's page to print as a file; its path."""
    if not evidence.nights:
        return None
    last = evidence.nights[-1].run.certificate_id
    assert last is not None, "others are left out"
    file: Path = settings.home / "certificates" / f"{evidence.memory.account}.html"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_bytes(await stage.finance.certificate(last, "html"))
    return str(file)
