"""Taking in what the three sources have: the processor, the bank's statements, our journal."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncEngine

from activities.heartbeat import heartbeating
from activities.reconciliation.listing import ProcessorBook
from activities.reconciliation.statements import StatementIntake
from connectors.capabilities import Processor
from database.connection import transaction
from database.journal import balances
from database.journal.items import take_in_lines
from database.reconciliation import accounts, sources, statements
from database.reconciliation.accounts import Account
from workflows.reconciliation.messages import ForRun, Gathered
from workflows.reconciliation.steps import GatherSteps
from workflows.step import implements

UNSEALED = "journal_unsealed"
"""The problem that entries of the day are still being written."""

PATIENCE = 60.0
"""Seconds that a seal waits for transactions on the server which began before what we booked."""
_LOOK_EVERY = 0.5

ProcessorOf = Callable[[Account], Processor | None]
"""Who tells an account's book at its processor; None where it comes by files."""


class GatherActivities(GatherSteps):
    """Gathering. `keys` are what our journal knows the processor's movements by, best first.

    `patience` is how many seconds a seal waits for older transactions.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        processor_of: ProcessorOf,
        intake: StatementIntake,
        keys: Sequence[str],
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._engine = engine
        self._processor_of = processor_of
        self._intake = intake
        self._keys = keys
        self._patience = patience

    @implements(GatherSteps.processor)
    async def processor(self, request: ForRun) -> Gathered:
        """Take in balance transactions, payouts with who is in them, and the closing balance."""
        account = await self._account(request)
        processor = self._processor_of(account)
        if processor is None:
            return Gathered()
        book = ProcessorBook(self._engine, processor, account, self._keys)
        return await book.gather(account.end_of(request.run.day))

    @implements(GatherSteps.statements)
    async def statements(self, request: ForRun) -> Gathered:
        """Take in the statement files that came, and those that waited for this account."""
        account = await self._account(request)
        async with heartbeating():
            async with transaction(self._engine) as connection:
                await statements.have_read_again(connection, account.id)
            read = await self._intake.read_waiting()
        return Gathered(new=read.new, changed=read.changed, unchanged=read.unchanged)

    @implements(GatherSteps.journal)
    async def journal(self, request: ForRun) -> Gathered:
        """Seal the journal, and take in the lines that are under the seal.

        A run without a line of the day is incomplete, so that a long transaction is waited for.
        """
        account = await self._account(request)
        if account.journal != "ours":
            return Gathered()
        async with heartbeating():
            await self._until_sealable(account, request.run.day)
            async with transaction(self._engine) as connection:
                seal = await balances.seal(connection, account.id)
            async with transaction(self._engine) as connection:
                number = await sources.last_seal(connection, account.id)
                after = number and await balances.sealed(connection, account.id, number)
                taken = await take_in_lines(connection, account.id, seal, after=after or None)
                waiting = await balances.waiting(connection, account.id, seal, on=request.run.day)
        return Gathered(
            new=taken.new,
            changed=taken.changed,
            unchanged=taken.unchanged,
            problems=(UNSEALED,) if waiting else (),
        )

    async def _until_sealable(self, account: Account, day: date) -> None:
        """Return once nothing of a day is left out by a seal, or patience is at its end."""
        end = time.monotonic() + self._patience
        while time.monotonic() < end:
            # A transaction that stays open would itself hold others back.
            async with transaction(self._engine) as connection:
                if not await balances.is_held_back(connection, account.id, on=day):
                    return
            await asyncio.sleep(_LOOK_EVERY)

    async def _account(self, request: ForRun) -> Account:
        async with transaction(self._engine) as connection:
            return await accounts.of_name(connection, request.run.account)
