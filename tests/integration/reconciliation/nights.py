"""Nights in miniature: payouts at the processor, our own journal, statements of a bank."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import cast

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.reconciliation.compare import MatchActivities
from activities.reconciliation.gather import GatherActivities
from activities.reconciliation.gathered import GatheredInputs
from activities.reconciliation.statements import StatementIntake
from activities.reconciliation.terms import load_terms
from connectors.archive_folder import NO_ANSWER, FolderArchive
from connectors.folder import Folder
from database.connection import transaction
from database.journal.book import post
from database.journal.entry import NewEntry, NewLine
from database.journal.posting import post_evidence
from database.reconciliation import accounts, certificates, runs, sources
from database.reconciliation.accounts import Account
from database.reconciliation.item import NewItem
from database.reconciliation.items import take_in
from database.spool import Spool
from tests.integration.reconciliation.conftest import go_live
from tests.postgres import rows
from tests.simulated import REPOSITORY
from workflows.reconciliation.books import Rhythm
from workflows.reconciliation.certificate import Certificate
from workflows.reconciliation.messages import ForRun, OfCut, Run
from workflows.reconciliation.opening import OpeningBalance

OPENED = date(2026, 3, 2)
"""A Monday."""
IBAN = "DE00EXAMPLE"


def march(day: int) -> date:
    """A day of March."""
    return date(2026, 3, day)


def mt940(
    number: int, opened: int, closed: int, entries: Mapping[str, tuple[int, int]], *, opening: int
) -> bytes:
    """The bank's statement of this number; each entry, by its trace, is of a day and an amount."""

    def money(amount: int) -> str:
        whole, cents = divmod(abs(amount), 100)
        return f"{whole},{cents:02}"

    closing = opening + sum(amount for _, amount in entries.values())
    lines = [
        f":61:2603{day:02}03{day:02}{'C' if amount > 0 else 'D'}{money(amount)}"
        f"NTRF{trace}//BANK-{trace}\n:86:STRIPE PAYOUT"
        for trace, (day, amount) in entries.items()
    ]
    return "\n".join(
        (
            ":20:REF",
            f":25:{IBAN}",
            f":28C:{number:05}/001",
            f":60F:C2603{opened:02}EUR{money(opening)}",
            *lines,
            f":62F:C2603{closed:02}EUR{money(closing)}",
            "-\n",
        )
    ).encode()


@dataclass
class Nights:
    """An account with payouts, whose books are gathered, compared, certified night by night."""

    engine: AsyncEngine
    account: Account
    intake: StatementIntake
    folder: Path
    balance: int = 0
    certificates: dict[date, Certificate] = field(default_factory=dict)

    @classmethod
    async def begun(cls, engine: AsyncEngine, folder: Path, rhythm: Rhythm) -> Nights:
        """An account that begins on Monday, with nothing."""
        posts = ("payouts", "settlements")
        asked = Account(0, "acme", "acme", "UTC", OPENED, "files", "ours", posts)
        async with transaction(engine) as connection:
            made = await accounts.make(connection, asked)
            await accounts.add_bank_account(connection, made, IBAN, "EUR", "target", rhythm)
            account = await accounts.of_name(connection, "acme")
        nothing = [
            OpeningBalance(book=book, currency="EUR", amount_minor=0)
            for book in ("processor", "bank", "clearing", "in_transit", "cash")
        ]
        await go_live(engine, account, *nothing)
        spool, archive = Spool(folder / "spool"), Folder(folder / "archive", no_answer=NO_ANSWER)
        spool.prepare()
        archive.prepare()
        return cls(
            engine, account, StatementIntake(engine, spool, FolderArchive(archive), {}), folder
        )

    async def send(self, content: bytes, *, by: str = "test", tenant: str | None = None) -> str:
        """Send a statement file; its id. It is read by the night after."""
        file = self.folder / hashlib.sha256(content).hexdigest()
        file.write_bytes(content)
        return await self.intake.receive(file, by=by, tenant=tenant)

    async def forget_bank_account(self) -> None:
        """Nobody knows whose the bank account is."""
        async with transaction(self.engine) as connection:
            await connection.execute(text("DELETE FROM reconciliation_bank_accounts"))

    async def know_bank_account(self) -> None:
        """It is the account's, of which statements come daily."""
        async with transaction(self.engine) as connection:
            of = self.account.id
            await accounts.add_bank_account(connection, of, IBAN, "EUR", "target", "daily")

    async def sell_and_pay_out(self, day: date, trace: str, amount: int = 10_000) -> None:
        """A charge that we booked, paid out at once: the bank should have it on its next day."""
        await self.charge(day, f"ch_{trace}", amount)
        arrival = day + timedelta(days=3 if day.weekday() == 4 else 1)
        await self.move(day, "payout", f"po_{trace}", -amount, trace=trace, arrival=arrival)

    async def charge(self, day: date, charge: str, amount: int) -> None:
        await self.move(day, "charge", charge, amount)
        lines = [
            NewLine("clearing", "EUR", amount, "charge", charge, charge),
            NewLine("receivables", "EUR", -amount, "charge", charge, charge),
        ]
        async with transaction(self.engine) as connection:
            booked = NewEntry(f"test/{charge}", "payment", _noon(day), lines)
            await post(connection, self.account.id, [booked])

    async def move(
        self,
        day: date,
        kind: str,
        reference: str,
        amount: int,
        *,
        trace: str | None = None,
        arrival: date | None = None,
    ) -> None:
        """A movement of the processor's balance."""
        moved = NewItem(
            "processor",
            f"txn/{kind}/{reference}",
            "gross",
            kind,
            "EUR",
            amount,
            _noon(day),
            day,
            reference,
            arrival_on=arrival,
            trace_id=trace,
        )
        self.balance += amount
        async with transaction(self.engine) as connection:
            await take_in(connection, self.account.id, [moved], source="a test")

    async def night(self, day: date, *, holds: bool = True) -> Certificate:
        """Reconcile a day, as a run does, and post what follows; the certificate is verified."""
        async with transaction(self.engine) as connection:
            told = {"EUR": self.balance}
            at = self.account.end_of(day)
            await sources.tell_balances(connection, self.account.id, at, told, source="balance")
            run = cast(Run, await runs.open_run(connection, self.account, day))
        asked = ForRun(run=run, request_key=f"{run.workflow_id}/test")
        gather = GatherActivities(self.engine, lambda _: None, self.intake, ())
        step = ActivityEnvironment()
        await step.run(gather.statements, asked)
        await step.run(gather.journal, asked)
        terms = load_terms(REPOSITORY / "rules" / "reconciliation.toml")
        compare = MatchActivities(self.engine, terms, GatheredInputs(terms))
        cut = await step.run(compare.fix, asked)
        if cut.certificate_id is None:
            of = OfCut(run=run, request_key=asked.request_key, cut_id=cut.cut_id)
            await step.run(compare.match, of)
        async with transaction(self.engine) as connection:
            id_ = cut.certificate_id or await certificates.certify(connection, cut.cut_id)
            certificate = await certificates.read(connection, id_)
            stage = {"BALANCED": "balanced", "BREAKS": "breaks", "INCOMPLETE": "incomplete"}
            await runs.record_stage(connection, run, stage[certificate.status])  # type: ignore[arg-type]
            if certificate.status in ("BALANCED", "BREAKS"):
                await post_evidence(connection, self.account)
            verified = await certificates.verify(connection, id_)
        assert (verified.differences == ()) is holds
        self.certificates[day] = certificate
        return certificate

    async def breaks(self) -> list[str]:
        """The classes of breaks that are open."""
        found = await rows(
            self.engine, "SELECT class FROM breaks WHERE closed_on IS NULL ORDER BY class"
        )
        return [one["class"] for one in found]


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def residuals(certificate: Certificate) -> set[int]:
    """What is left of the bridge and of the roll forward."""
    return {
        *(one.residual_minor for one in certificate.bridge),
        *(one.residual_minor for one in certificate.roll_forward),
    }
