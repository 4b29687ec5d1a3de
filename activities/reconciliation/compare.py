"""Comparing the books: the inputs fixed, matches made, what is left explained."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.heartbeat import heartbeating
from activities.reconciliation.refusals import TermsChanged
from database.connection import transaction
from database.reconciliation import accounts, certificates, controls, cut, extent, matching, runs
from database.reconciliation.accounts import Account
from database.reconciliation.classify import classify
from workflows.reconciliation.certificate import canonical
from workflows.reconciliation.inputs import Inputs, Told
from workflows.reconciliation.messages import (
    Cut,
    ForRun,
    Matched,
    OfCut,
    Run,
)
from workflows.reconciliation.steps import MatchSteps
from workflows.reconciliation.terms import Terms
from workflows.request_key import Message
from workflows.step import implements

InputsOf = Callable[
    [AsyncConnection, Account, Run, Mapping[str, str]],
    Awaitable[tuple[Inputs, Sequence[Told]]],
]
"""What a run is made by: until when, which statements, which balances were told.

The last argument is what the terms put into it.
"""


def rules_of(terms: Terms) -> Mapping[str, str]:
    """What inputs say of the terms: the version, and hashes of calendars and grace."""
    calendars = "".join(
        f"{name}\n{canonical(calendar).decode()}\n"
        for name, calendar in sorted(terms.calendars.items())
    )
    return {
        "terms": terms.version,
        "calendars": hashlib.sha256(calendars.encode()).hexdigest(),
        "grace": _hash(terms.grace),
    }


def _hash(message: Message) -> str:
    return hashlib.sha256(canonical(message)).hexdigest()


async def is_incomplete(connection: AsyncConnection, run: int) -> bool:
    """Whether a balance is missing or unequal: then breaks are provisional, and none is closed."""
    of = await extent.read(connection, run)
    before = await certificates.read(connection, of.base.certificate) if of.base else None
    movements = await controls.moved(connection, of)
    found = await controls.controls(connection, of, movements, before)
    return bool(found.missing)


class MatchActivities(MatchSteps):
    """Matching, by the terms; `inputs_of` says what a run is made by."""

    def __init__(self, engine: AsyncEngine, terms: Terms, inputs_of: InputsOf) -> None:
        self._engine = engine
        self._terms = terms
        self._inputs_of = inputs_of

    @implements(MatchSteps.fix)
    async def fix(self, request: ForRun) -> Cut:
        """Fix the inputs once: asked again, it answers what was fixed."""
        async with heartbeating(), transaction(self._engine) as connection:
            account = await accounts.held(connection, request.run.account)
            inputs, told = await self._inputs_of(
                connection, account, request.run, rules_of(self._terms)
            )
            run = await runs.id_of(connection, request.run)
            fixed = await cut.fix(connection, run, inputs, told)
            status = await runs.status_of(connection, fixed.certificate)
            return Cut(
                cut_id=fixed.run,
                inputs_hash=fixed.hash,
                items=fixed.items,
                certificate_id=fixed.certificate,
                status=status,
            )

    @implements(MatchSteps.match)
    async def match(self, request: OfCut) -> Matched:
        """Match, then classify; done again after a crash, neither changes anything.

        Raises TermsChanged where others are in force by now than when the cut was fixed: its
        certificate names those.
        """
        run, terms = request.cut_id, self._terms
        async with heartbeating():
            async with transaction(self._engine) as connection:
                fixed = await extent.read(connection, run)
                if fixed.inputs.terms != terms.version:
                    raise TermsChanged(fixed.inputs.terms, terms.version)
                matched = await matching.match(connection, run, terms)
            async with transaction(self._engine) as connection:
                incomplete = await is_incomplete(connection, run)
                classified = await classify(connection, run, terms, provisional=incomplete)
        return Matched(
            matches={f"{leg} {rule}": count for (leg, rule), count in matched.matches.items()},
            breaks=classified.breaks,
            timing=classified.timing,
            closed=classified.closed,
        )
