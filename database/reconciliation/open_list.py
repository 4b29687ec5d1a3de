"""What was open after a run, item by item and in sums, as people look for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.codes import BOOKS, DISPOSITIONS, LEGS
from database.reconciliation.lists import Told
from database.reconciliation.open_totals import (
    BREAKS_AFTER,
    DIFFERING_AFTER,
    OPEN_AFTER,
    SIGNED,
)
from workflows.reconciliation.books import Book, Leg

# Matches that differ are what the equations call open, too: their rest is a break or tolerated.
_FOUND = f"""
    WITH standing AS ({BREAKS_AFTER}), broken AS (
        SELECT DISTINCT ON (s.leg, u.item) s.leg, u.item, s.id, s.class, s.currency,
               s.at_risk_minor
        FROM standing s, unnest(s.items) AS u (item) ORDER BY s.leg, u.item, s.id
    ), left_over AS (
        SELECT leg, item, CAST(NULL AS smallint) AS disposition FROM ({OPEN_AFTER}) AS o
        UNION ALL
        SELECT leg, item, disposition FROM ({DIFFERING_AFTER}) AS d
    ), asked AS (
        SELECT o.leg, o.item, i.book, i.source_id, i.component, i.kind, i.currency, i.amount_minor,
               i.effective_on, i.reference, b.id AS break_id, b.class AS break_class,
               b.currency AS break_currency, b.at_risk_minor,
               coalesce(o.disposition, CASE WHEN b.id IS NULL THEN {DISPOSITIONS["timing"]}
                                       ELSE {DISPOSITIONS["break"]} END) AS disposition
        FROM left_over o JOIN items i ON i.id = o.item
        LEFT JOIN broken b ON b.leg = o.leg AND b.item = o.item
        WHERE (CAST(:leg AS int) IS NULL OR o.leg = :leg)
        AND (CAST(:book AS int) IS NULL OR i.book = :book)
        AND (CAST(:currency AS text) IS NULL OR i.currency = :currency)
    )
"""
_ITEMS = text(f"""{_FOUND}
    SELECT * FROM asked
    WHERE CAST(:after_item AS bigint) IS NULL OR (leg, item) > (:after_leg, :after_item)
    ORDER BY leg, item LIMIT :limit
""")
# A break is of several items, and its risk counts once, in its own currency.
_TOTALS = text(f"""{_FOUND}, counted AS (
        SELECT *, CASE WHEN currency = break_currency THEN row_number()
                  OVER (PARTITION BY break_id, currency ORDER BY item) END = 1 AS once
        FROM asked
    )
    SELECT leg, currency, break_class, count(*) AS items,
           CAST(sum({SIGNED.format(leg="leg", book="book", amount="amount_minor")}) AS bigint)
               AS amount_minor,
           count(*) FILTER (WHERE once) AS breaks,
           CAST(coalesce(sum(at_risk_minor) FILTER (WHERE once), 0) AS bigint) AS at_risk_minor
    FROM counted GROUP BY leg, currency, break_class ORDER BY leg, currency, break_class
""")

_LEG_OF = {code: leg for leg, code in LEGS.items()}
_BOOK_OF = {code: book for book, code in BOOKS.items()}
_DISPOSITION_OF = {code: one for one, code in DISPOSITIONS.items()}


@dataclass(frozen=True, slots=True)
class OpenAsked:
    """What was open of an account after which run, and of which leg, book and currency."""

    account: int
    run: int
    leg: Leg | None = None
    book: Book | None = None
    currency: str | None = None

    def values(self) -> Mapping[str, Any]:
        """The parameters of a statement. Any: each of its column's type."""
        return {
            "account": self.account,
            "run": self.run,
            "leg": LEGS[self.leg] if self.leg else None,
            "book": BOOKS[self.book] if self.book else None,
            "currency": self.currency,
        }


async def open_items(
    connection: AsyncConnection,
    asked: OpenAsked,
    *,
    after: tuple[int, int] | None = None,
    limit: int,
) -> list[Told]:
    """Items by leg, as they came, after the leg and number that a page ended with (`place`)."""
    leg, item = after or (None, None)
    values = {**asked.values(), "after_leg": leg, "after_item": item, "limit": limit}
    rows = (await connection.execute(_ITEMS, values)).mappings()
    return [
        dict(row)
        | {
            "place": (row["leg"], row["item"]),
            "leg": _LEG_OF[row["leg"]],
            "book": _BOOK_OF[row["book"]],
            "disposition": _DISPOSITION_OF[row["disposition"]],
        }
        for row in rows
    ]


async def totals(connection: AsyncConnection, asked: OpenAsked) -> list[Told]:
    """The same by leg, currency and class of break, on the sign of the leg's equation."""
    rows = (await connection.execute(_TOTALS, asked.values())).mappings()
    return [dict(row) | {"leg": _LEG_OF[row["leg"]]} for row in rows]
