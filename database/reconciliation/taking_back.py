"""Taking a run back that nobody certified: what it matched, opened, closed is as before.

One that was withdrawn or aborted is taken back by the next that matches: so it is whatever ended
it, and waits for nobody's answer.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.scope import Scope

_RUN = text("""
    SELECT r.account, r.business_date, r.id = max(l.id) AS latest
    FROM runs r JOIN runs l ON l.account = r.account AND l.matched_at IS NOT NULL
    WHERE r.id = :run AND r.matched_at IS NOT NULL
    GROUP BY r.id
""")
_STOPPED = text("""
    SELECT r.id FROM runs r
    WHERE r.account = :account AND r.matched_at IS NOT NULL AND r.id <> :run
      AND r.stage IN ('withdrawn', 'aborted')
      AND NOT EXISTS (SELECT FROM runs later JOIN certificates e ON e.run = later.id
                      WHERE later.account = r.account AND later.id >= r.id)
    ORDER BY r.id DESC
""")
_CERTIFIED = text("SELECT EXISTS (SELECT FROM certificates WHERE run = :run)")
_LOCK = text("SELECT 1 FROM reconciliation_accounts WHERE id = :account FOR NO KEY UPDATE")
_STATEMENTS = (
    """DELETE FROM match_items mi USING matches m
       WHERE m.account = :account AND m.run = :run AND mi.match = m.number""",
    "DELETE FROM matches WHERE account = :account AND run = :run",
    # What the run took apart, people did not: it is together again.
    """WITH again AS (
           DELETE FROM match_history
           WHERE account = :account AND until_run = :run - 1 AND NOT kept RETURNING *
       ), numbered AS (
           SELECT nextval('matches_number_seq') AS number, again.* FROM again WHERE run < :run
       ), kept AS (
           INSERT INTO matches (number, id, account, run, leg, rule, disposition, difference_minor)
           OVERRIDING SYSTEM VALUE
           SELECT number, match, account, run, leg, rule, disposition, difference_minor
           FROM numbered
       )
       INSERT INTO match_items (item, match, leg)
       SELECT u.item, n.number, n.leg FROM numbered n, unnest(n.items) AS u (item)""",
    "DELETE FROM open_items WHERE account = :account AND opened_in >= :run",
    """WITH again AS (
           DELETE FROM closed_items WHERE account = :account AND closed_in = :run RETURNING *
       )
       INSERT INTO open_items (leg, item, account, opened_in, book, currency, amount_minor,
                               effective_on, disposition)
       SELECT leg, item, account, opened_in, book, currency, amount_minor, effective_on, 5
       FROM again""",
    # What people took apart since the run before is open; what the run itself had put together is
    # new to the next one, or was open before.
    """INSERT INTO open_items (leg, item, account, opened_in, book, currency, amount_minor,
                               effective_on, disposition)
       SELECT h.leg, i.id, i.account, h.until_run + 1, i.book, i.currency, i.amount_minor,
              i.effective_on, 5
       FROM match_history h, unnest(h.items) AS u (item) JOIN items i ON i.id = u.item
       WHERE h.account = :account AND h.kept AND h.until_run >= (
                 SELECT coalesce(max(id), 0) FROM runs
                 WHERE account = :account AND matched_at IS NOT NULL AND id < :run)
         AND h.run < :run
         AND NOT EXISTS (SELECT FROM match_items mi WHERE mi.item = i.id AND mi.leg = h.leg)
       ON CONFLICT DO NOTHING""",
    "UPDATE runs SET matched_at = NULL WHERE id = :run",
)
# As the last event before the run says; a break that there was none of is closed.
_BREAKS = text("""
    WITH touched AS (
        SELECT DISTINCT break_id FROM break_events WHERE run = :run
    ), before AS (
        SELECT DISTINCT ON (e.break_id) e.break_id, e.what, e.class, e.at_risk_minor, e.items,
               e.risk_on_leg
        FROM break_events e JOIN touched t USING (break_id)
        WHERE e.run < :run
        ORDER BY e.break_id, e.id DESC
    ), restored AS (
        UPDATE breaks b
        SET class = coalesce(p.class, b.class),
            at_risk_minor = coalesce(p.at_risk_minor, b.at_risk_minor),
            items = coalesce(p.items, b.items),
            risk_on_leg = CASE WHEN p.what IS NULL THEN b.risk_on_leg ELSE p.risk_on_leg END,
            closed_on = CASE WHEN coalesce(p.what, 'closed') = 'closed'
                             THEN coalesce(b.closed_on, :day) END,
            closed_in = CASE WHEN coalesce(p.what, 'closed') = 'closed' THEN :run END,
            revision = b.revision + 1
        FROM touched t LEFT JOIN before p USING (break_id)
        WHERE b.id = t.break_id
        RETURNING b.id, b.class, b.at_risk_minor, b.items, b.risk_on_leg, b.closed_on
    )
    INSERT INTO break_events (break_id, run, what, class, at_risk_minor, items, risk_on_leg)
    SELECT id, :run, CASE WHEN closed_on IS NULL THEN 'reopened' ELSE 'closed' END, class,
           at_risk_minor, items, risk_on_leg
    FROM restored ORDER BY id
""")


class Certified(Exception):
    """The run is certified, or another went on from it: it stands."""


async def take_back_stopped(connection: AsyncConnection, scope: Scope) -> bool:
    """Take back what runs before this one matched that were stopped then; whether there was any."""
    stopped = await connection.execute(_STOPPED, {"account": scope.account, "run": scope.run})
    found = stopped.scalars().all()
    for run in found:
        await take_back(connection, run)
    return bool(found)


async def take_back(connection: AsyncConnection, run: int) -> None:
    """Take back what a run matched, opened and closed; of one that did nothing there is nothing.

    Its breaks are as they were before; the events say that they were otherwise meanwhile. Raises
    Certified.
    """
    row = (await connection.execute(_RUN, {"run": run})).mappings().first()
    if row is None:
        return
    await connection.execute(_LOCK, {"account": row["account"]})
    if not row["latest"] or await connection.scalar(_CERTIFIED, {"run": run}):
        raise Certified(f"run {run} stands")
    for statement in _STATEMENTS:
        await connection.execute(text(statement), {"account": row["account"], "run": run})
    await connection.execute(_BREAKS, {"run": run, "day": row["business_date"]})
