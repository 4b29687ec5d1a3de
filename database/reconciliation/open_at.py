"""What was open after a run, as it is now or as it was: for certificates, and to verify them.

What is open, and what was, has the runs between which it was so; a break has its events. So what a
run left can be told again when later ones have gone on.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.codes import BOOKS, DISPOSITIONS, LEGS
from database.reconciliation.extent import Cut, of_cut
from database.reconciliation.open_totals import BREAKS_AFTER, OPEN_AFTER
from database.reconciliation.scope import IN_CUT

_L2 = LEGS["L2"]
_BANK = BOOKS["bank"]

_TABLES = (
    """
    CREATE TEMP TABLE IF NOT EXISTS open_at (
        leg smallint NOT NULL, item bigint NOT NULL, book smallint NOT NULL,
        currency text COLLATE "C" NOT NULL, amount_minor bigint NOT NULL,
        effective_on date NOT NULL, disposition smallint NOT NULL
    ) ON COMMIT DROP
    """,
    """
    CREATE TEMP TABLE IF NOT EXISTS breaks_at (
        id bigint NOT NULL, leg smallint NOT NULL, subject text COLLATE "C" NOT NULL,
        class text COLLATE "C" NOT NULL, currency text COLLATE "C" NOT NULL,
        at_risk_minor bigint NOT NULL, opened_on date NOT NULL, items bigint[] NOT NULL,
        risk_on_leg smallint
    ) ON COMMIT DROP
    """,
    """
    CREATE TEMP TABLE IF NOT EXISTS settlements_at (
        item bigint PRIMARY KEY, currency text COLLATE "C" NOT NULL, amount_minor bigint NOT NULL
    ) ON COMMIT DROP
    """,
    "TRUNCATE open_at, breaks_at, settlements_at",
)
_BREAKS = of_cut(f"INSERT INTO breaks_at {BREAKS_AFTER}")
_OPEN = of_cut(f"""
    INSERT INTO open_at
    WITH broken AS (
        SELECT DISTINCT b.leg, u.item FROM breaks_at b, unnest(b.items) AS u (item)
    )
    SELECT o.leg, o.item, o.book, o.currency, o.amount_minor, i.effective_on,
           CASE WHEN broken.item IS NULL THEN {DISPOSITIONS["timing"]}
                ELSE {DISPOSITIONS["break"]} END
    FROM ({OPEN_AFTER}) AS o JOIN items i ON i.id = o.item
    LEFT JOIN broken ON broken.leg = o.leg AND broken.item = o.item
""")
# An entry of the bank is a settlement if it was compared in L2: all others are out of its scope.
_SETTLEMENTS = of_cut(f"""
    INSERT INTO settlements_at
    SELECT i.id, i.currency, i.amount_minor FROM items i
    WHERE {IN_CUT} AND i.book = {_BANK} AND (
        i.id IN (SELECT item FROM open_at WHERE leg = {_L2})
        OR EXISTS (
            SELECT FROM match_items m JOIN matches x ON x.number = m.match
            WHERE m.item = i.id AND m.leg = {_L2} AND x.run <= :run)
        OR i.id IN (
            SELECT unnest(items) FROM match_history
            WHERE account = :account AND leg = {_L2} AND run <= :run AND until_run >= :run))
""")
_ANALYZE = tuple(text(f"ANALYZE {name}") for name in ("open_at", "breaks_at", "settlements_at"))


async def lay_out(connection: AsyncConnection, cut: Cut) -> None:
    """Fill the temporary tables `open_at`, `breaks_at` and `settlements_at`, as after a run.

    `settlements_at` has all since the beginning. They last as long as the transaction.
    """
    for table in _TABLES:
        await connection.execute(text(table))
    for fill in (_BREAKS, _OPEN, _SETTLEMENTS):
        await connection.execute(fill, cut.values())
    for analyze in _ANALYZE:
        await connection.execute(analyze)
