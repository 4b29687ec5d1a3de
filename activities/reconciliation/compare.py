"""Comparing the books: the inputs fixed, matches made, what is left explained."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.heartbeat import heartbeating
from database.connection import transaction
from database.reconciliation import accounts, cut, runs
from database.reconciliation.accounts import Account
from workflows.reconciliation.certificate import canonical
from workflows.reconciliation.inputs import Inputs, Told
from workflows.reconciliation.messages import (
    Classified,
    Cut,
    ForRun,
    Matched,
    OfCut,
    Run,
)
from workflows.reconciliation.steps import MatchSteps
from workflows.reconciliation.terms import Terms
from workflows.request_key import Message
from workflows.step import Undo, Undone, implements

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
            account = await accounts.of_name(connection, request.run.account)
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
