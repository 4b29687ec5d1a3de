"""Runs in our own database: given out, taken up, and how far they are."""

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.once import Kept, Once
from database.reconciliation import accounts, runs
from workflows.policy import Budgets
from workflows.reconciliation.messages import (
    ForRun,
    OpenDay,
    Opened,
    OpenedNight,
    OpenNight,
    RecordStage,
    TakenUp,
)
from workflows.reconciliation.steps import OpeningSteps, RunSteps
from workflows.step import implements


class RunActivities(RunSteps, OpeningSteps):
    """Runs. `rules_version` is of what is compared by, `budgets` are the policy's."""

    def __init__(self, engine: AsyncEngine, budgets: Budgets, *, rules_version: str) -> None:
        self._once = Once(engine)
        self._budgets = budgets
        self._rules_version = rules_version

    @implements(RunSteps.take_up)
    async def take_up(self, request: ForRun) -> TakenUp:
        """Take the run up under the rules of today."""

        async def take_up(connection: AsyncConnection) -> TakenUp:
            account = await accounts.of_name(connection, request.run.account)
            return TakenUp(
                budgets=self._budgets, rules_version=self._rules_version, tenant=account.tenant
            )

        return await self._once.ours(request, take_up, TakenUp)

    @implements(RunSteps.record_stage)
    async def record_stage(self, request: RecordStage) -> None:
        """Keep the stage where lists are made from."""

        async def keep(connection: AsyncConnection) -> Kept:
            await runs.record_stage(connection, request.run, request.stage)
            return Kept()

        await self._once.ours(request, keep, Kept)

    @implements(OpeningSteps.open_night)
    async def open_night(self, request: OpenNight) -> OpenedNight:
        """Open a run of each account for the day that was over, or the days since its last one."""

        async def open_(connection: AsyncConnection) -> OpenedNight:
            return await runs.open_night(connection, request)

        return await self._once.ours(request, open_, OpenedNight)

    @implements(OpeningSteps.open_day)
    async def open_day(self, request: OpenDay) -> Opened:
        """Open a run of one account for one day, with an ordinal of its own."""

        async def open_(connection: AsyncConnection) -> Opened:
            account = await accounts.of_name(connection, request.account)
            try:
                opened = await runs.open_run(connection, account, request.day)
            except runs.NotLive:
                return Opened()
            match opened:
                case runs.Busy(workflow_id):
                    return Opened(busy=workflow_id)
                case run:
                    return Opened(run=run)

        return await self._once.ours(request, open_, Opened)
