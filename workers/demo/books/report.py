"""What came of the second act: for machines as one object."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel

from workers.demo.books.memory import Memory
from workers.demo.books.nights import Night
from workers.demo.books.plan import CURRENCY, PLANTINGS, Key
from workflows.reconciliation.answers import BreakInFull
from workflows.reconciliation.books import BreakClass, Status


class NightReport(BaseModel):
    """A run: how it came out, and what its certificate counts; amounts in minor units.

    `matched` counts matches, `on_its_way` items that are not due on the other side yet; `residual`
    is what the bridge leaves over. `link` leads to Temporal's Web UI, where that goes on.
    """

    business_date: date
    ordinal: int
    workflow_id: str
    status: Status | None
    certificate_id: str | None
    matched: int
    breaks: int
    at_risk_minor: int
    on_its_way: int
    residual_minor: int
    seconds: float
    link: str | None


class PlantedReport(BaseModel):
    """What was made to go wrong, and as what it was found: classes with what is at risk."""

    planted: Key
    title: str
    break_class: BreakClass
    at_risk_minor: int
    found: tuple[BreakClass, ...]
    found_minor: int
    opened_on: date | None
    closed_on: date | None


class BooksReport(BaseModel):
    """The books of the account that the performance opened.

    `page` is the file of the last certificate's page to print.
    """

    account: str
    bank_account: str
    currency: str
    nights: tuple[NightReport, ...]
    planted: tuple[PlantedReport, ...]
    page: str | None


def books_report(
    memory: Memory,
    nights: Sequence[Night],
    breaks: Sequence[BreakInFull],
    *,
    links: Sequence[str | None],
    page: str | None,
) -> BooksReport:
    """Everything in one object; `links` are those of the nights."""
    return BooksReport(
        account=memory.account,
        bank_account=memory.iban,
        currency=CURRENCY,
        nights=tuple(_night(night, link) for night, link in zip(nights, links, strict=True)),
        planted=tuple(_planted(memory, breaks)),
        page=page,
    )


def about(one: BreakInFull, what: str) -> bool:
    """Whether a break is about something: by reference, or by a part of its source's id."""
    return any(item.reference == what or what in item.source_id for item in one.items)


def _night(night: Night, link: str | None) -> NightReport:
    return NightReport(
        business_date=night.run.business_date,
        ordinal=night.run.ordinal,
        workflow_id=night.run.id,
        status=night.run.status,
        certificate_id=night.run.certificate_id,
        matched=night.matched or 0,
        breaks=night.breaks or 0,
        at_risk_minor=night.at_risk or 0,
        on_its_way=night.on_its_way or 0,
        residual_minor=night.residual or 0,
        seconds=round(night.seconds or 0.0, 2),
        link=link,
    )


def _planted(memory: Memory, breaks: Sequence[BreakInFull]) -> list[PlantedReport]:
    told = []
    for planting in PLANTINGS:
        planted = memory.planted.get(planting.key)
        if planted is None:
            continue
        found = [one for one in breaks if about(one, planted.about)]
        closed = [one.closed_on for one in found if one.closed_on is not None]
        told.append(
            PlantedReport(
                planted=planting.key,
                title=planting.title,
                break_class=planting.break_class,
                at_risk_minor=planted.at_risk,
                found=tuple(sorted({one.break_class for one in found})),
                found_minor=sum(one.at_risk_minor for one in found),
                opened_on=min((one.opened_on for one in found), default=None),
                closed_on=max(closed) if found and len(closed) == len(found) else None,
            )
        )
    return told
