"""Passes by reference, what our lines and the other book know a movement by: L1 and L3.

The first pass goes over everything that is new without laying it out: it counts the items of each
key and matches those that are alone with their counterpart. Only what is left becomes rows of `l1`
and `l3`, which the passes after it take from. Keys are counted or ranked before anything is joined,
so that a reference with many items costs no more than they are.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.codes import BOOKS, RULES
from database.reconciliation.keeping import Passing
from database.reconciliation.scope import Scope
from database.reconciliation.work import OF_LEG_1, OF_LEG_3, SOURCE

# What differs between legs: our book and the other; and that a bank's codes are not our words.
_LEGS = (
    {"n": 1, "items": OF_LEG_1, "ours": 3, "theirs": 1, "kind": "i.kind"},
    {"n": 3, "items": OF_LEG_3, "ours": 5, "theirs": 2, "kind": "''"},
)
# In the order of items, in which their matches are then found and stored: next to each other.
_KEYS = """
    CREATE TEMP TABLE l{n}_keys ON COMMIT DROP AS
    SELECT k.*, CASE WHEN paired THEN nextval('matches_number_seq') END AS number,
           CASE WHEN paired THEN CAST(md5(concat_ws(
               E'\\n', CAST(:account_name AS text), {n}, {rule}, their_source, our_source
           )) AS uuid) END AS id
    FROM (
        SELECT g.*, alike AND (our_item, their_item) NOT IN (
                   SELECT a.item, b.item FROM kept_apart a JOIN kept_apart b USING (leg, match)
                   WHERE a.leg = {n}
               ) AS paired
        FROM (
            SELECT reference, {kind} AS kind,
                   min(i.id) FILTER (WHERE book = {ours}) AS our_item,
                   min(i.id) FILTER (WHERE book = {theirs}) AS their_item,
                   min({source}) FILTER (WHERE book = {ours}) AS our_source,
                   min({source}) FILTER (WHERE book = {theirs}) AS their_source,
                   count(*) = 2 AND min(book) <> max(book)
                   AND min(amount_minor) = max(amount_minor) AND min(currency) = max(currency)
                   AS alike
            FROM ({items}) AS i
            WHERE reference IS NOT NULL
            GROUP BY 1, 2
        ) AS g
    ) AS k
    ORDER BY our_item
"""
_LEFT = """
    INSERT INTO l{n} (item, amount, day, side, currency, kind, reference, payout, descriptor,
                      presentment_minor, presentment_currency, source)
    SELECT i.id, i.amount_minor, i.effective_on, CASE i.book WHEN {ours} THEN 0 ELSE 1 END,
           i.currency, i.kind, i.reference, i.payout, i.descriptor, i.presentment_minor,
           i.presentment_currency, {source}
    FROM ({items}) AS i
    WHERE i.reference IS NULL
       OR (i.reference, {kind}) IN (SELECT reference, kind FROM l{n}_keys WHERE NOT paired)
"""


def contra(key: str, only: str = "true") -> str:
    """Pairs of opposite amounts on one side: the first of a key with the first opposite one, …"""
    return f"""
        WITH ranked AS (
            SELECT item, side, currency, amount, {key},
                   row_number() OVER (PARTITION BY side, currency, amount, {key}
                                      ORDER BY day, source) AS rank
            FROM {{leg}} WHERE reference IS NOT NULL AND amount <> 0 AND {only}
        ), pairs AS (
            SELECT p.item AS plus, m.item AS minus
            FROM ranked p JOIN ranked m USING (side, currency, rank, {key})
            WHERE p.amount > 0 AND m.amount = -p.amount
        )
        SELECT plus, plus FROM pairs UNION ALL SELECT plus, minus FROM pairs
    """


# A payout's name is of nothing else, however late the bank gives it back.
_OF_A_PAYOUT = """
    side = 1 AND reference IN (SELECT trace_id FROM traces UNION SELECT payout FROM traces)
"""


def _given_back(account: int, days: int) -> str:
    """What the bank took back itself: the only two entries that it ever had of a reference.

    It names the return then. What more entries have in common, or what lies further apart than
    `days` of the bank, may be two things that somebody has to look at.
    """
    return f"""
        WITH rows AS (
            SELECT w.item, w.currency, w.amount, w.reference, b.number AS n,
                   count(*) OVER (PARTITION BY reference) AS entries
            FROM {{leg}} w JOIN bank_days b USING (currency, day)
            WHERE side = 1 AND reference IS NOT NULL
        ), pairs AS (
            SELECT p.item AS plus, m.item AS minus
            FROM rows p JOIN rows m USING (reference, currency)
            WHERE p.entries = 2 AND m.entries = 2
              AND p.amount > 0 AND m.amount = -p.amount AND abs(p.n - m.n) <= {days}
              AND NOT EXISTS (
                  SELECT FROM items i
                  WHERE i.reference = p.reference AND i.kind <> 'fee' AND i.account = {account}
                    AND i.book = {BOOKS["bank"]} AND i.id NOT IN (p.item, m.item)
                    AND i.id NOT IN (SELECT item FROM withdrawn)
              )
        )
        SELECT plus, plus FROM pairs UNION ALL SELECT plus, minus FROM pairs
    """


_NOTHING = "SELECT item, item FROM {leg} WHERE amount = 0"


def _pairs(key: str, condition: str) -> str:
    """Groups of two that are the only ones of a key, one on each side, where a condition holds."""
    return f"""
        WITH k AS (
            SELECT {key}, min(item) FILTER (WHERE side = 0) AS ours,
                   min(item) FILTER (WHERE side = 1) AS theirs
            FROM {{leg}} WHERE reference IS NOT NULL
            GROUP BY {key} HAVING count(*) = 2 AND min(side) <> max(side)
        ), pairs AS (
            SELECT k.ours, k.theirs
            FROM k JOIN {{leg}} o ON o.item = k.ours JOIN {{leg}} t ON t.item = k.theirs
            WHERE {condition}
        )
        SELECT ours, ours FROM pairs UNION ALL SELECT ours, theirs FROM pairs
    """


def _groups(key: str, condition: str) -> str:
    """Groups of all items of a key that both sides have, where a condition holds."""
    return f"""
        WITH k AS (
            SELECT {key}, min(item) AS grp
            FROM {{leg}} WHERE reference IS NOT NULL
            GROUP BY {key}
            HAVING min(side) <> max(side) AND ({condition})
        )
        SELECT k.grp, w.item FROM k JOIN {{leg}} w USING ({key})
    """


def _ranked(key: str) -> str:
    """Pairs of one amount and key: the first of one side with the first of the other, …"""
    return f"""
        WITH ranked AS (
            SELECT item, side, currency, amount, {key},
                   row_number() OVER (PARTITION BY side, currency, amount, {key}
                                      ORDER BY day, source) AS rank
            FROM {{leg}} WHERE reference IS NOT NULL
        ), pairs AS (
            SELECT o.item AS ours, t.item AS theirs
            FROM ranked o JOIN ranked t USING (currency, amount, rank, {key})
            WHERE o.side = 0 AND t.side = 1
        )
        SELECT ours, ours FROM pairs UNION ALL SELECT ours, theirs FROM pairs
    """


_ALIKE = "o.amount = t.amount AND o.currency = t.currency"
# One line of ours for the net of a charge and its fees is no amount that differs.
_DIFFERS = """
    o.currency = t.currency AND (o.reference, o.currency) NOT IN (
        SELECT reference, currency FROM {leg} WHERE reference IS NOT NULL
        GROUP BY reference, currency
        HAVING sum(CASE side WHEN 0 THEN amount ELSE -amount END) = 0
           AND least(sum(side), count(*) - sum(side)) = 1
    )
"""
_PRESENTED = """
    o.currency <> t.currency
    AND ((t.presentment_minor, t.presentment_currency) = (o.amount, o.currency)
         OR (o.presentment_minor, o.presentment_currency) = (t.amount, t.currency))
"""
# A line's reference may be the entry's own id.
_ENTRY = """
    WITH pairs AS (
        SELECT o.item AS ours, t.item AS theirs, count(*) OVER (PARTITION BY t.item) AS lines
        FROM {leg} o JOIN {leg} t
          ON o.side = 0 AND t.side = 1 AND t.source = '2/' || o.reference || '/'
         AND t.amount = o.amount AND t.currency = o.currency
    )
    SELECT ours, ours FROM pairs WHERE lines = 1
    UNION ALL SELECT ours, theirs FROM pairs WHERE lines = 1
"""
_SUM = "sum(CASE side WHEN 0 THEN amount ELSE -amount END)"
_ONE_TO_MANY = "least(sum(side), count(*) - sum(side)) = 1"
_OF_ONE_KIND = f"{_ONE_TO_MANY} OR min(kind) = 'fee'"


async def count_keys(connection: AsyncConnection, scope: Scope) -> None:
    """The first pass, over all that is new and open; what it leaves becomes rows of the legs."""
    for leg in _LEGS:
        parts = {**leg, "source": SOURCE, "rule": RULES["reference"]}
        told = scope.values()
        keys = text(_KEYS.format(**parts))
        await connection.execute(keys, {**told, "account_name": scope.account_name})
        await connection.execute(text(_LEFT.format(**parts)), told)
        await connection.execute(text(f"ANALYZE l{leg['n']}"))


async def by_entry(passing: Passing) -> None:
    """Lines of cash that name the bank's entry itself, as those that we book from it do."""
    await passing.propose(_ENTRY, "entry")


async def by_reference(passing: Passing) -> None:
    """Passes 0 to 4 over what is left of L1 or L3."""
    key = "reference, kind" if passing.leg == "L1" else "reference"
    same_amount = "reference, currency, amount"
    propose = passing.propose
    # What the bank took back, it had its turn with: after all passes.
    ours = "true" if passing.leg == "L1" else "side = 0"
    await propose(contra("reference, kind", ours), "contra", "contra")
    await propose(_pairs(key, _ALIKE), "reference")
    if passing.leg == "L1":
        await propose(_pairs(same_amount, "true"), "reference_whichever_kind")
    await propose(_pairs(key, _DIFFERS), "reference_differs", "difference")
    await propose(_pairs(key, _PRESENTED), "presentment", "fx_pair")
    await propose(_ranked(key), "reference_rank")
    await propose(
        _groups(f"{key}, currency", f"({_OF_ONE_KIND}) AND {_SUM} = 0"), "reference_group"
    )
    await propose(
        _groups("reference, currency", f"{_ONE_TO_MANY} AND {_SUM} = 0"), "reference_group"
    )
    await propose(
        _groups(f"{key}, currency", f"({_OF_ONE_KIND}) AND {_SUM} <> 0"),
        "reference_group_differs",
        "difference",
    )


async def in_the_end(passing: Passing, days: int) -> None:
    """What nothing explained, and needs nothing: what a bank took back itself, and no amount."""
    if passing.leg != "L1":
        await passing.propose(contra("reference", _OF_A_PAYOUT), "taken_back", "contra")
        given_back = _given_back(passing.scope.account, days)
        await passing.propose(given_back, "taken_back", "contra")
    await passing.propose(_NOTHING, "nothing", "contra")
