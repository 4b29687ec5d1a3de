"""The tables that a run works on: what is open in each leg, in memory of its session.

`l1`, `l2`, `l3` have a row for each item of a leg that no match was found for yet. Side 0 is ours
(in L2: payouts), side 1 the other. Amounts are such that a match is of equal sums: payouts, which
leave the processor's balance, are turned round. `source` says which item it is in the words of its
source, and `day` when its money should be there: with both, ties are decided the same everywhere.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.connection import driver_of
from database.reconciliation.scope import BASE_BEFORE, FRESH, IN_CUT, Scope
from workflows.reconciliation.terms import Calendar, Terms

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ROOM = text("SELECT set_config('work_mem', '192MB', true)")
SOURCE = """(i.book || '/' || i.source_id || '/' || i.component) COLLATE "C" """
"""An item `i` in the words of its source: the same whatever version of it counts, and one does."""

_LEG = """
    CREATE TEMP TABLE {leg} (
        item bigint NOT NULL,
        amount bigint NOT NULL,
        presentment_minor bigint,
        day date NOT NULL,
        side smallint NOT NULL,
        currency text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        reference text COLLATE "C",
        payout text COLLATE "C",
        presentment_currency text COLLATE "C",
        descriptor text,
        source text COLLATE "C" NOT NULL
    ) ON COMMIT DROP
"""
_TABLES = (
    *(_LEG.format(leg=leg) for leg in ("l1", "l2", "l3")),
    "CREATE TEMP TABLE differing (LIKE l1) ON COMMIT DROP",
    "CREATE TEMP TABLE proposed (grp bigint NOT NULL, item bigint NOT NULL) ON COMMIT DROP",
    """CREATE TEMP TABLE made (
           number bigint NOT NULL, id uuid NOT NULL, leg smallint NOT NULL,
           rule smallint NOT NULL, disposition smallint NOT NULL, difference bigint NOT NULL
       ) ON COMMIT DROP""",
    """CREATE TEMP TABLE made_items (
           number bigint NOT NULL, item bigint NOT NULL, leg smallint NOT NULL
       ) ON COMMIT DROP""",
)
# Matches whose amounts differ are tried again: what came since may explain them.
_CARRIED = text("""
    CREATE TEMP TABLE carried ON COMMIT DROP AS
    SELECT leg, item FROM open_items WHERE account = :account
    UNION ALL
    SELECT m.leg, mi.item FROM matches m JOIN match_items mi ON mi.match = m.number
    WHERE m.account = :account AND m.disposition = 2
""")
_KEPT_APART = text("""
    CREATE TEMP TABLE kept_apart ON COMMIT DROP AS
    SELECT DISTINCT h.leg, h.match, u.item
    FROM match_history h, unnest(h.items) AS u (item)
    WHERE h.account = :account AND h.kept
""")

OF_LEG_1 = f"""
    SELECT i.* FROM ({FRESH}) AS i WHERE i.book IN (1, 3)
    UNION ALL
    SELECT i.* FROM carried c JOIN items i ON i.id = c.item WHERE c.leg = 1
"""
OF_LEG_3 = f"""
    SELECT i.* FROM ({FRESH}) AS i WHERE i.book IN (2, 5)
    UNION ALL
    SELECT i.* FROM carried c JOIN items i ON i.id = c.item WHERE c.leg = 3
"""
"""Items of a leg that have no match, or one that is tried again."""

# What an intake told of payouts later than the cut is not known to it.
_TRACES = text("""
    CREATE TEMP TABLE traces ON COMMIT DROP AS
    SELECT DISTINCT ON (payout) payout, trace_id
    FROM payout_traces WHERE account = :account AND known_from <= :last_intake
    ORDER BY payout, known_from DESC, trace_id
""")
# A payout that failed is of the same reference; it is a member of another one.
_PAYOUTS = text(f"""
    INSERT INTO l2 (item, amount, day, side, currency, kind, reference, payout, descriptor, source)
    SELECT i.id, -i.amount_minor, coalesce(i.arrival_on, i.effective_on), 0, i.currency, i.kind,
           coalesce(t.trace_id, i.reference), i.reference,
           i.descriptor, {SOURCE}
    FROM (
        SELECT i.* FROM ({FRESH}) AS i
        WHERE i.book = 1 AND NOT starts_with(i.component, 'fee')
          AND i.kind IN ('payout', 'payout_reversal')
        UNION ALL
        SELECT i.* FROM carried c JOIN items i ON i.id = c.item WHERE c.leg = 2 AND i.book = 1
    ) AS i LEFT JOIN traces t ON t.payout = i.reference
""")
# An entry of the bank is a settlement by a rule, or because it names a payout or its trace: even
# one that came before we knew the trace.
_SETTLEMENTS = text(f"""
    WITH known AS (
        SELECT trace_id AS reference FROM traces UNION SELECT payout FROM traces
        UNION SELECT reference FROM l2 UNION SELECT payout FROM l2
    )
    INSERT INTO l2 (item, amount, day, side, currency, kind, reference, descriptor, source)
    SELECT i.id, i.amount_minor, i.effective_on, 1, i.currency, i.kind, i.reference, i.descriptor,
           {SOURCE}
    FROM (
        SELECT i.* FROM ({FRESH}) AS i
        WHERE i.book = 2
          AND (lower(i.descriptor) LIKE ANY (CAST(:descriptors AS text[]))
               OR i.kind = ANY (CAST(:bank_codes AS text[]))
               OR i.reference IN (SELECT reference FROM known))
        UNION ALL
        SELECT i.* FROM carried c JOIN items i ON i.id = c.item WHERE c.leg = 2 AND i.book = 2
        UNION ALL
        SELECT i.* FROM (SELECT DISTINCT reference FROM l2) AS p JOIN items i USING (reference)
        WHERE i.book = 2 AND {IN_CUT} AND i.id <= :base_item
          AND i.occurred_at < {BASE_BEFORE}
          AND NOT EXISTS (SELECT FROM match_items m WHERE m.item = i.id AND m.leg = 2)
          AND NOT EXISTS (SELECT FROM carried c WHERE c.item = i.id AND c.leg = 2)
    ) AS i
""")
_SAME_NAME = text("""
    UPDATE l2 AS entry SET reference = payout.reference FROM l2 AS payout
    WHERE entry.side = 1 AND payout.side = 0 AND entry.reference = payout.payout
      AND payout.reference <> payout.payout
""")
_BANK_DAYS = """
    CREATE TEMP TABLE bank_days (
        currency text COLLATE "C" NOT NULL, day date NOT NULL, number integer NOT NULL
    ) ON COMMIT DROP
"""
_BANK_TURN = """
    CREATE TEMP TABLE bank_turn (
        currency text COLLATE "C" NOT NULL, number integer NOT NULL, today integer NOT NULL
    ) ON COMMIT DROP
"""
_DAYS = "SELECT currency, min(day), max(day) FROM ({rows}) AS d GROUP BY currency ORDER BY currency"


async def make_tables(connection: AsyncConnection, scope: Scope) -> None:
    """Make the tables of a run, and note what is carried into it; the legs are empty yet."""
    await connection.execute(_ROOM)
    for table in _TABLES:
        await connection.execute(text(table))
    await connection.execute(_CARRIED, {"account": scope.account})
    await note_kept_apart(connection, scope)
    await connection.execute(text("ANALYZE carried"))


async def note_kept_apart(connection: AsyncConnection, scope: Scope) -> None:
    """Make `kept_apart`: the items of each match that a person took apart."""
    await connection.execute(_KEPT_APART, {"account": scope.account})


async def fill_leg_2(connection: AsyncConnection, scope: Scope, terms: Terms) -> None:
    """Payouts and the bank's settlements. All other entries of the bank are out of its scope."""
    await connection.execute(_TRACES, {"account": scope.account, "last_intake": scope.last_intake})
    await connection.execute(_PAYOUTS, scope.values())
    rules = {
        "descriptors": [f"%{_literal(r.contains)}%" for r in terms.settlements if r.contains],
        "bank_codes": [r.bank_code for r in terms.settlements if r.bank_code],
    }
    await connection.execute(_SETTLEMENTS, {**scope.values(), **rules})
    await connection.execute(_SAME_NAME)
    await connection.execute(text("ANALYZE l2"))


def _literal(words: str) -> str:
    """Words for LIKE, none of whose signs mean anything."""
    return re.sub(r"([%_\\\\])", r"\\\1", words.lower())


class NoCalendar(ValueError):
    """A bank account works by a calendar that the terms do not have; the text says which."""


async def number_bank_days(
    connection: AsyncConnection,
    scope: Scope,
    terms: Terms,
    rows: str = "SELECT currency, day FROM l2 UNION ALL SELECT currency, day FROM l3",
) -> None:
    """Make `bank_days`: the bank's business days, numbered, for the currencies and days of rows.

    A day on which the bank does not work has the number of the last one on which it did. Beside it
    `bank_turn`: the number of the last day that statements tell, and of the business date. Raises
    NoCalendar.
    """
    await connection.execute(text(_BANK_DAYS))
    await connection.execute(text(_BANK_TURN))
    days: list[tuple[str, date, int]] = []
    turns: list[tuple[str, int, int]] = []
    for currency, first, last in (await connection.execute(text(_DAYS.format(rows=rows)))).all():
        today, calendars = scope.business_date, []
        for name in scope.bank_days.get(currency) or (terms.calendar_for(currency),):
            if name not in terms.calendars:
                known = ", ".join(sorted(terms.calendars))
                raise NoCalendar(
                    f"the bank in {currency} works by {name}, which is none of {known}"
                )
            calendars.append(terms.calendars[name])
        told = scope.proven.get(currency, today)
        span = dict(numbered(calendars, min(first, told), max(last, today)))
        days += [(currency, *day) for day in span.items()]
        turns.append((currency, span[told], span[today]))
    await driver_of(connection).copy_records_to_table("bank_days", records=days)
    await driver_of(connection).copy_records_to_table("bank_turn", records=turns)
    await connection.execute(text("ANALYZE bank_days"))


def numbered(calendars: Sequence[Calendar], first: date, last: date) -> Iterator[tuple[date, int]]:
    """Each day from `first` to `last`, with how many there were since on which all banks work."""
    number = 0
    weekend = {day for calendar in calendars for day in calendar.weekend}
    closed = {day for calendar in calendars for day in calendar.holidays}
    for after in range((last - first).days + 1):
        day = first + timedelta(days=after)
        if WEEKDAYS[day.weekday()] not in weekend and day not in closed:
            number += 1
        yield day, number
