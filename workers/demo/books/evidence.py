"""What is there after the second act: at the gateway, outside, in our database, at Temporal."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass

from sqlalchemy import text
from temporalio.client import Client

from database.connection import engine_for, transaction
from workers.demo.books.act import Stage
from workers.demo.books.memory import Memory
from workers.demo.outside import Letter
from workers.demo.temporal import WorkflowRun, runs_of, workers_of
from workers.settings import Settings
from workflows.reconciliation.answers import BreakInFull, Match, Reconciliation
from workflows.reconciliation.certificate import Certificate
from workflows.reconciliation.opening import ProposedOpening

_SIGNED_FOR = text("""
    SELECT DISTINCT event FROM audit
    WHERE event LIKE 'opening.%' AND details->>'account' = :account
""")


@dataclass(frozen=True)
class NightFound:
    """A run, with its certificate.

    `hashed` is the SHA-256 of the certificate as it is kept, `differences` what making it anew
    found, `workflows` how it stands at Temporal, `workers` who carried it there, `letters` what
    finance was told of it.
    """

    run: Reconciliation
    certificate: Certificate
    hashed: str
    differences: tuple[str, ...]
    workflows: tuple[WorkflowRun, ...]
    workers: tuple[str, ...]
    letters: int


@dataclass(frozen=True)
class BooksEvidence:
    """All that there is of an account.

    `payments` counts those booked, `statements` has the state of each statement in each file that
    came, `audited` is what the audit trail has of the opening, `charged` are the charges at Stripe,
    `faults` what the bank has still to do wrong. `memory` is what the act saw on its way.
    """

    memory: Memory
    opening: ProposedOpening
    audited: frozenset[str]
    nights: tuple[NightFound, ...]
    breaks: tuple[BreakInFull, ...]
    matches: tuple[Match, ...]
    payments: int
    statements: tuple[str, ...]
    charged: frozenset[str]
    faults: int


class BooksInvestigation:
    """Looks at everything that the act may have left."""

    def __init__(self, stage: Stage, settings: Settings, temporal: Client) -> None:
        self._stage, self._settings, self._temporal = stage, settings, temporal

    async def of(self, memory: Memory) -> BooksEvidence:
        """All that there is now. Raises httpx.HTTPError, RPCError and DatabaseDown."""
        finance, money = self._stage.finance, self._stage.money
        letters = await self._stage.outside.letters(
            to=self._settings.finance_email, subject=memory.account
        )
        runs = [run for run in await finance.runs(memory.account) if run.certificate_id]
        nights = await asyncio.gather(*(self._night(run, letters) for run in runs))
        return BooksEvidence(
            memory=memory,
            opening=await finance.opening(memory.account),
            audited=await self._audited(memory),
            nights=tuple(nights),
            breaks=tuple(await finance.breaks(memory.account)),
            matches=tuple(await finance.matches(memory.account)),
            payments=await finance.payments(memory.account),
            statements=tuple(await finance.statements(memory.iban)),
            charged=frozenset(await money.charges(memory.since)),
            faults=await money.bank_faults(),
        )

    async def _night(self, run: Reconciliation, letters: list[Letter]) -> NightFound:
        assert run.certificate_id is not None, "others are left out"
        kept = await self._stage.finance.certificate(run.certificate_id)
        verified = await self._stage.finance.verify(run.certificate_id)
        told = [one for one in letters if run.certificate_id in one.text]
        return NightFound(
            run=run,
            certificate=Certificate.model_validate_json(kept),
            hashed=hashlib.sha256(kept).hexdigest(),
            differences=verified.differences,
            workflows=tuple(await runs_of(self._temporal, run.id)),
            workers=tuple(await workers_of(self._temporal, run.id)),
            letters=len(told),
        )

    async def _audited(self, memory: Memory) -> frozenset[str]:
        engine = engine_for(self._settings.database_url, application="perdure-demo")
        try:
            async with transaction(engine) as connection:
                found = await connection.scalars(_SIGNED_FOR, {"account": memory.account})
                return frozenset(found)
        finally:
            await engine.dispose()
