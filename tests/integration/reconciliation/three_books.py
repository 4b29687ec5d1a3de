"""Three books of an invented account, and the plainest matching there is: by reference, in pairs.

What is proven is proven of whatever matched: here by so little that one sees that it is right.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from database.connection import transaction
from database.reconciliation import certificates, cut, matching
from database.reconciliation.classify import classify
from database.reconciliation.codes import BOOKS, DISPOSITIONS, LEGS, RULES
from database.reconciliation.cut import Fixed
from database.reconciliation.item import NewItem
from database.reconciliation.items import take_in
from tests.postgres import rows
from workflows.reconciliation.books import Book, Leg
from workflows.reconciliation.certificate import Certificate, Missing
from workflows.reconciliation.inputs import Inputs, Told
from workflows.reconciliation.terms import Terms

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
    ]


@dataclass
class ThreeBooks:
    """An account and how it is reconciled day by day; sources tell what their books come to.

    off     by how much a source tells another closing, by book and currency
    terms   by which it is matched as in production; without them as plainly as can be
    loaded  what items of the beginning come to, which are in the openings already
    """

    engine: AsyncEngine
    account: int
    name: str
    scope: tuple[Book, ...] = ALL
    off: dict[tuple[Book, str], int] = field(default_factory=dict)
    loaded: dict[Book, int] = field(default_factory=dict)
    terms: Terms | None = None
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
    async def made(cls, engine: AsyncEngine, name: str = "acme") -> ThreeBooks:
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
        opening: Mapping[Book, int] | None = None,
        terms: str = "r1",
    ) -> Fixed:
        """Open a run and fix its cut."""
        async with transaction(self.engine) as connection:
            return await self._fix(connection, day, missing, opening or {}, terms)

    async def hash_of(
        self,
        *items: Iterable[NewItem],
        missing: Sequence[Missing] = (),
        opening: Mapping[Book, int] | None = None,
        terms: str = "r1",
    ) -> str:
        """The hash of Monday's cut, had these been taken in one after the other; they are not."""
        with suppress(_NotToBe):
            async with transaction(self.engine) as connection:
                for those in items:
                    await take_in(connection, self.account, those, source="a test")
                fixed = await self._fix(connection, MONDAY, missing, opening or {}, terms)
                raise _NotToBe
        return fixed.hash

    async def _fix(
        self,
        connection: AsyncConnection,
        day: date,
        missing: Sequence[Missing],
        opening: Mapping[Book, int],
        terms: str,
    ) -> Fixed:
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
        run = await self._open(connection, day)
        told = await self._told(connection, midnight, opening)
        return await cut.fix(connection, run, inputs, told)

    async def reconcile(
        self,
        day: date,
        *,
        missing: Sequence[Missing] = (),
        opening: Mapping[Book, int] | None = None,
        breaks: bool = True,
    ) -> tuple[str, Certificate]:
        """A whole run; the certificate and its id. Without `breaks` all that is open is timing."""
        fixed = await self.fix(day, missing=missing, opening=opening)
        if fixed.certificate is not None:
            async with transaction(self.engine) as connection:
                return fixed.certificate, await certificates.read(connection, fixed.certificate)
        async with transaction(self.engine) as connection:
            if self.terms is None:
                await self.match(connection, fixed.run, breaks=breaks)
            else:
                await matching.match(connection, fixed.run, self.terms)
        if self.terms is not None:
            async with transaction(self.engine) as connection:
                await classify(connection, fixed.run, self.terms)
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

    async def verify(self, id_: str, *, after: str = "SELECT") -> tuple[str, ...]:
        """What is otherwise than a certificate says, after a statement that is taken back."""
        with suppress(_NotToBe):
            async with transaction(self.engine) as connection:
                for table in ("items", "break_events"):
                    await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
                await connection.execute(text(after))
                found = (await certificates.verify(connection, id_)).differences
                raise _NotToBe
        return found

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
        self, connection: AsyncConnection, before: datetime, opening: Mapping[Book, int]
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
                       i.effective_on, i.version, b.id AS break_id, o.opened_in
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
        rule = RULES["reference_differs" if difference else "reference"]
        sources = sorted(each.source for each in (one, other))
        named = "\n".join((self.name, str(LEGS[leg]), str(rule), *sources))
        id_ = uuid.UUID(hashlib.md5(named.encode(), usedforsecurity=False).hexdigest())
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
                "rule": rule,
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
            await self._break(connection, run, leg, one, "amount", abs(difference), other)

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
        *others: _Waiting,
    ) -> None:
        await connection.execute(
            text("""
                WITH opened AS (
                    INSERT INTO breaks (account, leg, subject, class, items, currency,
                                        at_risk_minor, opened_on, provisional, opened_in)
                    SELECT :account, :leg, :subject, :class, CAST(:items AS bigint[]),
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
                "items": [each.id for each in (one, *others)],
                "currency": one.currency,
                "at_risk": at_risk,
                "run": run,
            },
        )


class _NotToBe(Exception):
    """What was done is taken back."""


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
    version: int

    @property
    def source(self) -> str:
        """It in the words of its source, as ids of matches have it."""
        later = f"/{self.version}" if self.version > 1 else ""
        return f"{BOOKS[self.book]}/{self.source_id}/{later}"


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
