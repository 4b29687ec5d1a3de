"""What the other books prove is booked in ours, after the proof and into the next cut.

    fees         what the processor took      Dr fees        Cr clearing
    payouts      what it sent                 Dr in transit  Cr clearing
    settlements  what came of that, matched   Dr cash        Cr in transit

Only what waits to be posted is: it is open and no break. A line agrees by construction with what it
was made from, so that it is marked derived, and certificates total it apart.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.journal.book import hold_periods, post_given
from database.journal.given import Staged
from database.reconciliation.accounts import Account
from database.reconciliation.codes import BOOKS, DISPOSITIONS, LEGS

_PROCESSOR, _BANK = BOOKS["processor"], BOOKS["bank"]
_L1, _L2, _L3 = LEGS["L1"], LEGS["L2"], LEGS["L3"]

POSTING_KEY = f"""
    concat_ws('/', 'posting', item.account, item.source_id,
              CASE WHEN item.book = {_BANK} THEN 'settlement' WHEN item.kind = 'fee'
                   THEN item.component ELSE item.kind END)
"""
"""The request key of what is booked for an `item`, once; its first line is the item's other side.

No version is in it: what was booked of a source is not booked again when that tells otherwise.
"""

# A payout that the bank sent back is a settlement as well: both sides are negative then.
_WAITING = f"""
    SELECT item.id, {POSTING_KEY} AS request_key,
           greatest(item.occurred_at, account.opened_on AT TIME ZONE account.time_zone)
               AS occurred_at,
           CASE WHEN item.book = {_BANK} THEN 'cash' ELSE 'clearing' END AS moved,
           CASE WHEN item.kind = 'fee' AND item.book = {_PROCESSOR} THEN 'fees'
                ELSE 'in_transit' END AS other,
           CASE WHEN item.book = {_PROCESSOR} THEN item.kind ELSE 'payout' END AS kind,
           item.currency, item.amount_minor,
           coalesce(item.reference, item.source_id) AS reference, item.payout, item.arrival_on,
           item.descriptor
    FROM open_items open JOIN items item ON item.id = open.item
    JOIN reconciliation_accounts account ON account.id = item.account
    WHERE open.account = :account AND open.disposition = {DISPOSITIONS["timing"]}
    AND item.amount_minor <> 0 AND CASE
        WHEN open.leg = {_L1} AND item.book = {_PROCESSOR} AND item.kind = 'fee'
            THEN 'fees' = ANY (account.posts)
        WHEN open.leg = {_L1} AND item.book = {_PROCESSOR}
             AND item.kind IN ('payout', 'payout_reversal') THEN 'payouts' = ANY (account.posts)
        WHEN open.leg = {_L3} AND item.book = {_BANK} AND EXISTS (
            SELECT FROM match_items matched WHERE matched.item = item.id AND matched.leg = {_L2}
        ) THEN 'settlements' = ANY (account.posts)
        ELSE false END
"""
_LAY_ENTRIES = text(f"""
    INSERT INTO journal_given_entries (nth, request_key, kind, occurred_at, derived, lines)
    SELECT row_number() OVER (ORDER BY request_key COLLATE "C"), request_key, 'posting',
           occurred_at, true, 2
    FROM ({_WAITING}) AS waiting WHERE NOT EXISTS (
        SELECT FROM journal_entries entry WHERE entry.request_key = waiting.request_key
    )
""")
_OPEN_BOOKS = text(f"""
    INSERT INTO journal_accounts (account, code, currency)
    SELECT DISTINCT CAST(:account AS int), code, currency
    FROM ({_WAITING}) AS waiting, unnest(ARRAY[moved, other]) AS code
    ORDER BY 2, 3 ON CONFLICT DO NOTHING
""")
_LAY_LINES = text(f"""
    INSERT INTO journal_given_lines (nth, line, journal_account, amount_minor, kind, reference,
                                     payout, arrival_on, descriptor)
    SELECT entry.nth, line.number, book.id, line.sign * waiting.amount_minor, waiting.kind,
           waiting.reference, waiting.payout, waiting.arrival_on, waiting.descriptor
    FROM ({_WAITING}) AS waiting JOIN journal_given_entries entry USING (request_key)
    CROSS JOIN LATERAL (VALUES (1, 1, moved), (2, -1, other)) AS line (number, sign, code)
    JOIN journal_accounts book ON (book.account, book.code, book.currency)
        = (:account, line.code, waiting.currency)
""")


async def post_evidence(connection: AsyncConnection, account: Account) -> int:
    """Book what an account posts and has not yet; how many entries were made.

    Call it after a proof that holds: of what is incomplete nothing is posted.
    """
    if not account.posts:
        return 0
    await hold_periods(connection, account.id)
    given = Staged(account.id)
    await given.lay_out(connection, _OPEN_BOOKS, _LAY_ENTRIES, _LAY_LINES)
    return await post_given(connection, given)
