"""Breaks and matches, as people look for them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.codes import BOOKS, DISPOSITIONS, LEGS, RULES
from workflows.reconciliation.books import BreakClass, Leg, Rule

_MATERIAL = """
    b.at_risk_minor >= COALESCE(CAST(CAST(:materiality AS jsonb) ->> b.currency AS bigint),
                                CAST(CAST(:materiality AS jsonb) ->> 'default' AS bigint))
"""
_BREAK = f"""
    SELECT b.id, a.name AS account, a.tenant, b.leg, b.class AS break_class, b.currency,
           b.at_risk_minor, b.opened_on, b.closed_on, b.provisional, b.revision, b.items,
           {_MATERIAL} AS material,
           COALESCE(b.closed_on, latest.day, b.opened_on) - b.opened_on AS days,
           (SELECT array_agg(DISTINCT i.source_id) FROM items i WHERE i.id = ANY(b.items))
               AS subject
    FROM breaks b JOIN reconciliation_accounts a ON a.id = b.account
    LEFT JOIN LATERAL (SELECT max(business_date) AS day FROM certificates
                       WHERE account = b.account) latest ON true
    WHERE (CAST(:tenant AS text) IS NULL OR a.tenant = :tenant)
"""
_BREAKS = text(
    _BREAK
    + f"""
      AND (CAST(:account AS text) IS NULL OR a.name = :account)
      AND (CAST(:classes AS text[]) IS NULL OR b.class = ANY(:classes))
      AND (CAST(:leg AS int) IS NULL OR b.leg = :leg)
      AND (CAST(:currency AS text) IS NULL OR b.currency = :currency)
      AND (CAST(:open AS boolean) IS NULL OR (b.closed_on IS NULL) = :open)
      AND b.at_risk_minor >= :at_least
      AND (CAST(:material AS boolean) IS NULL OR ({_MATERIAL}) = :material)
      AND (CAST(:opened_before AS date) IS NULL OR b.opened_on < :opened_before)
      AND (CAST(:after_id AS bigint) IS NULL OR (b.at_risk_minor, b.id) < (:after_risk, :after_id))
    ORDER BY b.at_risk_minor DESC, b.id DESC LIMIT :limit
"""
)
_ONE_BREAK = text(_BREAK + " AND b.id = :id")
_EVENTS = text("""
    SELECT e.what, e.class AS break_class, e.at_risk_minor, e.at,
           format('reconciliation/%s/%s/%s', a.name, r.business_date, r.ordinal) AS run
    FROM break_events e JOIN runs r ON r.id = e.run
    JOIN reconciliation_accounts a ON a.id = r.account
    WHERE e.break_id = :id ORDER BY e.id
""")
_ITEMS = text("""
    SELECT id, book, source_id, component, kind, currency, amount_minor, effective_on, reference
    FROM items WHERE id = ANY(:ids) ORDER BY book, source_id, component, version
""")
_MATCHES = text("""
    SELECT m.number, m.id, a.name AS account, a.tenant, m.leg, m.rule, m.disposition,
           m.difference_minor,
           format('reconciliation/%s/%s/%s', a.name, r.business_date, r.ordinal) AS run,
           (SELECT array_agg(item) FROM match_items WHERE match = m.number) AS items
    FROM matches m JOIN reconciliation_accounts a ON a.id = m.account JOIN runs r ON r.id = m.run
    WHERE (CAST(:tenant AS text) IS NULL OR a.tenant = :tenant)
      AND (CAST(:account AS text) IS NULL OR a.name = :account)
      AND (CAST(:leg AS int) IS NULL OR m.leg = :leg)
      AND (CAST(:rules AS int[]) IS NULL OR m.rule = ANY(:rules))
      AND (CAST(:day AS date) IS NULL OR r.business_date = :day)
      AND (CAST(:id AS uuid) IS NULL OR m.id = :id)
      AND (CAST(:source AS text) IS NULL OR m.number IN (
              SELECT mi.match FROM items i JOIN match_items mi ON mi.item = i.id
              WHERE i.account = a.id AND i.book = ANY(:books) AND i.source_id = :source))
      AND (CAST(:after AS bigint) IS NULL OR m.number < :after)
    ORDER BY m.number DESC LIMIT :limit
""")

_LEG_OF = {code: leg for leg, code in LEGS.items()}
_RULE_OF = {code: rule for rule, code in RULES.items()}
_BOOK_OF = {code: book for book, code in BOOKS.items()}
_DISPOSITION_OF = {code: one for one, code in DISPOSITIONS.items()}

Told = dict[str, Any]
"""A row in words. Any: each column's own."""


@dataclass(frozen=True)
class BreaksAsked:
    """Which breaks; those with at least so much at risk, found before a day.

    `materiality` is by currency what a break must be worth to be material.
    """

    materiality: Mapping[str, int]

    account: str | None = None
    classes: Sequence[BreakClass] | None = None
    leg: Leg | None = None
    currency: str | None = None
    open: bool | None = True
    at_least: int = 0
    material: bool | None = None
    opened_before: date | None = None


@dataclass(frozen=True)
class MatchesAsked:
    """Which matches; `day` is the business date of the run that made them, `source` of an item."""

    account: str | None = None
    leg: Leg | None = None
    rules: Sequence[Rule] | None = None
    day: date | None = None
    source: str | None = None
    id: UUID | None = None


async def breaks(
    connection: AsyncConnection,
    asked: BreaksAsked,
    *,
    tenant: str | None,
    after: tuple[int, int] | None = None,
    limit: int,
) -> list[Told]:
    """Breaks, those with the most at risk first, after the risk and id that a page ended with."""
    values = {
        "tenant": tenant,
        "account": asked.account,
        "classes": list(asked.classes) if asked.classes else None,
        "leg": LEGS[asked.leg] if asked.leg else None,
        "currency": asked.currency,
        "open": asked.open,
        "at_least": asked.at_least,
        "material": asked.material,
        "materiality": json.dumps(dict(asked.materiality)),
        "opened_before": asked.opened_before,
        "after_risk": after[0] if after else None,
        "after_id": after[1] if after else None,
        "limit": limit,
    }
    rows = (await connection.execute(_BREAKS, values)).mappings()
    return [_told_break(row) for row in rows]


async def one_break(
    connection: AsyncConnection, id_: int, *, tenant: str | None, materiality: Mapping[str, int]
) -> Told | None:
    """A break with its items and events."""
    asked = {"id": id_, "tenant": tenant, "materiality": json.dumps(dict(materiality))}
    found = await connection.execute(_ONE_BREAK, asked)
    row = found.mappings().first()
    if row is None:
        return None
    events = (await connection.execute(_EVENTS, {"id": id_})).mappings()
    return _told_break(row) | {
        "items": list((await _items(connection, row["items"])).values()),
        "events": [dict(event) for event in events],
    }


async def matches(
    connection: AsyncConnection,
    asked: MatchesAsked,
    *,
    tenant: str | None,
    after: int | None = None,
    limit: int,
) -> list[Told]:
    """Matches with their items, the latest first, after the number that a page ended with."""
    values = {
        "tenant": tenant,
        "account": asked.account,
        "leg": LEGS[asked.leg] if asked.leg else None,
        "rules": [RULES[rule] for rule in asked.rules] if asked.rules else None,
        "day": asked.day,
        "id": asked.id,
        "source": asked.source,
        "books": list(BOOKS.values()),
        "after": after,
        "limit": limit,
    }
    rows = (await connection.execute(_MATCHES, values)).mappings().all()
    items = await _items(connection, [item for row in rows for item in row["items"] or ()])
    return [
        dict(row)
        | {
            "id": str(row["id"]),
            "leg": _LEG_OF[row["leg"]],
            "rule": _RULE_OF[row["rule"]],
            "disposition": _DISPOSITION_OF[row["disposition"]],
            "items": [items[item] for item in row["items"] or ()],
        }
        for row in rows
    ]


def _told_break(row: RowMapping) -> Told:
    return dict(row) | {"leg": _LEG_OF[row["leg"]], "subject": tuple(row["subject"] or ())}


async def _items(connection: AsyncConnection, ids: Sequence[int]) -> Mapping[int, Told]:
    rows = (await connection.execute(_ITEMS, {"ids": list(ids)})).mappings()
    return {row["id"]: dict(row) | {"book": _BOOK_OF[row["book"]]} for row in rows}
