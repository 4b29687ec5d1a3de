"""Why an item is open: only on its way, or a break; and which breaks there are.

An item that is not due on the other side yet is timing. All others are of a break: by themselves,
or, where a dispute or an unknown transaction has fees, with them; items of one amount that nobody
can tell apart are one. Matches whose amounts differ by more than is tolerated are breaks, too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.journal.posting import POSTING_KEY
from database.reconciliation import scope as scopes
from database.reconciliation.breaks import keep_breaks
from database.reconciliation.codes import BOOKS
from database.reconciliation.scope import IN_CUT, Scope
from database.reconciliation.work import SOURCE, note_kept_apart, number_bank_days
from workflows.reconciliation.books import BreakClass
from workflows.reconciliation.terms import Terms

_OPEN = text(f"""
    CREATE TEMP TABLE open_now ON COMMIT DROP AS
    SELECT o.leg, i.id AS item, i.book, i.currency, i.kind, i.reference, i.source_id, i.component,
           o.opened_in < :run OR i.version > 1 AS known,
           i.amount_minor AS amount, {SOURCE} AS source,
           CASE WHEN o.leg = 2 AND i.kind = 'payout' THEN coalesce(i.arrival_on, i.effective_on)
                ELSE i.effective_on END AS day,
           CASE WHEN i.book IN (3, 5) OR (o.leg = 2 AND i.book = 1) THEN 0 ELSE 1 END AS side
    FROM open_items o JOIN items i ON i.id = o.item
    WHERE o.account = :account
""")
# What is in a match with the same reference and amount already: one of them is too many.
_AGAIN = text("""
    CREATE TEMP TABLE again ON COMMIT DROP AS
    SELECT DISTINCT o.leg, o.item
    FROM open_now o
    JOIN items i ON i.reference = o.reference
    JOIN match_items mi ON mi.item = i.id AND mi.leg = o.leg
    JOIN matches m ON m.number = mi.match AND m.disposition <> 3
    WHERE o.leg IN (1, 3) AND o.book <> 2 AND i.account = :account AND i.book = o.book
      AND i.kind = o.kind AND i.currency = o.currency AND i.amount_minor = o.amount
      AND i.kind <> 'fee'
""")
_IN_ANOTHER_CURRENCY = text("""
    CREATE TEMP TABLE in_another_currency ON COMMIT DROP AS
    SELECT DISTINCT u.item
    FROM open_now o JOIN open_now t USING (leg, reference, kind),
         unnest(ARRAY[o.item, t.item]) AS u (item)
    WHERE o.leg = 1 AND o.side = 0 AND t.side = 1 AND o.currency <> t.currency
""")
# After all passes, whatever is alike on both sides around a day has more than one counterpart; but
# what a person took apart is none to each other.
_AMBIGUOUS = text("""
    CREATE TEMP TABLE ambiguous ON COMMIT DROP AS
    WITH rows AS (
        SELECT o.leg, o.item, o.currency, o.side,
               CASE WHEN o.leg = 2 AND o.side = 0 THEN -amount ELSE amount END AS amount,
               CASE WHEN o.kind = 'fee' THEN 'fee' ELSE '' END AS part,
               CASE WHEN (o.leg, o.item) IN (SELECT leg, item FROM kept_apart) THEN o.item
                    ELSE 0 END AS apart,
               CASE WHEN o.leg = 1 THEN o.day - DATE '2000-01-01' ELSE b.number END AS n
        FROM open_now o LEFT JOIN bank_days b USING (currency, day)
        WHERE o.leg > 1 OR o.side = 1 OR o.reference IS NULL
    ), days AS (
        SELECT leg, currency, amount, part, side, n, apart FROM rows GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), near AS (
        SELECT leg, currency, amount, part, o.n AS ours, t.n AS theirs,
               o.apart AS our_apart, t.apart AS their_apart
        FROM days o JOIN days t USING (leg, currency, amount, part)
        WHERE o.side = 0 AND t.side = 1
          AND abs(o.n - t.n) <= CASE leg WHEN 1 THEN CAST(:processor_days AS integer)
                                         ELSE :bank_days END
          AND NOT EXISTS (SELECT FROM kept_apart a JOIN kept_apart b USING (leg, match)
                          WHERE a.leg = o.leg AND a.item = o.apart AND b.item = t.apart)
    )
    SELECT r.leg, r.item, r.side, r.currency, abs(r.amount) AS amount,
           concat_ws(' ', 'like', r.currency, r.amount, r.part) AS subject
    FROM rows r JOIN (
        SELECT leg, currency, amount, part, 0 AS side, ours AS n, our_apart AS apart FROM near
        UNION SELECT leg, currency, amount, part, 1, theirs, their_apart FROM near
    ) AS d USING (leg, currency, amount, part, side, n, apart)
""")
# What has been open for longer than its grace: of the bank, in business days that it told of.
_LATE = text("""
    CREATE TEMP TABLE late ON COMMIT DROP AS
    SELECT o.leg, o.item
    FROM open_now o
    LEFT JOIN bank_days due ON due.currency = o.currency AND due.day = o.day
    LEFT JOIN bank_turn told ON told.currency = o.currency
    WHERE CASE o.leg WHEN 1 THEN CAST(:today AS date) - o.day > CAST(:processor_days AS integer)
                     ELSE told.number - due.number > CAST(:bank_days AS integer) END
""")
# What we booked for an item is booked once: open nevertheless, nothing is on its way. What is new
# in the run, and was in no match, is not looked for.
_POSTED = text(f"""
    CREATE TEMP TABLE posted ON COMMIT DROP AS
    SELECT o.leg, o.item
    FROM open_now o JOIN items item ON item.id = o.item
    JOIN items i ON i.account = item.account
        AND i.book = CASE o.leg WHEN 1 THEN {BOOKS["clearing"]} ELSE {BOOKS["cash"]} END
        AND i.source_id = {POSTING_KEY} || '/1'
    WHERE o.side = 1 AND o.leg IN (1, 3) AND {IN_CUT}
      AND (o.known OR (o.leg, o.item) IN (SELECT leg, item FROM kept_apart))
""")
# The class, the first that holds. Empty: timing.
_JUDGE = text("""
    CREATE TEMP TABLE judged ON COMMIT DROP AS
    SELECT o.*, CASE
        WHEN (leg, item) IN (SELECT leg, item FROM ambiguous) THEN 'ambiguous'
        WHEN leg = 1 AND side = 1 AND kind <> ALL (CAST(:known AS text[])) THEN 'unknown_type'
        WHEN (leg, item) IN (SELECT leg, item FROM again)
            THEN CASE side WHEN 0 THEN 'duplicate_ours' ELSE 'duplicate_processor' END
        WHEN leg = 1 AND item IN (SELECT item FROM in_another_currency) THEN 'currency'
        WHEN leg = 1 AND side = 1 THEN CASE
            WHEN kind = 'fee' THEN CASE WHEN posted OR NOT CAST(:posts_fees AS boolean)
                THEN 'fee' END
            WHEN kind IN ('payout', 'payout_reversal')
                THEN CASE WHEN posted OR NOT CAST(:posts_payouts AS boolean)
                     THEN 'payout_unbooked' END
            WHEN kind IN ('refund', 'refund_failure') THEN 'refund_unbooked'
            WHEN kind IN ('dispute', 'dispute_reversal') THEN 'dispute_unbooked'
            ELSE 'missing_ours' END
        WHEN leg = 2 AND side = 1 THEN 'unidentified_deposit'
        WHEN leg = 3 AND side = 1 THEN CASE
            WHEN item IN (SELECT item FROM open_now WHERE leg = 2) THEN 'unidentified_deposit'
            WHEN NOT posted AND CAST(:posts_settlements AS boolean)
                 AND EXISTS (SELECT FROM match_items m WHERE m.item = o.item AND m.leg = 2)
                THEN NULL
            ELSE 'missing_cash' END
        WHEN (leg, item) NOT IN (SELECT leg, item FROM late) THEN NULL
        WHEN leg = 1 THEN 'missing_processor'
        WHEN leg = 3 THEN 'missing_bank'
        WHEN kind = 'payout_reversal' THEN 'payout_return_missing'
        ELSE 'payout_missing_bank' END AS class
    FROM (SELECT n.*, (leg, item) IN (SELECT leg, item FROM posted) AS posted FROM open_now n) AS o
""")
# Fees of what is not known, or not booked, as a whole.
_FOLD = text("""
    UPDATE judged fee SET class = whole.class
    FROM judged whole
    WHERE whole.leg = 1 AND whole.side = 1 AND whole.class IN ('dispute_unbooked', 'unknown_type')
      AND whole.kind <> 'fee' AND fee.leg = 1 AND fee.side = 1 AND fee.kind = 'fee'
      AND fee.source_id = whole.source_id AND fee.class IS DISTINCT FROM 'ambiguous'
""")
_SUBJECT = """
    CASE WHEN length(string_agg({0}, ' ' ORDER BY {0})) <= 200
         THEN string_agg({0}, ' ' ORDER BY {0})
         ELSE min({0}) || ' +' || count(*) - 1 || ' ' || md5(string_agg({0}, ' ' ORDER BY {0})) END
"""
_FOUND = text(f"""
    CREATE TEMP TABLE found ON COMMIT DROP AS
    SELECT leg, class, currency, {_SUBJECT.format("source")} AS subject,
           array_agg(item ORDER BY source) AS items, CAST(NULL AS uuid) AS match,
           CAST(abs(sum(amount)) AS bigint) AS at_risk, CAST(NULL AS smallint) AS risk_on_leg
    FROM judged
    WHERE class IS NOT NULL AND class <> 'ambiguous'
    GROUP BY leg, class, currency,
             CASE WHEN class IN ('dispute_unbooked', 'unknown_type') THEN source_id ELSE source END
    UNION ALL
    SELECT leg, 'ambiguous', currency, subject, array_agg(item ORDER BY item), NULL,
           CAST(greatest(sum(amount) FILTER (WHERE side = 0), sum(amount) FILTER (WHERE side = 1))
                AS bigint), NULL
    FROM ambiguous
    GROUP BY leg, currency, subject
""")
_DIFFERENCES = text(f"""
    INSERT INTO found (leg, class, currency, subject, items, match, at_risk)
    SELECT leg, CASE
               WHEN leg = 1 AND kind = 'fee' THEN 'fee'
               WHEN leg = 2 AND difference_minor BETWEEN 1
                    AND CAST(coalesce(CAST(:fees AS jsonb) ->> currency,
                                      CAST(:fees AS jsonb) ->> 'default') AS bigint) THEN 'bank_fee'
               ELSE 'amount' END,
           currency, subject, items, id, abs(difference_minor)
    FROM (
        SELECT m.leg, m.id, m.difference_minor, min(i.kind) AS kind, min(i.currency) AS currency,
               {_SUBJECT.format(f"({SOURCE})")} AS subject, array_agg(i.id ORDER BY i.id) AS items
        FROM matches m JOIN match_items mi ON mi.match = m.number JOIN items i ON i.id = mi.item
        WHERE m.account = :account AND m.disposition = 2
        GROUP BY m.number
    ) AS d
    WHERE abs(difference_minor) > CAST(coalesce(CAST(:tolerances AS jsonb) ->> currency,
                                       CAST(:tolerances AS jsonb) ->> 'default') AS bigint)
""")
# The same items on several legs are at risk once: on the first.
_ONCE = text("""
    UPDATE found later SET risk_on_leg = earlier.leg, at_risk = 0
    FROM (
        SELECT subject, min(leg) AS leg FROM found GROUP BY subject HAVING count(*) > 1
    ) AS earlier
    WHERE later.subject = earlier.subject AND later.leg > earlier.leg
      AND later.match IS NULL AND later.class <> 'ambiguous'
""")
_COUNTS = text("""
    SELECT class, count(*) AS breaks FROM breaks
    WHERE account = :account AND closed_on IS NULL GROUP BY class ORDER BY class
""")
_TIMING = text("SELECT count(*) FROM judged WHERE class IS NULL")


@dataclass(frozen=True)
class Classified:
    """Open breaks by class, how many items are only on their way, how many breaks closed."""

    breaks: Mapping[BreakClass, int]
    timing: int
    closed: int


async def classify(
    connection: AsyncConnection, run: int, terms: Terms, *, provisional: bool = False
) -> Classified:
    """Say of each open item of a matched run why it is open, and keep the breaks.

    Breaks that are no more are closed; but not where the run is incomplete: then what is found is
    `provisional`, and nothing is closed. The same again changes nothing. Raises LookupError where
    the run has no cut, and OutOfOrder.
    """
    scope = await scopes.held(connection, run)
    await _judge(connection, scope, terms)
    amounts = {
        "fees": json.dumps(dict(terms.bank_fees)),
        "tolerances": json.dumps(dict(terms.tolerances)),
    }
    await connection.execute(_FOUND)
    await connection.execute(_DIFFERENCES, {"account": scope.account, **amounts})
    await connection.execute(_ONCE)
    closed = await keep_breaks(connection, scope, provisional=provisional)
    counted = await connection.execute(_COUNTS, {"account": scope.account})
    return Classified(
        breaks={row[0]: row.breaks for row in counted},
        timing=int(await connection.scalar(_TIMING) or 0),
        closed=closed,
    )


async def _judge(connection: AsyncConnection, scope: Scope, terms: Terms) -> None:
    told = {"account": scope.account}
    await connection.execute(_OPEN, told | {"run": scope.run})
    await connection.execute(text("ANALYZE open_now"))
    days = "SELECT currency, day FROM open_now WHERE leg > 1"
    await number_bank_days(connection, scope, terms, days)
    await connection.execute(_AGAIN, told)
    await connection.execute(_IN_ANOTHER_CURRENCY)
    await note_kept_apart(connection, scope)
    await connection.execute(_AMBIGUOUS, dict(terms.windows))
    await connection.execute(_LATE, {"today": scope.business_date, **dict(terms.grace)})
    await connection.execute(_POSTED, scope.values())
    await connection.execute(
        _JUDGE,
        {
            "known": list(terms.kinds.known),
            **{f"posts_{what}": what in scope.posts for what in _POSTABLE},
        },
    )
    await connection.execute(_FOLD)
    await connection.execute(text("ANALYZE judged"))


_POSTABLE = ("fees", "payouts", "settlements")
