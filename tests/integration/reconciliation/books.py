"""Three books in miniature: an account, what its sources tell, and runs over it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from activities.reconciliation.terms import load_terms
from database.connection import transaction
from database.reconciliation.classify import Classified, classify
from database.reconciliation.item import NewItem
from database.reconciliation.items import TakenIn, take_in
from database.reconciliation.matching import Matched, match
from database.reconciliation.open_totals import open_totals
from database.reconciliation.taking_apart import unmatch
from tests.postgres import rows
from workflows.reconciliation.books import Book
from workflows.reconciliation.terms import Terms

TERMS = load_terms(Path(__file__).parents[3] / "rules" / "reconciliation.toml")
FIRST = date(2026, 3, 2)
TODAY = date(2026, 3, 20)
"""A Monday, and the Friday two weeks and a half after it."""


def _item(
    book: Book, source_id: str, kind: str, amount: int, currency: str, day: date, **more: Any
) -> NewItem:
    at = datetime.combine(day, time(12), UTC)
    return NewItem(
        book=book,
        source_id=source_id,
        component=more.pop("component", ""),
        kind=kind,
        currency=currency,
        amount_minor=amount,
        occurred_at=at,
        effective_on=day,
        **more,
    )


def theirs(
    id: str,
    amount: int,
    fee: int = 0,
    *,
    kind: str = "charge",
    currency: str = "EUR",
    day: date = FIRST,
    reference: str | None = None,
    **more: Any,
) -> list[NewItem]:
    """A balance transaction: its gross, and its fee."""
    known = reference or f"ref_{id}"
    found = [
        _item(
            *("processor", f"txn_{id}", kind, amount, currency, day),
            component="gross",
            reference=known,
            **more,
        )
    ]
    if fee:
        found.append(
            _item(
                *("processor", f"txn_{id}", "fee", -fee, currency, day),
                component="fee:stripe_fee",
                reference=known,
            )
        )
    return found


def ours(
    id: str,
    amount: int,
    fee: int = 0,
    *,
    kind: str = "charge",
    currency: str = "EUR",
    day: date = FIRST,
    reference: str | None = None,
    **more: Any,
) -> list[NewItem]:
    """An entry of our journal: a line of clearing, and one for the fee."""
    known = reference or f"ref_{id}"
    found = []
    if amount:
        found.append(
            _item(*("clearing", f"je_{id}/1", kind, amount, currency, day), reference=known, **more)
        )
    if fee:
        found.append(
            _item(*("clearing", f"je_{id}/2", "fee", -fee, currency, day), reference=known)
        )
    return found


def payout(
    id: str,
    amount: int,
    *,
    day: date = FIRST,
    arrival: date | None = None,
    trace: str | None = None,
    currency: str = "EUR",
    kind: str = "payout",
    payout: str | None = None,
    booked: bool = True,
) -> list[NewItem]:
    """A payout of an amount (it failed: less than nothing), and our entry of it."""
    of, arrival = payout or f"po_{id}", arrival or day + timedelta(days=1)
    found = theirs(
        *(id, -amount),
        kind=kind,
        currency=currency,
        day=day,
        reference=of,
        payout=of,
        arrival_on=arrival,
        trace_id=trace,
        descriptor="STRIPE PAYOUT",
    )
    if booked:
        found += ours(id, -amount, kind=kind, currency=currency, day=day, reference=of)
        found.append(
            _item(
                *("in_transit", f"je_{id}/9", kind, amount, currency, day),
                reference=of,
                payout=of,
            )
        )
    return found


def deposit(
    id: str,
    amount: int,
    *,
    day: date = FIRST + timedelta(days=1),
    reference: str | None = None,
    currency: str = "EUR",
    descriptor: str = "STRIPE PAYOUT",
    booked: bool = True,
) -> list[NewItem]:
    """An entry of the bank, and our line of cash for it."""
    known = reference or f"BK{id}"
    found = [
        _item(
            *("bank", f"bank_{id}", "PMNT", amount, currency, day),
            reference=known,
            descriptor=descriptor,
        )
    ]
    if booked:
        found += cash(id, amount, day=day, currency=currency, reference=known)
    return found


def cash(
    id: str, amount: int, *, day: date, currency: str = "EUR", reference: str | None = None
) -> list[NewItem]:
    """A line of cash."""
    return [
        _item(
            *("cash", f"je_bank_{id}/1", "settlement", amount, currency, day), reference=reference
        )
    ]


@dataclass
class Books:
    """An account and its runs, in the database of `engine`."""

    engine: AsyncEngine
    terms: Terms = TERMS
    name: str = "acme"
    posts: Sequence[str] = ()
    account: int = 0
    run: int = 0
    runs: list[int] = field(default_factory=list)

    async def open(self) -> Books:
        made = await rows(
            self.engine,
            """INSERT INTO reconciliation_accounts
                   (name, tenant, time_zone, opened_on, processor, journal, posts)
               VALUES (:name, 'acme', 'UTC', :first, 'files', 'files', :posts) RETURNING id""",
            name=self.name,
            first=FIRST,
            posts=list(self.posts),
        )
        self.account = made[0]["id"]
        return self

    async def take(self, items: Iterable[NewItem]) -> TakenIn:
        async with transaction(self.engine) as connection:
            return await take_in(connection, self.account, items, source="a test")

    async def cut(self, day: date = TODAY) -> int:
        """A run of a day, whose cut has all that is there of that day and before."""
        before = datetime.combine(day + timedelta(days=1), time(), UTC)
        made = await rows(
            self.engine,
            """WITH run AS (
                   INSERT INTO runs (account, business_date, ordinal, previous, ended_at)
                   SELECT :account, :day,
                          (SELECT count(*) + 1 FROM runs
                           WHERE account = :account AND business_date = :day),
                          (SELECT max(id) FROM runs WHERE account = :account), clock_timestamp()
                   RETURNING id
               )
               INSERT INTO cuts (run, account, business_date, last_intake, last_item,
                                 processor_before, bank_before, journal_before, terms_version,
                                 inputs)
               SELECT id, :account, :day, coalesce((SELECT max(id) FROM intakes), 0),
                      coalesce((SELECT max(last_item) FROM intakes WHERE account = :account), 0),
                      :before, :before, :before, 'a test', '{}'
               FROM run RETURNING run""",
            account=self.account,
            day=day,
            before=before,
        )
        self.run = made[0]["run"]
        self.runs.append(self.run)
        return self.run

    async def match(self) -> Matched:
        async with transaction(self.engine) as connection:
            return await match(connection, self.run, self.terms)

    async def classify(self, *, provisional: bool = False) -> Classified:
        async with transaction(self.engine) as connection:
            return await classify(connection, self.run, self.terms, provisional=provisional)

    async def reconcile(self, items: Iterable[NewItem] = (), day: date = TODAY) -> Classified:
        """Take in, cut, match, classify."""
        await self.take(items)
        await self.cut(day)
        await self.match()
        return await self.classify()

    async def x(self, run: int | None = None) -> dict[str, tuple[int, int, int]]:
        """X1, X2, X3 of each currency in which one is not zero."""
        async with transaction(self.engine) as connection:
            found = await open_totals(connection, run or self.run)
        totals = {currency: (of.x1, of.x2, of.x3) for currency, of in found.items()}
        return {currency: of for currency, of in totals.items() if any(of)}

    async def breaks(self) -> list[tuple[str, str, int]]:
        """Class, currency and risk of each open break whose risk is counted here."""
        found = await rows(
            self.engine,
            """SELECT class, currency, at_risk_minor FROM breaks
               WHERE account = :account AND closed_on IS NULL AND risk_on_leg IS NULL
               ORDER BY 1, 2, 3""",
            account=self.account,
        )
        return [(one["class"], one["currency"], one["at_risk_minor"]) for one in found]

    async def unmatch(self, match: UUID, reason: str = "of another customer") -> None:
        async with transaction(self.engine) as connection:
            await unmatch(connection, self.account, match, by="person:anna", reason=reason)

    async def dispositions(self) -> list[tuple[Any, ...]]:
        """What became of each item in each leg, in the words of its source: the whole result."""
        found = await rows(
            self.engine,
            """SELECT leg, book, source_id, component, version, what, number, of
               FROM (
                   SELECT mi.leg, i.book, i.source_id, i.component, i.version, 'match' AS what,
                          m.rule + 100 * m.disposition AS number, CAST(m.id AS text) AS of
                   FROM match_items mi JOIN matches m ON m.number = mi.match
                   JOIN items i ON i.id = mi.item WHERE i.account = :account
                   UNION ALL
                   SELECT o.leg, i.book, i.source_id, i.component, i.version, 'open',
                          o.disposition, concat_ws(' ', b.class, b.subject, b.at_risk_minor)
                   FROM open_items o JOIN items i ON i.id = o.item
                   LEFT JOIN breaks b ON b.id = o.break_id WHERE i.account = :account
                   UNION ALL
                   SELECT b.leg, NULL, b.subject, NULL, NULL, 'break', NULL,
                          concat_ws(' ', b.class, b.at_risk_minor, b.currency, b.match,
                                    b.closed_on)
                   FROM breaks b WHERE b.account = :account
               ) AS all_of_it ORDER BY 6, 1, 2, 3, 4, 5""",
            account=self.account,
        )
        return [tuple(one.values()) for one in found]
