"""What came of a run: totals of matches, of what is open and of breaks, and the hash over it all.

Call them after `open_at.lay_out`, in its transaction. "Of the day" is what the runs of a business
date made since the certificate before: a run that supersedes another has what both found.
"""

import hashlib
from collections.abc import AsyncIterator

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.codes import BOOKS, DISPOSITIONS, LEGS, RULES
from database.reconciliation.cut import NOTHING
from database.reconciliation.extent import Cut, of_cut
from database.reconciliation.open_totals import SIGNED
from database.reconciliation.work import SOURCE
from workflows.reconciliation.break_list import BreakLine
from workflows.reconciliation.certificate import (
    AGES,
    BreakMovement,
    BreakTotal,
    MatchCount,
    MatchedTotal,
    TimingTotal,
)

_OURS = (BOOKS["clearing"], BOOKS["cash"])
_LEG_OF = {code: leg for leg, code in LEGS.items()}
_BOOK_OF = {code: book for book, code in BOOKS.items()}
_RULE_OF = {code: rule for rule, code in RULES.items()}
_DISPOSITION_OF = {code: one for one, code in DISPOSITIONS.items()}
_AGE = """
    CASE WHEN {0} <= 1 THEN 0 WHEN {0} <= 7 THEN 1 WHEN {0} <= 30 THEN 2
         WHEN {0} <= 90 THEN 3 ELSE 4 END
"""

_OF_DAY = """
    SELECT number, id, leg, rule, disposition, difference_minor FROM matches
    WHERE account = :account AND run > :base_run AND run <= :run
"""
_APART = """
    SELECT -id AS number, match AS id, leg, rule, disposition, difference_minor, items
    FROM match_history
    WHERE account = :account AND run > :base_run AND run <= :run AND until_run >= :run
"""
_MATCHES = of_cut(f"""
    SELECT leg, rule, disposition, count(*) AS matches
    FROM (SELECT leg, rule, disposition FROM ({_OF_DAY}) AS x
          UNION ALL SELECT leg, rule, disposition FROM ({_APART}) AS y) AS stood
    GROUP BY leg, rule, disposition ORDER BY leg, rule, disposition
""")
_FIRST_SIDE = f"(i.book IN {_OURS} OR stood.leg = {LEGS['L2']} AND i.book = {BOOKS['processor']})"
_MATCHED = of_cut(f"""
    SELECT stood.leg, stood.rule, stood.disposition, i.currency, count(*) AS items,
           coalesce(sum(i.amount_minor) FILTER (WHERE {_FIRST_SIDE} AND NOT i.derived), 0)
               AS independent,
           coalesce(sum(i.amount_minor) FILTER (WHERE {_FIRST_SIDE} AND i.derived), 0) AS derived,
           coalesce(sum(i.amount_minor) FILTER (WHERE NOT {_FIRST_SIDE}), 0) AS theirs
    FROM (
        SELECT x.leg, x.rule, x.disposition, m.item
        FROM ({_OF_DAY}) AS x JOIN match_items m ON m.match = x.number
        UNION ALL
        SELECT leg, rule, disposition, unnest(items) FROM ({_APART}) AS y
    ) AS stood JOIN items i ON i.id = stood.item
    GROUP BY stood.leg, stood.rule, stood.disposition, i.currency
    ORDER BY stood.leg, stood.rule, stood.disposition, i.currency
""")
_TIMING = text(f"""
    SELECT leg, currency, {_AGE.format("(CAST(:business_date AS date) - effective_on)")} AS age,
           count(*) AS items,
           sum({SIGNED.format(leg="leg", book="book", amount="amount_minor")}) AS amount
    FROM open_at WHERE disposition = {DISPOSITIONS["timing"]}
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")
_BREAKS = text(f"""
    SELECT class, currency, {_AGE.format("(CAST(:business_date AS date) - opened_on)")} AS age,
           count(*) AS breaks, sum(at_risk_minor) AS at_risk
    FROM breaks_at WHERE risk_on_leg IS NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")
_MOVED = text("""
    WITH before AS (
        SELECT b.id, e.class, b.currency, e.at_risk_minor
        FROM breaks b CROSS JOIN LATERAL (
            SELECT class, at_risk_minor, risk_on_leg, what FROM break_events
            WHERE break_id = b.id AND run <= :base_run ORDER BY id DESC LIMIT 1
        ) AS e
        WHERE b.account = :account AND b.opened_in <= :base_run
        AND (b.closed_in IS NULL OR b.closed_in > :base_run) AND e.what <> 'closed'
        AND e.risk_on_leg IS NULL
    ), now AS (SELECT * FROM breaks_at WHERE risk_on_leg IS NULL)
    SELECT class, currency,
           count(b.id) AS opening, coalesce(sum(b.at_risk_minor), 0) AS opening_minor,
           count(n.id) FILTER (WHERE b.id IS NULL) AS new,
           coalesce(sum(n.at_risk_minor) FILTER (WHERE b.id IS NULL), 0) AS new_minor,
           count(b.id) FILTER (WHERE n.id IS NULL) AS cleared,
           coalesce(sum(b.at_risk_minor) FILTER (WHERE n.id IS NULL), 0) AS cleared_minor,
           count(n.id) AS closing, coalesce(sum(n.at_risk_minor), 0) AS closing_minor
    FROM before AS b FULL JOIN now AS n USING (id, class, currency, at_risk_minor)
    GROUP BY class, currency ORDER BY class, currency
""")
# The id of a match is a hash over its leg, its rule and the sources of its items.
_HASH_MATCHES = text(f"""
    SELECT count(*) AS rows, encode(sha256(string_agg(said, ''::bytea)), 'hex') AS hash
    FROM (
        SELECT uuid_send(id) || int2send(disposition) || int8send(difference_minor) AS said
        FROM (SELECT id, disposition, difference_minor FROM ({_OF_DAY}) AS x
              UNION ALL SELECT id, disposition, difference_minor FROM ({_APART}) AS y) AS stood
        ORDER BY id
    ) AS said
""")
_MISNAMED = of_cut(f"""
    SELECT count(*) FROM ({_OF_DAY}) AS x LEFT JOIN (
        SELECT m.match AS number, string_agg({SOURCE}, chr(10) ORDER BY {SOURCE}) AS sources
        FROM match_items m JOIN items i ON i.id = m.item
        WHERE m.match IN (SELECT number FROM ({_OF_DAY}) AS x)
        GROUP BY m.match
    ) AS members USING (number)
    WHERE x.id IS DISTINCT FROM CAST(
        md5(concat_ws(chr(10), CAST(:name AS text), x.leg, x.rule, sources)) AS uuid)
""")
_HASHED = "encode(sha256(string_agg(hash, ''::bytea ORDER BY hash)), 'hex')"
_HASH_OPEN = text(f"""
    SELECT count(*) AS rows, {_HASHED} AS hash
    FROM (
        SELECT sha256(convert_to(concat_ws(chr(31), o.leg, o.disposition, i.book, i.source_id,
                                           i.component, i.version), 'UTF8')) AS hash
        FROM open_at o JOIN items i ON i.id = o.item
    ) AS hashed
""")
_HASH_BREAKS = text(f"""
    SELECT count(*) AS rows, {_HASHED} AS hash
    FROM (
        SELECT sha256(convert_to(concat_ws(chr(31), leg, subject, class, currency, at_risk_minor,
                                           opened_on - DATE '1970-01-01'), 'UTF8')) AS hash
        FROM breaks_at
    ) AS hashed
""")
_SIGNED = SIGNED.format(leg="b.leg", book="i.book", amount="i.amount_minor")
_LINES = text(f"""
    SELECT b.class, b.leg, i.book, b.currency, b.at_risk_minor, b.opened_on, i.kind, i.reference,
           m.subject, m.open_minor
    FROM breaks_at b CROSS JOIN LATERAL (
        SELECT array_agg(i.source_id ORDER BY i.book, i.source_id, i.component) AS subject,
               coalesce(sum({_SIGNED}) FILTER (WHERE i.currency = b.currency), 0) AS open_minor
        FROM items i WHERE i.id = ANY(b.items)
    ) AS m JOIN LATERAL (
        SELECT book, kind, reference FROM items i WHERE i.id = ANY(b.items)
        ORDER BY i.book, i.source_id, i.component LIMIT 1
    ) AS i ON true
    WHERE b.risk_on_leg IS NULL
    ORDER BY b.at_risk_minor DESC, b.class, b.subject, b.leg
""")


async def matches(connection: AsyncConnection, cut: Cut) -> tuple[MatchCount, ...]:
    """How many matches of the day there are, by leg and rule."""
    rows = (await connection.execute(_MATCHES, cut.values())).mappings()
    return tuple(
        MatchCount(
            leg=_LEG_OF[row["leg"]],
            rule=_RULE_OF[row["rule"]],
            disposition=_DISPOSITION_OF[row["disposition"]],
            matches=int(row["matches"]),
        )
        for row in rows
    )


async def matched(connection: AsyncConnection, cut: Cut) -> tuple[MatchedTotal, ...]:
    """What the matches of the day come to, by leg and rule."""
    rows = (await connection.execute(_MATCHED, cut.values())).mappings()
    return tuple(
        MatchedTotal(
            leg=_LEG_OF[row["leg"]],
            currency=row["currency"],
            rule=_RULE_OF[row["rule"]],
            disposition=_DISPOSITION_OF[row["disposition"]],
            items=int(row["items"]),
            independent_minor=int(row["independent"]),
            derived_minor=int(row["derived"]),
            theirs_minor=int(row["theirs"]),
        )
        for row in rows
    )


async def timing(connection: AsyncConnection, cut: Cut) -> tuple[TimingTotal, ...]:
    """What is not due yet, by leg and age."""
    rows = (await connection.execute(_TIMING, cut.values())).mappings()
    return tuple(
        TimingTotal(
            leg=_LEG_OF[row["leg"]],
            currency=row["currency"],
            age=AGES[row["age"]],
            items=int(row["items"]),
            amount_minor=int(row["amount"]),
        )
        for row in rows
    )


async def breaks(connection: AsyncConnection, cut: Cut) -> tuple[BreakTotal, ...]:
    """Open breaks by class and age."""
    rows = (await connection.execute(_BREAKS, cut.values())).mappings()
    return tuple(
        BreakTotal(
            break_class=row["class"],
            currency=row["currency"],
            age=AGES[row["age"]],
            breaks=int(row["breaks"]),
            at_risk_minor=int(row["at_risk"]),
        )
        for row in rows
    )


async def break_movements(connection: AsyncConnection, cut: Cut) -> tuple[BreakMovement, ...]:
    """How the open breaks came about since the certificate before, by class."""
    rows = (await connection.execute(_MOVED, cut.values())).mappings()
    return tuple(
        BreakMovement(
            break_class=row["class"],
            currency=row["currency"],
            **{name: int(row[name]) for name in _MOVEMENTS},
        )
        for row in rows
    )


async def result_hash(connection: AsyncConnection, cut: Cut) -> str:
    """Over each match of the day, each item that is open and each break, by the sources' ids."""
    sections = []
    for query in (_HASH_MATCHES, _HASH_OPEN, _HASH_BREAKS):
        row = (await connection.execute(query, cut.values())).one()
        sections.append(f"{row.rows}:{row.hash or NOTHING}")
    return hashlib.sha256("\n".join(sections).encode()).hexdigest()


async def misnamed(connection: AsyncConnection, cut: Cut) -> int:
    """How many matches of the day have other items than those that their id is the hash of."""
    return int(await connection.scalar(_MISNAMED, cut.values() | {"name": cut.name}) or 0)


async def break_lines(connection: AsyncConnection) -> AsyncIterator[BreakLine]:
    """The open breaks one by one, those with the most at risk first; rows as they are asked for."""
    async with connection.stream(_LINES) as rows:
        async for row in rows:
            yield BreakLine(
                break_class=row[0],
                leg=_LEG_OF[row.leg],
                book=_BOOK_OF[row.book],
                subject=tuple(dict.fromkeys(row.subject)),
                kind=row.kind,
                reference=row.reference,
                currency=row.currency,
                at_risk_minor=row.at_risk_minor,
                open_minor=int(row.open_minor),
                opened_on=row.opened_on,
            )


_MOVEMENTS = (
    *("opening", "opening_minor", "new", "new_minor"),
    *("cleared", "cleared_minor", "closing", "closing_minor"),
)
