"""What would have been decided under other rules: past decisions, decided anew."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from activities.rules.book import RuleBook
from activities.rules.table import Row, Table, WrongFacts
from database.rules import StandingRuling


class Change(BaseModel):
    """An onboarding that a table would say something else of. Only what differs is told."""

    onboarding: str
    stage: str
    table: str
    decided_at: datetime
    version: str
    row: str
    new_row: str
    before: dict[str, Any]
    after: dict[str, Any]


class Untold(BaseModel):
    """A decision that cannot be taken anew, and why: the candidate asks for what was not kept."""

    onboarding: str
    table: str
    why: str


class Difference(BaseModel):
    """What a candidate would change."""

    onboardings: int = 0
    decisions: int = 0
    changes: list[Change] = []
    untold: list[Untold] = []


async def difference(past: AsyncIterator[StandingRuling], candidate: RuleBook) -> Difference:
    """Decide anew what was decided, one onboarding after another.

    What one table says is told to the next as the candidate says it: somebody whose risk would
    change gets the documents and the review of the new risk. Rulings of one onboarding have to
    come one after another; their order does not matter. Tables that are asked no more are passed
    over.
    """
    found = Difference()
    group: list[StandingRuling] = []
    async for ruling in past:
        if group and ruling.onboarding != group[0].onboarding:
            _one_onboarding(group, candidate, found)
            group = []
        group.append(ruling)
    if group:
        _one_onboarding(group, candidate, found)
    return found


def _one_onboarding(rulings: list[StandingRuling], candidate: RuleBook, found: Difference) -> None:
    found.onboardings += 1
    answers: dict[str, Mapping[str, Any]] = {}
    order = list(candidate.tables)
    known = [one for one in rulings if one.table in order]
    for past in sorted(known, key=lambda one: order.index(one.table)):
        found.decisions += 1
        table = candidate.tables[past.table]
        try:
            row = table.decide(_told(table, past, answers))
        except WrongFacts as error:
            untold = Untold(onboarding=past.onboarding, table=past.table, why=str(error))
            found.untold.append(untold)
            continue
        answers[table.name] = _plain(row)
        if change := _change(past, row, answers[table.name]):
            found.changes.append(change)


def _told(
    table: Table, past: StandingRuling, answers: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """What the table is told: what it was told then, but for what other tables say anew."""
    told = {name: value for name, value in past.inputs.items() if name in table.inputs}
    for one in table.inputs.values():
        if one.answered_by:
            source, _, outcome = one.answered_by.partition(".")
            if source in answers:
                told[one.name] = answers[source][outcome]
    return told


def _plain(row: Row) -> dict[str, Any]:
    """An answer as it is kept, in JSON."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in row.answer.items()
    }


def _change(past: StandingRuling, row: Row, answer: Mapping[str, Any]) -> Change | None:
    names = [
        name for name in {**past.answer, **answer} if past.answer.get(name) != answer.get(name)
    ]
    if not names:
        return None
    return Change(
        onboarding=past.onboarding,
        stage=past.stage,
        table=past.table,
        decided_at=past.decided_at,
        version=past.version,
        row=past.row,
        new_row=row.id,
        before={name: past.answer.get(name) for name in names},
        after={name: answer.get(name) for name in names},
    )
