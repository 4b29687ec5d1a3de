"""X: what is open in each leg, with the differences of its matches, on its equation's sign."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Ours are + in L1 and L3. L2 is what left the processor and is not at the bank: both sides are -.
SIGNED = "CASE WHEN {leg} = 2 OR {book} IN (1, 2) THEN -{amount} ELSE {amount} END"
"""An item's amount on the sign of a leg's equation."""

OPEN_AFTER = """
    SELECT leg, item, book, currency, amount_minor, opened_in FROM open_items
    WHERE account = :account AND opened_in <= :run
    UNION ALL
    SELECT leg, item, book, currency, amount_minor, opened_in FROM closed_items
    WHERE account = :account AND opened_in <= :run AND closed_in > :run
"""
"""Items that were open after a run."""

DIFFERING_AFTER = """
    SELECT m.leg, mi.item, m.id AS match, m.disposition, m.rule
    FROM matches m JOIN match_items mi ON mi.match = m.number
    WHERE m.account = :account AND m.disposition IN (2, 4) AND m.run <= :run
    UNION ALL
    SELECT h.leg, u.item, h.match, h.disposition, h.rule
    FROM match_history h, unnest(h.items) AS u (item)
    WHERE h.account = :account AND h.disposition IN (2, 4) AND h.run <= :run AND h.until_run >= :run
"""
"""Items that were in a match after a run whose amounts, or currencies, differ."""

# What a break was then is the last that happened to it up to the run.
BREAKS_AFTER = """
    SELECT b.id, b.leg, b.subject, e.class, b.currency, e.at_risk_minor, b.opened_on,
           coalesce(e.items, b.items) AS items, e.risk_on_leg
    FROM breaks b CROSS JOIN LATERAL (
        SELECT class, at_risk_minor, items, risk_on_leg, what FROM break_events
        WHERE break_id = b.id AND run <= :run ORDER BY id DESC LIMIT 1
    ) AS e
    WHERE b.account = :account AND b.opened_in <= :run
    AND (b.closed_in IS NULL OR b.closed_in > :run) AND e.what <> 'closed'
"""
"""Breaks that were open after a run, as they were then."""

_TOTALS = text(f"""
    SELECT leg, currency, CAST(sum(amount) AS bigint) AS amount FROM (
        SELECT leg, currency,
               {SIGNED.format(leg="leg", book="book", amount="amount_minor")} AS amount
        FROM ({OPEN_AFTER}) AS o
        UNION ALL
        SELECT d.leg, i.currency,
               {SIGNED.format(leg="d.leg", book="i.book", amount="i.amount_minor")}
        FROM ({DIFFERING_AFTER}) AS d JOIN items i ON i.id = d.item
    ) AS x
    GROUP BY leg, currency ORDER BY leg, currency
""")
_ACCOUNT = text("SELECT account FROM runs WHERE id = :run")


@dataclass(frozen=True)
class OpenTotals:
    """X1, X2 and X3 of a currency, in its minor units."""

    x1: int = 0
    x2: int = 0
    x3: int = 0


async def open_totals(connection: AsyncConnection, run: int) -> Mapping[str, OpenTotals]:
    """X of each currency as it was after a run, however many came later."""
    account = await connection.scalar(_ACCOUNT, {"run": run})
    found = (await connection.execute(_TOTALS, {"account": account, "run": run})).all()
    legs = {(row.currency, row.leg): row.amount for row in found}
    return {
        currency: OpenTotals(*(legs.get((currency, leg), 0) for leg in (1, 2, 3)))
        for currency in sorted({row.currency for row in found})
    }
