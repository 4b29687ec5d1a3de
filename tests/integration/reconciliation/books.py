<<<<<<< HEAD
"""Three books of an invented account, and the plainest matching there is: by reference, in pairs.

What is proven is proven of whatever matched: here by so little that one sees that it is right.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from database.connection import transaction
from database.reconciliation import certificates, cut
from database.reconciliation.codes import BOOKS, DISPOSITIONS, LEGS, RULES
from database.reconciliation.cut import Fixed
from database.reconciliation.item import NewItem
from database.reconciliation.items import take_in
from tests.postgres import rows
from workflows.reconciliation.books import Book, Leg
from workflows.reconciliation.certificate import Certificate, Missing
from workflows.reconciliation.inputs import Inputs, Told

MONDAY = date(2026, 3, 2)
TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=days) for days in (1, 2, 3))
ALL: tuple[Book, ...] = ("processor", "bank", "clearing", "in_transit", "cash")
SIDES: dict[Leg, tuple[Book, Book]] = {
    "L1": ("clearing", "processor"),
    "L2": ("processor", "bank"),
    "L3": ("cash", "bank"),
}


def item(
    book: Book,
    source_id: str,
    amount: int,
    *,
    on: date = MONDAY,
    kind: str = "charge",
    reference: str | None = "",
    currency: str = "EUR",
    component: str = "",
) -> NewItem:
    """A movement at noon; what it refers to is its own id, where nothing else is said."""
    return NewItem(
        book=book,
        source_id=source_id,
        component=component,
        kind=kind,
        currency=currency,
        amount_minor=amount,
        occurred_at=datetime.combine(on, time(12), UTC),
        effective_on=on,
        reference=source_id.rsplit("-", maxsplit=1)[-1] if reference == "" else reference,
    )


def sale(name: str, amount: int, *, on: date = MONDAY) -> list[NewItem]:
    """A charge that both we and the processor have."""
    return [item(book, f"{book}-{name}", amount, on=on) for book in ("clearing", "processor")]


def payout(name: str, amount: int, *, on: date = MONDAY) -> list[NewItem]:
    """A payout that the processor made and we booked: it is on its way."""
    return [
        item("processor", f"processor-{name}", -amount, on=on, kind="payout"),
        item("clearing", f"clearing-{name}", -amount, on=on, kind="payout"),
        item("in_transit", f"in_transit-{name}", amount, on=on, kind="payout"),
    ]


def deposit(name: str, amount: int, *, on: date = MONDAY) -> list[NewItem]:
    """A payout that arrived at the bank, and that we booked."""
    return [
        item("bank", f"bank-{name}", amount, on=on, kind="NTRF"),
        item("cash", f"cash-{name}", amount, on=on, kind="payout"),
        item("in_transit", f"arrived-{name}", -amount, on=on, kind="payout"),
=======
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
>>>>>>> engine
    ]


@dataclass
class Books:
<<<<<<< HEAD
    """An account and how it is reconciled day by day; sources tell what their books come to.

    off     by how much a source tells another closing, by book and currency
    loaded  what items of the beginning come to, which are in the openings already
    """

    engine: AsyncEngine
    account: int
    name: str
    scope: tuple[Book, ...] = ALL
    off: dict[tuple[Book, str], int] = field(default_factory=dict)
    loaded: dict[Book, int] = field(default_factory=dict)
    inputs: Inputs = field(init=False)

    def __post_init__(self) -> None:
        self.inputs = Inputs(
            scope=self.scope,
            processor_before=datetime(2026, 3, 1, tzinfo=UTC),
            bank_before=datetime(2026, 3, 1, tzinfo=UTC),
            journal_before=datetime(2026, 3, 1, tzinfo=UTC),
            terms="r1",
            calendars="0" * 64,
            grace="1" * 64,
        )

    @classmethod
    async def made(cls, engine: AsyncEngine, name: str = "acme") -> Books:
        """An account that began on Monday, with nothing."""
        made = await rows(
            engine,
            """INSERT INTO reconciliation_accounts
                   (name, tenant, time_zone, opened_on, processor, journal)
               VALUES (:name, 'acme', 'UTC', '2026-03-02', 'files', 'files') RETURNING id""",
            name=name,
        )
        return cls(engine, made[0]["id"], name)

    async def take(self, *items: Iterable[NewItem], source: str = "a test") -> None:
        """Take movements in, all of them at once."""
        async with transaction(self.engine) as connection:
            every = [one for those in items for one in those]
            await take_in(connection, self.account, every, source=source)

    async def fix(
        self,
        day: date,
        *,
        missing: Sequence[Missing] = (),
        opening: dict[Book, int] | None = None,
        terms: str = "r1",
    ) -> Fixed:
        """Open a run and fix its cut."""
        midnight = datetime.combine(day + timedelta(days=1), time(), UTC)
        inputs = self.inputs.model_copy(
            update={
                "processor_before": midnight,
                "bank_before": midnight,
                "journal_before": midnight,
                "statements": (f"statement of {day}",),
                "missing": tuple(missing),
                "terms": terms,
            }
        )
        async with transaction(self.engine) as connection:
            run = await self._open(connection, day)
            told = await self._told(connection, midnight, opening or {})
            return await cut.fix(connection, run, inputs, told)

    async def reconcile(
        self,
        day: date,
        *,
        missing: Sequence[Missing] = (),
        opening: dict[Book, int] | None = None,
        breaks: bool = True,
    ) -> tuple[str, Certificate]:
        """A whole run; the certificate and its id. Without `breaks` all that is open is timing."""
        fixed = await self.fix(day, missing=missing, opening=opening)
        if fixed.certificate is not None:
            async with transaction(self.engine) as connection:
                return fixed.certificate, await certificates.read(connection, fixed.certificate)
        async with transaction(self.engine) as connection:
            await self.match(connection, fixed.run, breaks=breaks)
        return await self.certify(fixed.run)

    async def certify(self, run: int) -> tuple[str, Certificate]:
        """Certify a run that is matched."""
        async with transaction(self.engine) as connection:
            id_ = await certificates.certify(connection, run)
            certificate = await certificates.read(connection, id_)
            await connection.execute(
                text("""UPDATE runs SET status = :status, ended_at = clock_timestamp()
                        WHERE id = :run"""),
                {"run": run, "status": certificate.status},
            )
            return id_, certificate

    async def verify(self, id_: str) -> tuple[str, ...]:
        """What is otherwise than a certificate says."""
        async with transaction(self.engine) as connection:
            return (await certificates.verify(connection, id_)).differences

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """One transaction on the account's database."""
        return transaction(self.engine)

    async def execute(self, connection: AsyncConnection, sql: str, **values: object) -> None:
        """One statement."""
        await connection.execute(text(sql), values)

    async def forget(self, source_id: str) -> None:
        """Take the matches of a source apart that told something else since, as matching does."""
        async with transaction(self.engine) as connection:
            await self._apart(connection, source_id, "L1", kept=False)

    async def unmatch(self, source_id: str, leg: Leg) -> None:
        """A person takes a match apart after the latest run."""
        async with transaction(self.engine) as connection:
            await self._apart(connection, source_id, leg, kept=True)

    async def _apart(
        self, connection: AsyncConnection, source_id: str, leg: Leg, *, kept: bool
    ) -> None:
        await connection.execute(
            text("""
                    WITH found AS (
                        SELECT x.* FROM items i
                        JOIN match_items m ON m.item = i.id AND m.leg = :leg
                        JOIN matches x ON x.number = m.match
                        WHERE i.account = :account AND i.source_id = :source
                    ), gone AS (
                        DELETE FROM match_items USING found WHERE match = found.number
                        RETURNING item, match_items.leg
                    ), kept AS (
                        INSERT INTO match_history (match, account, leg, rule, disposition,
                            difference_minor, items, run, until_run, unmatched_by, reason, kept)
                        SELECT id, account, leg, rule, disposition, difference_minor,
                               (SELECT array_agg(item) FROM gone), run,
                               (SELECT max(id) FROM runs WHERE account = :account),
                               'ada@example.org', 'not the same sale', :kept
                        FROM found
                    ), removed AS (
                        DELETE FROM matches USING found WHERE matches.number = found.number
                    )
                    INSERT INTO open_items (leg, item, amount_minor, account, opened_in,
                                            effective_on, book, disposition, currency)
                    SELECT gone.leg, i.id, i.amount_minor, i.account,
                           (SELECT max(id) + 1 FROM runs WHERE account = :account),
                           i.effective_on, i.book, :timing, i.currency
                    FROM gone JOIN items i ON i.id = gone.item
                """),
            {
                "account": self.account,
                "source": source_id,
                "leg": LEGS[leg],
                "timing": DISPOSITIONS["timing"],
                "kept": kept,
            },
        )

    async def _open(self, connection: AsyncConnection, day: date) -> int:
        opened = await connection.scalar(
            text("""
                INSERT INTO runs (account, business_date, ordinal, previous)
                SELECT :account, :day,
                       (SELECT coalesce(max(ordinal), 0) + 1 FROM runs
                        WHERE account = :account AND business_date = :day),
                       (SELECT max(id) FROM runs WHERE account = :account)
                RETURNING id
            """),
            {"account": self.account, "day": day},
        )
        assert opened is not None
        return int(opened)

    async def _told(
        self, connection: AsyncConnection, before: datetime, opening: dict[Book, int]
    ) -> list[Told]:
        """Openings, and what the movements up to the day come to, of each book."""
        found = await connection.execute(
            text("""
                SELECT DISTINCT ON (book, source_id, component) book, currency, amount_minor
                FROM items WHERE account = :account AND occurred_at < :before
                ORDER BY book, source_id, component, version DESC
            """),
            {"account": self.account, "before": before},
        )
        closing: defaultdict[tuple[Book, str], int] = defaultdict(int)
        words = {code: book for book, code in BOOKS.items()}
        for row in found:
            closing[words[row.book], row.currency] += row.amount_minor
        told = []
        for book in self.scope:
            began = opening.get(book, 0)
            closing[book, "EUR"] += began - self.loaded.get(book, 0)
            told.append(_told(book, "EUR", "opening", began))
        told += [
            _told(book, currency, "closing", amount + self.off.get((book, currency), 0))
            for (book, currency), amount in sorted(closing.items())
            if book in self.scope
        ]
        return told

    async def match(self, connection: AsyncConnection, run: int, *, breaks: bool = True) -> None:
        """Pair what is open by reference; what is left is a break, in L2 on its way."""
        await self.execute(
            connection,
            """
            DELETE FROM open_items o USING items i, items told
            WHERE i.id = o.item AND told.account = i.account AND told.book = i.book
            AND told.source_id = i.source_id AND told.version > i.version
            """,
        )
        for leg, sides in SIDES.items():
            waiting = await self._waiting(connection, run, leg, sides)
            by_reference: defaultdict[str, list[list[_Waiting]]] = defaultdict(lambda: [[], []])
            for one in waiting:
                side = sides.index(one.book)
                by_reference[one.reference or one.source_id][side].append(one)
            for pair in by_reference.values():
                while pair[0] and pair[1]:
                    await self._keep(connection, run, leg, pair[0].pop(0), pair[1].pop(0))
                for one in (*pair[0], *pair[1]):
                    await self._leave(connection, run, leg, one, breaks=breaks)

    async def _waiting(
        self, connection: AsyncConnection, run: int, leg: Leg, sides: tuple[Book, Book]
    ) -> list[_Waiting]:
        found = await connection.execute(
            text("""
                SELECT i.id, i.book, i.source_id, i.reference, i.amount_minor, i.currency,
                       i.effective_on, b.id AS break_id, o.opened_in
                FROM items i JOIN cuts c ON c.run = :run AND c.account = i.account
                LEFT JOIN open_items o ON o.item = i.id AND o.leg = :leg
                LEFT JOIN breaks b ON b.account = i.account AND b.leg = :leg
                                  AND b.subject = i.source_id AND b.closed_in IS NULL
                WHERE i.book = ANY(CAST(:books AS smallint[])) AND i.occurred_at < c.bank_before
                AND i.id <= c.last_item
                AND (:leg <> 2 OR i.book = 2 AND i.kind = 'NTRF'
                     OR i.kind IN ('payout', 'payout_reversal'))
                AND NOT EXISTS (SELECT FROM match_items WHERE item = i.id AND leg = :leg)
                AND NOT EXISTS (
                    SELECT FROM items n WHERE n.account = i.account AND n.source_id = i.source_id
                    AND n.version > i.version AND n.id <= c.last_item)
                ORDER BY i.source_id
            """),
            {"run": run, "leg": LEGS[leg], "books": [BOOKS[book] for book in sides]},
        )
        words = {code: book for book, code in BOOKS.items()}
        return [_Waiting(**{**row._mapping, "book": words[row.book]}) for row in found]

    async def _keep(
        self, connection: AsyncConnection, run: int, leg: Leg, one: _Waiting, other: _Waiting
    ) -> None:
        ours = -one.amount_minor if leg == "L2" else one.amount_minor
        difference = ours - other.amount_minor
        id_ = uuid.uuid5(uuid.NAMESPACE_URL, f"{leg}/{one.source_id}/{other.source_id}")
        number = await connection.scalar(
            text("""
                INSERT INTO matches (difference_minor, id, account, run, leg, rule, disposition)
                VALUES (:difference, :id, :account, :run, :leg, :rule, :disposition)
                RETURNING number
            """),
            {
                "difference": difference,
                "id": id_,
                "account": self.account,
                "run": run,
                "leg": LEGS[leg],
                "rule": RULES["reference_differs" if difference else "reference"],
                "disposition": DISPOSITIONS["difference" if difference else "exact"],
            },
        )
        for each in (one, other):
            await connection.execute(
                text("INSERT INTO match_items (item, match, leg) VALUES (:item, :match, :leg)"),
                {"item": each.id, "match": number, "leg": LEGS[leg]},
            )
            await self._close(connection, run, leg, each)
        if difference:
            await self._break(connection, run, leg, one, "amount", abs(difference))

    async def _close(self, connection: AsyncConnection, run: int, leg: Leg, one: _Waiting) -> None:
        asked = {"item": one.id, "leg": LEGS[leg], "run": run}
        await connection.execute(
            text("""
                WITH gone AS (DELETE FROM open_items WHERE item = :item AND leg = :leg RETURNING *)
                INSERT INTO closed_items (leg, item, opened_in, closed_in, account, amount_minor,
                                          effective_on, book, currency)
                SELECT leg, item, opened_in, :run, account, amount_minor, effective_on, book,
                       currency
                FROM gone
            """),
            asked,
        )
        if one.break_id is not None:
            await connection.execute(
                text("""
                    WITH closed AS (
                        UPDATE breaks SET closed_in = :run, closed_on = opened_on
                        WHERE id = :break_id RETURNING id, class
                    )
                    INSERT INTO break_events (break_id, run, what, class, at_risk_minor)
                    SELECT id, :run, 'closed', class, 0 FROM closed
                """),
                {"run": run, "break_id": one.break_id},
            )

    async def _leave(
        self, connection: AsyncConnection, run: int, leg: Leg, one: _Waiting, *, breaks: bool
    ) -> None:
        broken = breaks and leg != "L2"
        await connection.execute(
            text("""
                INSERT INTO open_items (leg, item, amount_minor, account, opened_in, effective_on,
                                        book, disposition, currency)
                VALUES (:leg, :item, :amount, :account, :run, :on, :book, :disposition, :currency)
                ON CONFLICT DO NOTHING
            """),
            {
                "leg": LEGS[leg],
                "item": one.id,
                "amount": one.amount_minor,
                "account": self.account,
                "run": run,
                "on": one.effective_on,
                "book": BOOKS[one.book],
                "disposition": DISPOSITIONS["break" if broken else "timing"],
                "currency": one.currency,
            },
        )
        if broken and one.break_id is None:
            ours = one.book in ("clearing", "cash")
            class_ = {
                ("L1", True): "missing_processor",
                ("L1", False): "missing_ours",
                ("L3", True): "missing_bank",
                ("L3", False): "missing_cash",
            }[leg, ours]
            await self._break(connection, run, leg, one, class_, abs(one.amount_minor))

    async def _break(
        self,
        connection: AsyncConnection,
        run: int,
        leg: Leg,
        one: _Waiting,
        class_: str,
        at_risk: int,
    ) -> None:
        await connection.execute(
            text("""
                WITH opened AS (
                    INSERT INTO breaks (account, leg, subject, class, items, currency,
                                        at_risk_minor, opened_on, provisional, opened_in)
                    SELECT :account, :leg, :subject, :class, ARRAY[CAST(:item AS bigint)],
                           :currency, :at_risk, business_date, false, id
                    FROM runs WHERE id = :run
                    RETURNING id
                )
                INSERT INTO break_events (break_id, run, what, class, at_risk_minor)
                SELECT id, :run, 'opened', :class, :at_risk FROM opened
            """),
            {
                "account": self.account,
                "leg": LEGS[leg],
                "subject": one.source_id,
                "class": class_,
                "item": one.id,
                "currency": one.currency,
                "at_risk": at_risk,
                "run": run,
            },
        )


@dataclass(frozen=True)
class _Waiting:
    id: int
    book: Book
    source_id: str
    reference: str | None
    amount_minor: int
    currency: str
    effective_on: date
    break_id: int | None
    opened_in: int | None


def _told(book: Book, currency: str, kind: str, amount: int) -> Told:
    return Told.model_validate(
        {
            "book": book,
            "currency": currency,
            "kind": kind,
            "amount_minor": amount,
            "source": "a source",
        }
    )


def changed(one: NewItem, amount: int) -> NewItem:
    """The same movement, told with another amount."""
    return replace(one, amount_minor=amount)
=======
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
>>>>>>> engine
