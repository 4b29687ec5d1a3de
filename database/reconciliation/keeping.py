"""What passes propose becomes matches: of the run at first, and of our records at its end.

Matches that differ were tried again. Where the same came of it, the old one stays as it is; where
not, what came since explained it, and it goes into the history.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation import statistics
from database.reconciliation.codes import DISPOSITIONS, LEGS, RULES
from database.reconciliation.scope import Scope
from database.reconciliation.taking_apart import note_parted, take_apart
from workflows.reconciliation.books import Disposition, Leg, Rule

ENGINE = "perdure"
"""Who takes a match apart that later data explains."""

# Who took two items apart does not want them together, in whatever company.
_PARTED = """
    DELETE FROM proposed WHERE grp IN (
        SELECT one.grp
        FROM proposed one JOIN proposed other ON other.grp = one.grp AND other.item > one.item
        JOIN kept_apart a ON a.item = one.item AND a.leg = :leg
        JOIN kept_apart b ON b.item = other.item AND b.leg = :leg AND b.match = a.match
    )
"""
# A difference in two currencies is none: the items tell it.
_MAKE = """
    WITH g AS (
        SELECT nextval('matches_number_seq') AS number, g.*
        FROM (
            SELECT p.grp,
                   CAST(md5(concat_ws(E'\\n', CAST(:account_name AS text), CAST(:leg AS smallint),
                       CAST(:rule AS smallint), string_agg(w.source, E'\\n' ORDER BY w.source)))
                       AS uuid) AS id,
                   CASE WHEN min(w.currency) = max(w.currency)
                        THEN sum(CASE w.side WHEN 0 THEN w.amount ELSE -w.amount END) ELSE 0 END
                       AS difference
            FROM proposed p JOIN {leg} w USING (item)
            GROUP BY p.grp
        ) AS g
    ), m AS (
        INSERT INTO made (number, id, leg, rule, disposition, difference)
        SELECT number, id, :leg, :rule, :disposition, difference FROM g
    )
    INSERT INTO made_items (number, item, leg)
    SELECT g.number, p.item, :leg FROM g JOIN proposed p USING (grp)
"""
_TAKE = "DELETE FROM {leg} w USING proposed p WHERE w.item = p.item"
_TAKE_FOR_NOW = f"WITH taken AS ({_TAKE} RETURNING w.*) INSERT INTO differing SELECT * FROM taken"
_PUT_BACK = (
    "INSERT INTO {leg} SELECT * FROM differing",
    "TRUNCATE differing",
    """WITH gone AS (
           DELETE FROM made WHERE leg = :leg AND disposition = :difference RETURNING number
       )
       DELETE FROM made_items USING gone WHERE made_items.number = gone.number""",
)

_SAME_AGAIN = text("""
    WITH same AS (
        DELETE FROM made USING matches m
        WHERE m.account = :account AND m.disposition = 2 AND m.leg = made.leg AND m.id = made.id
        RETURNING made.number, m.number AS before
    ), gone AS (
        DELETE FROM made_items USING same WHERE made_items.number = same.number
    )
    INSERT INTO parted
    SELECT m.number FROM matches m
    WHERE m.account = :account AND m.disposition = 2
      AND m.number NOT IN (SELECT before FROM same)
""")
_STORE = (
    *(
        f"""INSERT INTO matches (number, id, account, run, leg, rule, disposition, difference_minor)
            OVERRIDING SYSTEM VALUE
            SELECT number, id, :account, :run, {leg}, {RULES["reference"]}, 1, 0
            FROM l{leg}_keys WHERE paired"""
        for leg in (1, 3)
    ),
    """INSERT INTO matches (number, id, account, run, leg, rule, disposition, difference_minor)
       OVERRIDING SYSTEM VALUE
       SELECT number, id, :account, :run, leg, rule, disposition, difference FROM made""",
)
_STORE_ITEMS = (
    *(
        f"""INSERT INTO match_items (item, match, leg)
            SELECT our_item, number, {leg} FROM l{leg}_keys WHERE paired
            UNION ALL
            SELECT their_item, number, {leg} FROM l{leg}_keys WHERE paired
            ORDER BY 1"""
        for leg in (1, 3)
    ),
    "INSERT INTO match_items (item, match, leg) SELECT item, number, leg FROM made_items",
)
_BY_RULE = text("""
    SELECT leg, rule, count(*) AS matches FROM (
        SELECT leg, rule FROM made
        UNION ALL SELECT 1, :reference FROM l1_keys WHERE paired
        UNION ALL SELECT 3, :reference FROM l3_keys WHERE paired
    ) AS m GROUP BY leg, rule ORDER BY leg, rule
""")
_LEFT = """
    SELECT 1 AS leg, item FROM l1 UNION ALL SELECT 2, item FROM l2 UNION ALL SELECT 3, item FROM l3
"""
_NO_LONGER_OPEN = text(f"""
    WITH gone AS (
        DELETE FROM open_items o
        WHERE o.account = :account AND (o.leg, o.item) NOT IN ({_LEFT})
        RETURNING o.*
    )
    INSERT INTO closed_items (leg, item, opened_in, closed_in, account, amount_minor, effective_on,
                              book, currency)
    SELECT leg, item, opened_in, :run, account, amount_minor, effective_on, book, currency
    FROM gone WHERE opened_in < :run
""")
_OPEN = text(f"""
    INSERT INTO open_items (leg, item, account, opened_in, book, currency, amount_minor,
                            effective_on, disposition)
    SELECT l.leg, i.id, :account, :run, i.book, i.currency, i.amount_minor, i.effective_on, 5
    FROM ({_LEFT}) AS l JOIN items i ON i.id = l.item
    ON CONFLICT DO NOTHING
""")


@dataclass
class Passing:
    """The passes over one leg: each proposes groups of items, which are taken from its rows.

    apart    whether people took matches apart that are not to be made again
    settled  how many items have a match that is not tried again
    """

    connection: AsyncConnection
    scope: Scope
    leg: Leg
    apart: bool
    settled: int = 0

    async def until_settled(self, passes: Callable[[], Awaitable[None]]) -> None:
        """Pass until nothing is settled any more.

        What a later pass settles may leave an earlier one with what is now unique, as in a run
        after this one, which would try again what is open and what differs. So it is tried at
        once, and the same again changes nothing.
        """
        while True:
            before = self.settled
            await passes()
            if self.settled == before:
                break
            given = {"leg": LEGS[self.leg], "difference": DISPOSITIONS["difference"]}
            for put_back in _PUT_BACK:
                await self.connection.execute(text(put_back.format(leg=self.leg.lower())), given)
        await self.connection.execute(text("TRUNCATE differing"))

    async def propose(self, sql: str, rule: Rule, disposition: Disposition = "exact") -> None:
        """Match what a query answers as groups: grp, item. Each item is in one group at most."""
        table, given = self.leg.lower(), {"leg": LEGS[self.leg]}
        execute = self.connection.execute
        await execute(text(f"INSERT INTO proposed (grp, item) {sql.format(leg=table)}"))
        if self.apart:
            await execute(text(_PARTED), given)
        told = {
            **given,
            "account_name": self.scope.account_name,
            "rule": RULES[rule],
            "disposition": DISPOSITIONS[disposition],
        }
        made = await execute(text(_MAKE.format(leg=table)), told)
        if made.rowcount and disposition == "difference":
            await execute(text(_TAKE_FOR_NOW.format(leg=table)))
        elif made.rowcount:
            await execute(text(_TAKE.format(leg=table)))
            self.settled += made.rowcount
        await execute(text("TRUNCATE proposed"))


async def store(connection: AsyncConnection, scope: Scope) -> dict[tuple[int, int], int]:
    """Keep the run's matches and what it leaves open; how many it made, by leg and rule."""
    told = {"account": scope.account, "run": scope.run}
    await note_parted(connection)
    await connection.execute(_SAME_AGAIN, told)
    await take_apart(connection, until_run=scope.run - 1, by=ENGINE, reason="explained since")
    for matches in _STORE:
        await connection.execute(text(matches), told)
    for items in _STORE_ITEMS:
        await connection.execute(text(items))
    await connection.execute(_NO_LONGER_OPEN, told)
    await connection.execute(_OPEN, told)
    counted = await connection.execute(_BY_RULE, {"reference": RULES["reference"]})
    made = {(row.leg, row.rule): row.matches for row in counted}
    for table in ("matches", "match_items"):
        await statistics.note(connection, table, sum(made.values()))
    return made
