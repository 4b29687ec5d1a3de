"""One day of books in miniature, step by step through the real activities of our worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from database.connection import engine_for, transaction
from database.journal import openings
from database.journal.book import post
from database.journal.entry import NewEntry, NewLine
from database.reconciliation import accounts
from database.reconciliation.accounts import Account
from database.reconciliation.item import NewItem
from database.reconciliation.items import take_in
from tests.house import House
from tests.postgres import rows
from tests.simulated import SimulatorHandle
from workers import reconciliation as worker
from workers.settings import Settings
from workflows.reconciliation.messages import (
    Certify,
    ForRun,
    OfCut,
    OpenDay,
    OpenNight,
    Post,
    RecordStage,
    Run,
    Tell,
)
from workflows.reconciliation.opening import Opening, OpeningBalance
from workflows.request_key import Request, request_key
from workflows.step import declaration_of

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RUN = Run(account="acme", day=DAY, ordinal=1)

STORY = (
    "opening.open_night",
    "opening.open_day",
    "run.take_up",
    "run.record_stage",
    "gather.processor",
    "gather.statements",
    "gather.journal",
    "shadow.compare",
    "cut.fix",
    "match.match",
    "proof.prove",
    "proof.certify",
    "post.post",
    "post.tell",
)
"""Every step of a run and of what opens it, in the order in which they are asked for."""

TOLD_IN_TABLES = {
    "requests": "key, state",
    "runs": "workflow_id, stage, status",
    "intakes": "last_item",
    "items": "book, source_id, component, version, amount_minor",
    "source_files": "size",
    "journal_seals": "number",
    "cuts": "hash",
    "control_totals": "book, currency, kind, amount_minor",
    "matches": "id, rule, disposition",
    "match_items": "item, leg",
    "open_items": "item, leg, disposition",
    "breaks": "class, subject, at_risk_minor",
    "break_events": "what, class, at_risk_minor",
    "certificates": "id, status",
    "certificate_documents": "certificate, format",
    "journal_entries": "request_key, derived",
}
"""What a run leaves behind, without times and what the database numbers by itself."""


def _item(book: Any, source: str, kind: str, amount: int, **more: Any) -> NewItem:
    told: dict[str, Any] = {"component": "", "reference": f"ref_{source}"}
    return NewItem(
        book=book,
        source_id=source,
        kind=kind,
        currency="EUR",
        amount_minor=amount,
        occurred_at=NOON,
        effective_on=DAY,
        **(told | more),
    )


ITEMS = (
    _item("processor", "txn_1", "charge", 10_000, component="gross", reference="ch_1"),
    _item("processor", "txn_1", "fee", -300, component="fee:stripe_fee", reference="ch_1"),
    _item("processor", "txn_2", "charge", 4_000, component="gross", reference="ch_2"),
    _item("processor", "txn_3", "payout", -9_700, component="gross", payout="po_1"),
)
"""A sale that we booked, its fee, one that we did not, and a payout."""


@dataclass
class Reconciling:
    """The books of one account in a database of their own; `answers` are those of each step."""

    engine: AsyncEngine
    registered: dict[str, Any]
    outside: SimulatorHandle
    answers: dict[str, Any] = field(default_factory=dict)

    def request(self, name: str) -> Request:
        """What the process would ask of a step now."""
        made = self._request(name)
        return made.model_copy(update={"request_key": request_key(RUN.workflow_id, name)})

    def _request(self, name: str) -> Request:
        key = "-"
        if name == "opening.open_night":
            at = datetime(2026, 3, 3, 2, 30, tzinfo=UTC)
            return OpenNight(request_key=key, at=at, after=None, limit=10)
        if name == "opening.open_day":
            return OpenDay(request_key=key, account=RUN.account, day=DAY)
        if name == "run.record_stage":
            return RecordStage(request_key=key, run=RUN, stage="gathering")
        if name in ("match.match", "proof.prove"):
            return OfCut(request_key=key, run=RUN, cut_id=self.cut)
        if name == "proof.certify":
            proven = self.answers["proof.prove"]
            return Certify(
                request_key=key,
                run=RUN,
                cut_id=self.cut,
                status=proven.status,
                result_hash=proven.result_hash,
            )
        if name in ("post.post", "post.tell"):
            certificate = self.answers["proof.certify"].certificate_id
            if name == "post.post":
                return Post(request_key=key, run=RUN, cut_id=self.cut, certificate_id=certificate)
            status = self.answers["proof.prove"].status
            return Tell(
                request_key=key,
                run=RUN,
                cut_id=self.cut,
                certificate_id=certificate,
                status=status,
            )
        return ForRun(request_key=key, run=RUN)

    @property
    def cut(self) -> int:
        return int(self.answers["cut.fix"].cut_id)

    async def ask(self, name: str) -> Any:
        """Ask for a step as a worker does. Any: each step has its own answer."""
        return await ActivityEnvironment().run(self.registered[name], self.request(name))

    async def up_to(self, name: str) -> None:
        """Play what comes before a step."""
        for one in STORY[: STORY.index(name)]:
            self.answers[one] = await self.ask(one)

    async def to_the_end(self, name: str) -> None:
        """Play what comes after a step."""
        for one in STORY[STORY.index(name) + 1 :]:
            self.answers[one] = await self.ask(one)

    async def left(self) -> dict[str, list[tuple[Any, ...]]]:
        """What is in our tables."""
        return {
            table: sorted(
                (tuple(map(str, one.values())) for one in await self._rows(table, columns)),
            )
            for table, columns in TOLD_IN_TABLES.items()
        }

    async def _rows(self, table: str, columns: str) -> list[dict[str, Any]]:
        return await rows(self.engine, f"SELECT {columns} FROM {table}")


@asynccontextmanager
async def reconciling(house: House, settings: Settings, dsn: str) -> AsyncIterator[Reconciling]:
    """The books before anything was asked, in the database `dsn` that `settings` name."""
    engine = engine_for(dsn)
    await _begin(engine)
    async with worker.activities(settings) as steps:
        registered = {declaration_of(one).name: one for one in steps}
        yield Reconciling(engine, registered, house.outside)
    await engine.dispose()


async def _begin(engine: AsyncEngine) -> None:
    posts = ("fees", "payouts", "settlements")
    asked = Account(0, RUN.account, "acme", "UTC", DAY, "files", "ours", posts)
    async with transaction(engine) as connection:
        made = await accounts.make(connection, asked)
        account = await accounts.of_name(connection, RUN.account)
        nothing = OpeningBalance(book="cash", currency="EUR", amount_minor=0)
        opening = Opening(opened_on=DAY, balances=(nothing,))
        row = await openings.propose(connection, account, opening, by="one", reason="Go-live.")
        await openings.decide(
            connection, account, row["id"], "approved", by="another", reason="As told."
        )
        await accounts.add_bank_account(connection, made, "DE00EXAMPLE", "EUR", "target")
        await take_in(connection, made, ITEMS, source="a test")
        lines = [
            NewLine("clearing", "EUR", 10_000, "charge", "ch_1", "ch_1"),
            NewLine("receivables", "EUR", -10_000, "charge", "ch_1", "ch_1"),
        ]
        await post(connection, made, [NewEntry("test/ch_1", "payment", NOON, lines)])
