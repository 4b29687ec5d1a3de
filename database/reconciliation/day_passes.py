"""Passes by amount and day, of what has nothing else in common: pass 6 of L2, 8 of L1, and L3.

Two belong together where each is the only one for the other. Items are counted by amount and day
before anything is joined: a popular price with 50,000 rows on each side is two rows here.
"""

from database.reconciliation.keeping import Passing

CALENDAR_DAYS = "(SELECT w.*, w.day - DATE '2000-01-01' AS n FROM {leg} w)"
"""The rows of a leg, with the number of their day."""
BANK_DAYS = "(SELECT w.*, b.number AS n FROM {leg} w JOIN bank_days b USING (currency, day))"
"""The same, in business days of the bank."""


def alone(numbered: str, distance: str, *, only: str = "true", part: str = "''") -> str:
    """Pairs of an amount, at a distance of days, where each is the only one for the other.

    `numbered` are rows with their day's number, `distance` is what `ABS(difference)` must be,
    `only` which rows count, and `part` what must be the same besides.
    """
    return f"""
        WITH blocks AS (
            SELECT side, currency, amount, {part} AS part, n, count(*) AS rows, min(item) AS item
            FROM {numbered} AS w WHERE {only}
            GROUP BY 1, 2, 3, 4, 5
        ), near AS (
            SELECT o.item AS ours, t.item AS theirs,
                   sum(t.rows) OVER (PARTITION BY o.currency, o.amount, o.part, o.n) AS for_ours,
                   sum(o.rows) OVER (PARTITION BY t.currency, t.amount, t.part, t.n) AS for_theirs
            FROM blocks o JOIN blocks t USING (currency, amount, part)
            WHERE o.side = 0 AND t.side = 1 AND abs(o.n - t.n) {distance}
        )
        SELECT ours, ours FROM near WHERE for_ours = 1 AND for_theirs = 1
        UNION ALL
        SELECT ours, theirs FROM near WHERE for_ours = 1 AND for_theirs = 1
    """


# Ours that name something are not of what names something else.
_UNNAMED = "(side = 1 OR reference IS NULL)"


async def by_day(passing: Passing, days: int) -> None:
    """Pass 8: items of L1 that name nothing, the nearest day first."""
    for distance in range(days + 1):
        pairs = alone(
            CALENDAR_DAYS,
            f"= {distance}",
            only=_UNNAMED,
            part="CASE kind WHEN 'fee' THEN 'fee' ELSE '' END",
        )
        await passing.propose(pairs, "amount_and_day")


async def by_bank_day(passing: Passing, days: int) -> None:
    """The same of L3, in the bank's days: a bank has references of its own."""
    for distance in range(days + 1):
        await passing.propose(alone(BANK_DAYS, f"= {distance}"), "amount_and_day")
