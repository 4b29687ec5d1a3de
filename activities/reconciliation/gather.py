"""Gathering what the three sources have for a night. All of it can be done again."""

from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from activities.reconciliation.heartbeat import alive
from activities.reconciliation.listing import ProcessorBook
from activities.reconciliation.statements import StatementIntake
from connectors.capabilities import Processor
from database.connection import transaction
from database.journal import balances, items
from database.reconciliation import accounts
from database.reconciliation.accounts import Account
from workflows.reconciliation.messages import ForRun, Gathered
from workflows.reconciliation.steps import GatherSteps
from workflows.step import implements


class GatherActivities(GatherSteps):
    """Gathering. `processor_of` is the way to an account's book at its processor."""

    def __init__(
        self,
        engine: AsyncEngine,
        processor_of: Callable[[Account], Processor],
        statements: StatementIntake,
        *,
        keys: Sequence[str],
    ) -> None:
        self._engine = engine
        self._processor_of = processor_of
        self._statements = statements
        self._keys = keys

    @implements(GatherSteps.processor)
    async def processor(self, request: ForRun) -> Gathered:
        """Take in what the processor booked up to the end of the day."""
        account = await self._account(request)
        if account.processor == "files":  # they come in by `perdure import`
            return Gathered()
        book = ProcessorBook(self._engine, self._processor_of(account), account, self._keys)
        return await book.gather(account.end_of(request.run.day))

    @implements(GatherSteps.statements)
    async def statements(self, request: ForRun) -> Gathered:
        """Read the statement files that wait, whosever they are."""
        async with alive():
            read = await self._statements.read_waiting()
        return Gathered(
            new=read.new,
            changed=read.changed,
            unchanged=read.unchanged,
            problems=("statement_refused",) if read.refused else (),
        )

    @implements(GatherSteps.journal)
    async def journal(self, request: ForRun) -> Gathered:
        """Seal the journal as it is committed now, and take in the lines under the seal."""
        account = await self._account(request)
        if account.journal == "files":
            return Gathered()
        async with alive():
            async with transaction(self._engine) as connection:
                seal = await balances.seal(connection, account.id)
            async with transaction(self._engine) as connection:
                taken = await items.take_in_lines(connection, account.id, seal)
        return Gathered(new=taken.new, changed=taken.changed, unchanged=taken.unchanged)

    async def _account(self, request: ForRun) -> Account:
        async with transaction(self._engine) as connection:
            return await accounts.of_name(connection, request.run.account)
