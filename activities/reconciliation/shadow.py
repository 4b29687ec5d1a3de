"""Trying out how a day would come out: as a run does it, in a transaction that is taken back."""

from collections import Counter
from typing import NoReturn

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.heartbeat import heartbeating
from activities.reconciliation.compare import InputsOf, is_incomplete, rules_of
from database.connection import transaction
from database.reconciliation import accounts, certificates, cut, matching, runs
from database.reconciliation.classify import classify
from workflows.reconciliation.books import BreakClass
from workflows.reconciliation.certificate import Certificate
from workflows.reconciliation.messages import ForRun, Shadowed
from workflows.reconciliation.steps import ShadowSteps
from workflows.reconciliation.terms import Terms
from workflows.step import implements

# What a step made for itself would be in the way of the next one.
_CLEAR = text("DISCARD TEMP")


class _TakenBack(Exception):
    """Ends the transaction so that nothing of it stays."""

    def __init__(self, found: Shadowed) -> None:
        super().__init__(found)
        self.found = found


def _take_back(found: Shadowed) -> NoReturn:
    raise _TakenBack(found)


class ShadowActivities(ShadowSteps):
    """Comparing without a trace. Other intakes of the account wait meanwhile."""

    def __init__(self, engine: AsyncEngine, terms: Terms, inputs_of: InputsOf) -> None:
        self._engine = engine
        self._terms = terms
        self._inputs_of = inputs_of

    @implements(ShadowSteps.compare)
    async def compare(self, request: ForRun) -> Shadowed:
        """Fix, match, classify and prove, and take all of it back."""
        try:
            async with heartbeating(), transaction(self._engine) as connection:
                _take_back(await self._compared(connection, request))
        except _TakenBack as end:
            return end.found

    async def _compared(self, connection: AsyncConnection, request: ForRun) -> Shadowed:
        account = await accounts.held(connection, request.run.account)
        run = await runs.open_shadow(connection, account.id, request.run.day)
        inputs, told = await self._inputs_of(
            connection, account, request.run, rules_of(self._terms)
        )
        fixed = await cut.fix(connection, run, inputs, told)
        if fixed.certificate is not None:  # nothing has changed since: it came out like this
            return _told(await certificates.read(connection, fixed.certificate))
        await matching.match(connection, run, self._terms)
        await connection.execute(_CLEAR)
        incomplete = await is_incomplete(connection, run)
        await classify(connection, run, self._terms, provisional=incomplete)
        await connection.execute(_CLEAR)
        return _told(await certificates.draft(connection, run))


def _told(certificate: Certificate) -> Shadowed:
    breaks: Counter[BreakClass] = Counter()
    for one in certificate.breaks:
        breaks[one.break_class] += one.breaks
    return Shadowed(
        status=certificate.status,
        result_hash=certificate.result_hash,
        missing=tuple(dict.fromkeys(one.lack for one in certificate.missing)),
        breaks=breaks,
        matched=sum(one.items for one in certificate.matched),
    )
