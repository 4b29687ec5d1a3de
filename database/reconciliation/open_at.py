"""What was open in each leg after a run: as it is now, or as it was.

Now it is what the passes left in `open_items`. As it was is told by another path, from the items
and the matches that stood then; the two say the same of the latest run, which is what lets a
certificate be verified against more than what made it.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.codes import BOOKS, DISPOSITIONS, LEGS
from database.reconciliation.extent import IN_CUT, LEG_BOOKS, PAYOUTS, Cut

_L1, _L2, _L3 = LEGS.values()
_P, _B = BOOKS["processor"], BOOKS["bank"]
_OURS = (BOOKS["clearing"], BOOKS["cash"])
OUT_OF_SCOPE = DISPOSITIONS["out_of_scope"]

SIGN = f"CASE WHEN {{0}}.book IN {_OURS} THEN 1 ELSE -1 END"
"""The sign of an item in the equation of its leg."""

PAYOUT = "{0}.kind IN " + str(PAYOUTS)

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
        at_risk_minor bigint NOT NULL, opened_on date NOT NULL, items bigint[] NOT NULL
    ) ON COMMIT DROP
    """,
    "TRUNCATE open_at, breaks_at",
)
# What a break was then is the last that happened to it up to the run.
_BREAKS = text("""
    INSERT INTO breaks_at
    SELECT b.id, b.leg, b.subject, e.class, b.currency, e.at_risk_minor, b.opened_on, b.items
    FROM breaks b CROSS JOIN LATERAL (
        SELECT class, at_risk_minor, what FROM break_events
        WHERE break_id = b.id AND run <= :run ORDER BY id DESC LIMIT 1
    ) AS e
    WHERE b.account = :account AND b.opened_in <= :run
    AND (b.closed_in IS NULL OR b.closed_in > :run) AND e.what <> 'closed'
""")
_NOW = text("""
    INSERT INTO open_at
    SELECT leg, item, book, currency, amount_minor, effective_on, disposition
    FROM open_items WHERE account = :account
""")
# The legs of an item, as rows; what is in a match that stood then is not open.
_THEN = text(f"""
    INSERT INTO open_at
    WITH apart AS (
        SELECT leg, unnest(items) AS item FROM match_history
        WHERE account = :account AND run <= :run AND until_run >= :run
    ), held AS (
        SELECT DISTINCT b.leg, o.item FROM breaks_at b, unnest(b.items) AS o (item)
    )
    SELECT leg.leg, i.id, i.book, i.currency, i.amount_minor, i.effective_on,
           CASE WHEN held.item IS NULL THEN {DISPOSITIONS["timing"]}
                ELSE {DISPOSITIONS["break"]} END
    FROM items i
    JOIN (VALUES ({_L1}, {BOOKS["clearing"]}), ({_L1}, {_P}), ({_L2}, {_P}), ({_L2}, {_B}),
                 ({_L3}, {BOOKS["cash"]}), ({_L3}, {_B})) AS leg (leg, book) ON leg.book = i.book
    LEFT JOIN match_items m ON m.item = i.id AND m.leg = leg.leg
    LEFT JOIN matches x ON x.number = m.match AND x.run <= :run
    LEFT JOIN apart ON apart.item = i.id AND apart.leg = leg.leg
    LEFT JOIN held ON held.item = i.id AND held.leg = leg.leg
    WHERE {IN_CUT} AND x.number IS NULL AND apart.item IS NULL
    AND leg.leg = ANY(CAST(:legs AS int[]))
    AND (leg.leg <> {_L2} OR i.book = {_B} OR {PAYOUT.format("i")})
    AND NOT EXISTS (
        SELECT FROM items later
        WHERE later.account = i.account AND later.book = i.book AND later.source_id = i.source_id
        AND later.version > i.version AND later.id <= :last
    )
""")
_ANALYZE = (text("ANALYZE open_at"), text("ANALYZE breaks_at"))


async def lay_out(connection: AsyncConnection, cut: Cut, *, now: bool) -> None:
    """Fill the temporary tables `open_at` and `breaks_at` with what was open after a run.

    `now` reads what the passes left: only of the latest run of the account is that the same.
    """
    for table in _TABLES:
        await connection.execute(text(table))
    asked = cut.values() | {"run": cut.run, "legs": legs_of(cut)}
    await connection.execute(_BREAKS, asked)
    await connection.execute(_NOW if now else _THEN, asked)
    for analyze in _ANALYZE:
        await connection.execute(analyze)


def legs_of(cut: Cut) -> list[int]:
    """The codes of the legs whose two books are in scope."""
    return [LEGS[leg] for leg, books in LEG_BOOKS.items() if set(books) <= set(cut.inputs.scope)]
