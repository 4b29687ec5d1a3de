"""Breaks: found, changed, closed, opened again; every step is an event that stays."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.scope import Scope

_SAME = "b.account = :account AND b.leg = f.leg AND b.subject = f.subject"
_OTHERWISE = """
    (b.class, b.at_risk_minor, b.currency, b.items, b.match, b.risk_on_leg)
    IS DISTINCT FROM (f.class, f.at_risk, f.currency, f.items, f.match, f.risk_on_leg)
"""
_CHANGES = text(f"""
    INSERT INTO break_events (break_id, run, what, class, at_risk_minor, items, risk_on_leg)
    SELECT b.id, :run,
           CASE WHEN b.closed_on IS NOT NULL THEN 'reopened' WHEN {_OTHERWISE} THEN 'changed'
                ELSE 'confirmed' END,
           f.class, f.at_risk, f.items, f.risk_on_leg
    FROM found f JOIN breaks b ON {_SAME}
    WHERE b.closed_on IS NOT NULL OR {_OTHERWISE} OR (b.provisional AND NOT :provisional)
    ORDER BY b.leg, b.subject
""")
# One that a run found which was taken back was never found.
_CHANGE = text(f"""
    UPDATE breaks b
    SET class = f.class, at_risk_minor = f.at_risk, currency = f.currency, items = f.items,
        match = f.match, risk_on_leg = f.risk_on_leg, closed_on = NULL, closed_in = NULL,
        opened_on = CASE WHEN b.closed_in = b.opened_in THEN :today ELSE b.opened_on END,
        opened_in = CASE WHEN b.closed_in = b.opened_in THEN :run ELSE b.opened_in END,
        provisional = b.provisional AND :provisional, revision = b.revision + 1
    FROM found f
    WHERE {_SAME}
      AND (b.closed_on IS NOT NULL OR {_OTHERWISE} OR (b.provisional AND NOT :provisional))
""")
_ADD = text("""
    WITH added AS (
        INSERT INTO breaks (account, leg, subject, class, items, match, currency, at_risk_minor,
                            risk_on_leg, opened_on, opened_in, provisional)
        SELECT :account, leg, subject, class, items, match, currency, at_risk, risk_on_leg, :today,
               :run, :provisional
        FROM found ORDER BY leg, subject
        ON CONFLICT (account, leg, subject) DO NOTHING
        RETURNING id, class, at_risk_minor, items, risk_on_leg
    )
    INSERT INTO break_events (break_id, run, what, class, at_risk_minor, items, risk_on_leg)
    SELECT id, :run, 'opened', class, at_risk_minor, items, risk_on_leg FROM added ORDER BY id
""")
_CLOSE = text(f"""
    WITH closed AS (
        UPDATE breaks b SET closed_on = :today, closed_in = :run, revision = revision + 1
        WHERE b.account = :account AND b.closed_on IS NULL
          AND NOT EXISTS (SELECT FROM found f WHERE {_SAME})
        RETURNING id, class, at_risk_minor, items, risk_on_leg
    )
    INSERT INTO break_events (break_id, run, what, class, at_risk_minor, items, risk_on_leg)
    SELECT id, :run, 'closed', class, at_risk_minor, items, risk_on_leg FROM closed ORDER BY id
""")
_BROKEN = text("""
    CREATE TEMP TABLE broken ON COMMIT DROP AS
    SELECT b.id, b.leg, u.item
    FROM found f JOIN breaks b ON b.account = :account AND b.leg = f.leg AND b.subject = f.subject,
         unnest(f.items) AS u (item)
    WHERE f.match IS NULL
""")
_OF_ITEMS = text("""
    UPDATE open_items o
    SET disposition = CASE WHEN j.class IS NULL THEN 5 ELSE 6 END, break_id = b.id
    FROM judged j LEFT JOIN broken b USING (leg, item)
    WHERE o.leg = j.leg AND o.item = j.item
      AND (o.disposition, o.break_id)
          IS DISTINCT FROM (CASE WHEN j.class IS NULL THEN 5 ELSE 6 END, b.id)
""")


async def keep_breaks(connection: AsyncConnection, scope: Scope, *, provisional: bool) -> int:
    """Keep the breaks in `found`, and of which each open item is; how many were closed."""
    told = {"account": scope.account, "run": scope.run}
    dated = {**told, "today": scope.business_date}
    await connection.execute(text("ANALYZE found"))
    await connection.execute(_CHANGES, {**told, "provisional": provisional})
    await connection.execute(_CHANGE, {**dated, "provisional": provisional})
    await connection.execute(_ADD, {**dated, "provisional": provisional})
    closed = 0 if provisional else (await connection.execute(_CLOSE, dated)).rowcount
    await connection.execute(_BROKEN, {"account": scope.account})
    await connection.execute(text("ANALYZE broken"))
    await connection.execute(_OF_ITEMS)
    return int(closed)
