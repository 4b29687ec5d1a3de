"""Passes of L2: payouts, and what the bank booked of them.

A payout that failed is in the processor's book twice, there and back; the bank may have had it, or
not. So what came back is never summed with what left while the bank has had no turn: only where
the whole of a trace is nothing on both sides, or in the end.
"""

import json

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.day_passes import BANK_DAYS, alone
from database.reconciliation.keeping import Passing
from database.reconciliation.reference_passes import contra
from workflows.reconciliation.terms import Terms

LONGEST_RUN = 7
"""Payouts one after the other that are tried as one deposit."""
MOST_COMPARED = 4_000_000
"""Pairs of a payout and a deposit that are compared one by one, where amounts differ."""
SHARE_KEPT = 20
"""An untraced deposit may be short by one part in so many."""
DAYS_OF_ANOTHER = 31
"""A deposit of the amount of a payout that is not further away is of that one."""

_WHOLE_TRACE = """
    WITH k AS (
        SELECT reference, currency, min(item) AS grp FROM {leg} WHERE reference IS NOT NULL
        GROUP BY reference, currency
        HAVING min(side) <> max(side)
           AND sum(CASE side WHEN 0 THEN amount ELSE -amount END) = 0
           AND (sum(amount) FILTER (WHERE side = 0) <> 0
                OR count(*) FILTER (WHERE kind = 'payout_reversal')
                   = count(*) FILTER (WHERE side = 1 AND amount < 0))
    )
    SELECT k.grp, w.item FROM k JOIN {leg} w USING (reference, currency)
"""


def _part_of_trace(kind: str, condition: str) -> str:
    """What left (or came back) of a trace, and the bank's entries in the same direction."""
    return f"""
        WITH sums AS (
            SELECT reference, currency, sum(amount) AS total FROM {{leg}}
            WHERE side = 0 AND kind = '{kind}' AND reference IS NOT NULL
            GROUP BY reference, currency HAVING sum(amount) <> 0
        ), members AS (
            SELECT w.item, w.side, w.amount, s.reference, s.currency
            FROM sums s JOIN {{leg}} w USING (reference, currency)
            WHERE (w.side = 0 AND w.kind = '{kind}')
               OR (w.side = 1 AND sign(w.amount) = sign(s.total))
        ), k AS (
            SELECT reference, currency, min(item) AS grp FROM members
            GROUP BY reference, currency
            HAVING min(side) <> max(side)
               AND sum(CASE side WHEN 0 THEN amount ELSE -amount END) {condition}
        )
        SELECT k.grp, m.item FROM k JOIN members m USING (reference, currency)
    """


# An entry that names a payout is of no other: only its trace may match it.
_UNNAMED = """
    (side = 0 OR reference IS NULL OR reference NOT IN (
        SELECT trace_id FROM traces UNION SELECT payout FROM traces
    ))
"""
_TAKEN_BACK_SINCE = """
    payout IN (SELECT payout FROM {leg} WHERE side = 0 AND kind = 'payout_reversal')
"""
# Not before statements tell of the day on which it came back.
_BANK_HAD_ITS_TURN = """
    side = 0 AND (kind <> 'payout_reversal' OR (
        SELECT least(day.number, turn.today) <= turn.number
        FROM bank_days day JOIN bank_turn turn USING (currency)
        WHERE day.currency = {leg}.currency AND day.day = {leg}.day
    ))
"""


def _blocks(distance: str, *, all_of_them: bool) -> str:
    """All payouts that arrive on a day under one description, and a deposit of their sum."""
    only = "true" if all_of_them else f"NOT {_TAKEN_BACK_SINCE}"
    return f"""
        WITH rows AS (
            SELECT w.*, b.number AS n FROM {{leg}} w JOIN bank_days b USING (currency, day)
            WHERE (side = 0 AND kind = 'payout' AND {only}) OR (side = 1 AND {_UNNAMED})
        ), blocks AS (
            SELECT currency, n, sum(amount) AS amount, min(item) AS grp, day, descriptor
            FROM rows WHERE side = 0 GROUP BY currency, n, day, descriptor
        ), near AS (
            SELECT k.*, t.item AS deposit, count(*) OVER (PARTITION BY k.grp) AS deposits,
                   count(*) OVER (PARTITION BY t.item) AS blocks
            FROM blocks k JOIN rows t
              ON t.side = 1 AND t.currency = k.currency AND t.amount = k.amount
             AND abs(t.n - k.n) {distance}
        ), found AS (
            SELECT * FROM near WHERE deposits = 1 AND blocks = 1
        )
        SELECT grp, deposit FROM found
        UNION ALL
        SELECT f.grp, r.item FROM found f JOIN rows r
          ON r.side = 0 AND r.currency = f.currency AND r.day = f.day
         AND r.descriptor IS NOT DISTINCT FROM f.descriptor
    """


def _runs(days: int) -> str:
    """Payouts that follow each other, at most so many, and a deposit of their sum."""
    return f"""
        WITH rows AS (
            SELECT w.*, b.number AS n FROM {{leg}} w JOIN bank_days b USING (currency, day)
            WHERE (side = 0 AND kind = 'payout' AND NOT {_TAKEN_BACK_SINCE})
               OR (side = 1 AND {_UNNAMED})
        ), line AS (
            SELECT item, currency, n,
                   row_number() OVER w AS place, sum(amount) OVER w AS total,
                   sum(amount) OVER w - amount AS before
            FROM rows WHERE side = 0
            WINDOW w AS (PARTITION BY currency ORDER BY day, source)
        ), runs AS (
            SELECT a.currency, a.place AS first, z.place AS last, a.n AS begins, z.n AS ends,
                   z.total - a.before AS amount
            FROM line a JOIN line z
              ON z.currency = a.currency
             AND z.place BETWEEN a.place + 1 AND a.place + {LONGEST_RUN - 1}
        ), near AS (
            SELECT r.currency, r.first, r.last, t.item AS deposit,
                   count(*) OVER (PARTITION BY t.item) AS runs
            FROM runs r JOIN rows t
              ON t.side = 1 AND t.currency = r.currency AND t.amount = r.amount
             AND abs(t.n - r.begins) <= {days} AND abs(t.n - r.ends) <= {days}
        ), members AS (
            SELECT f.deposit, l.item, f.runs, count(*) OVER (PARTITION BY l.item) AS times
            FROM near f JOIN line l
              ON l.currency = f.currency AND l.place BETWEEN f.first AND f.last
        ), found AS (
            SELECT deposit FROM members
            GROUP BY deposit HAVING max(runs) = 1 AND max(times) = 1
        )
        SELECT deposit, deposit FROM found
        UNION ALL
        SELECT deposit, item FROM members WHERE deposit IN (SELECT deposit FROM found)
    """


def _short(days: int, account: int) -> str:
    """A payout and a deposit that is short by what a bank may keep, no other like them.

    A deposit of just another payout's amount is that one's, or the same again: short of nothing.
    """
    return f"""
        WITH rows AS (
            SELECT w.*, b.number AS n, f.most
            FROM {{leg}} w JOIN bank_days b USING (currency, day) JOIN bank_fees f USING (currency)
            WHERE amount > 0
              AND ((side = 0 AND kind = 'payout' AND NOT {_TAKEN_BACK_SINCE})
                   OR (side = 1 AND {_UNNAMED}))
        ), near AS (
            SELECT o.item AS ours, t.item AS theirs,
                   count(*) OVER (PARTITION BY o.item) AS deposits,
                   count(*) OVER (PARTITION BY t.item) AS payouts
            FROM rows o JOIN rows t
              ON o.side = 0 AND t.side = 1 AND t.currency = o.currency AND t.amount < o.amount
             AND o.amount - t.amount <= least(o.most, o.amount / {SHARE_KEPT})
             AND abs(t.n - o.n) <= {days}
            WHERE (SELECT count(*) FILTER (WHERE side = 0) * count(*) FILTER (WHERE side = 1)
                   FROM rows) <= {MOST_COMPARED}
        ), found AS (
            SELECT n.ours, n.theirs FROM near n JOIN {{leg}} t ON t.item = n.theirs
            WHERE deposits = 1 AND payouts = 1 AND NOT EXISTS (
                SELECT FROM items p
                WHERE p.account = {account} AND p.book = 1 AND p.kind = 'payout'
                  AND p.currency = t.currency AND p.amount_minor = -t.amount
                  AND abs(coalesce(p.arrival_on, p.effective_on) - t.day) <= {DAYS_OF_ANOTHER}
            )
        )
        SELECT ours, ours FROM found
        UNION ALL
        SELECT ours, theirs FROM found
    """


_BANK_FEES = text("""
    CREATE TEMP TABLE bank_fees ON COMMIT DROP AS
    SELECT currency, CAST(coalesce(CAST(:fees AS jsonb) ->> currency,
                                   CAST(:fees AS jsonb) ->> 'default') AS bigint) AS most
    FROM (SELECT DISTINCT currency FROM l2) AS c
""")


async def note_bank_fees(connection: AsyncConnection, terms: Terms) -> None:
    """Make `bank_fees`: how much a bank may keep of a deposit in each currency."""
    fees = json.dumps(dict(terms.bank_fees))
    await connection.execute(_BANK_FEES, {"fees": fees})


async def by_payout(passing: Passing, days: int) -> None:
    """Passes 5 to 7, and the payouts that came back without the bank."""
    propose = passing.propose
    await propose(_WHOLE_TRACE, "trace")
    for kind in ("payout", "payout_reversal"):
        await propose(_part_of_trace(kind, "= 0"), "trace")
    for kind in ("payout", "payout_reversal"):
        await propose(_part_of_trace(kind, "<> 0"), "trace_differs", "difference")
    await propose(alone(BANK_DAYS, f"<= {days}", only=_UNNAMED), "payout_and_day")
    for distance in range(days + 1):
        for all_of_them in (True, False):
            blocks = _blocks(f"= {distance}", all_of_them=all_of_them)
            await propose(blocks, "arrival_block")
    await propose(_runs(days), "consecutive_payouts")
    await propose(_short(days, passing.scope.account), "short_deposit", "difference")
    await propose(contra("payout", _BANK_HAD_ITS_TURN), "taken_back", "contra")
