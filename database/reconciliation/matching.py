"""Matching a run: pass by pass, each over the items as the one before it left them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation import scope as scopes
from database.reconciliation.codes import LEGS, RULES
from database.reconciliation.day_passes import by_bank_day, by_day
from database.reconciliation.keeping import Passing, store
from database.reconciliation.payout_passes import by_payout, note_bank_fees
from database.reconciliation.reference_passes import (
    by_entry,
    by_reference,
    count_keys,
    in_the_end,
)
from database.reconciliation.taking_back import take_back_stopped
from database.reconciliation.withdrawal import withdraw
from database.reconciliation.work import fill_leg_2, make_tables, number_bank_days
from workflows.reconciliation.books import Leg, Rule
from workflows.reconciliation.terms import Terms, Windows

Tell = Callable[[str], None]
"""Is told which step begins: a heartbeat."""

_APART = text("SELECT EXISTS (SELECT FROM kept_apart)")
_MATCHED = text("UPDATE runs SET matched_at = clock_timestamp() WHERE id = :run")
_OPEN = text("SELECT count(*) FROM open_items WHERE account = :account")


@dataclass(frozen=True)
class Matched:
    """How many matches were made, by leg and rule, and how many items are open in a leg."""

    matches: Mapping[tuple[Leg, Rule], int]
    open: int


async def match(
    connection: AsyncConnection, run: int, terms: Terms, tell: Tell = lambda _: None
) -> Matched:
    """Match what a run's cut has and no run before it had, and what those left open.

    In the transaction of `connection`: a crash leaves nothing, and the same again changes nothing.
    Raises LookupError where the run has no cut, and OutOfOrder.
    """
    scope = await scopes.held(connection, run)
    if await take_back_stopped(connection, scope):
        scope = await scopes.of_run(connection, run)
    tell("what is new")
    await withdraw(connection, scope)
    await make_tables(connection, scope)
    apart = bool(await connection.scalar(_APART))
    tell("references")
    await count_keys(connection, scope)
    await fill_leg_2(connection, scope, terms)
    await number_bank_days(connection, scope, terms)
    await note_bank_fees(connection, terms)
    for leg, passes in _PASSES.items():
        tell(leg)
        passing = Passing(connection, scope, leg, apart)
        await passing.until_settled(partial(passes, passing, terms.windows))
    for leg in LEGS:
        if leg not in scope.legs:  # of one book alone nothing is open
            await connection.execute(text(f"TRUNCATE {leg.lower()}"))
    tell("storing")
    made = await store(connection, scope)
    await connection.execute(_MATCHED, {"run": run})
    legs = {code: leg for leg, code in LEGS.items()}
    rules = {code: rule for rule, code in RULES.items()}
    return Matched(
        matches={(legs[leg], rules[rule]): count for (leg, rule), count in made.items()},
        open=int(await connection.scalar(_OPEN, {"account": scope.account}) or 0),
    )


async def _leg_1(passing: Passing, windows: Windows) -> None:
    await by_reference(passing)
    await by_day(passing, windows.processor_days)
    await in_the_end(passing, windows.processor_days)


async def _leg_2(passing: Passing, windows: Windows) -> None:
    await by_payout(passing, windows.bank_days)
    await in_the_end(passing, windows.bank_days)


async def _leg_3(passing: Passing, windows: Windows) -> None:
    await by_entry(passing)
    await by_reference(passing)
    await by_bank_day(passing, windows.bank_days)
    await in_the_end(passing, windows.bank_days)


_PASSES: Mapping[Leg, Callable[[Passing, Windows], Awaitable[None]]] = {
    "L1": _leg_1,
    "L2": _leg_2,
    "L3": _leg_3,
}
