"""The figures of the bridge, and how what is open came about, from what a run left.

Call them after `open_at.lay_out`, in its transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.codes import BOOKS, DISPOSITIONS, LEGS
from database.reconciliation.controls import Movements
from database.reconciliation.extent import IN_BASE, LEG_BOOKS, PAYOUTS, SETTLING, Cut, of_cut
from database.reconciliation.open_totals import DIFFERING_AFTER, SIGNED
from workflows.reconciliation.books import Book, Leg
from workflows.reconciliation.certificate import (
    Certificate,
    ControlTotal,
    Equation,
    RollForward,
    TermName,
)
from workflows.reconciliation.proof import Figures, bridge

_CASH = BOOKS["cash"]
_DIFFER = DISPOSITIONS["difference"], DISPOSITIONS["fx_pair"]
_LEG_OF = {code: leg for leg, code in LEGS.items()}
_OURS: tuple[Book, ...] = ("clearing", "cash")
_COMPARED: Mapping[Book, Leg] = {
    "clearing": "L1",
    "processor": "L1",
    "cash": "L3",
    "bank": "L3",
}
"""The leg in which all items of a book are compared. L2 has payouts and settlements alone."""


def _signed(of: str) -> str:
    return SIGNED.format(leg=f"{of}.leg", book="i.book", amount="i.amount_minor")


# An exact match adds nothing to what is open; one with a difference adds that, and both of its
# currencies where it has two.
_OPEN = of_cut(f"""
    SELECT o.leg, i.currency, sum({_signed("o")}) AS amount,
           coalesce(sum({_signed("o")}) FILTER (WHERE i.kind IN {PAYOUTS}), 0) AS payouts,
           coalesce(sum({_signed("o")}) FILTER (WHERE i.kind IN {SETTLING} AND i.book = {_CASH}
                                           OR s.item IS NOT NULL), 0) AS settlements
    FROM (
        SELECT leg, item FROM open_at UNION ALL SELECT leg, item FROM ({DIFFERING_AFTER}) AS d
    ) AS o
    JOIN items i ON i.id = o.item
    LEFT JOIN settlements_at s ON s.item = i.id
    GROUP BY o.leg, i.currency
""")
_SETTLEMENTS = of_cut("""
    SELECT currency, sum(amount_minor) AS amount,
           coalesce(sum(amount_minor) FILTER (WHERE item BETWEEN :loaded_from AND :loaded_to), 0)
           AS loaded
    FROM settlements_at GROUP BY currency
""")
# What was open before and was matched then, even if it is taken apart by now; and differences of
# matches that were taken apart since.
_CLEARED = of_cut(f"""
    SELECT leg, currency, sum(amount) AS amount FROM (
        SELECT x.leg, i.currency, {_signed("x")} AS amount
        FROM (
            SELECT x.leg, m.item
            FROM matches x JOIN match_items m ON m.match = x.number
            WHERE x.account = :account AND x.run > :base_run AND x.run <= :run
            AND m.item <= greatest(:base_item, :loaded_to)
            UNION ALL
            SELECT h.leg, u.item FROM match_history h, unnest(h.items) AS u (item)
            WHERE h.account = :account AND h.run > :base_run AND h.run <= :run
            AND h.until_run >= :run AND u.item <= greatest(:base_item, :loaded_to)
        ) AS x JOIN items i ON i.id = x.item
        WHERE ({IN_BASE}) OR i.id BETWEEN :loaded_from AND :loaded_to
        UNION ALL
        SELECT h.leg, i.currency, {_signed("h")}
        FROM match_history h, unnest(h.items) AS u (item) JOIN items i ON i.id = u.item
        WHERE h.account = :account AND h.run <= :base_run
        AND h.until_run >= :base_run AND h.until_run < :run AND h.disposition IN {_DIFFER}
    ) AS cleared
    GROUP BY leg, currency
""")


@dataclass(frozen=True, slots=True)
class Open:
    """What is open in a leg and currency, and what of it is of payouts and of settlements."""

    amount: int = 0
    payouts: int = 0
    settlements: int = 0


@dataclass(frozen=True, slots=True)
class Bridge:
    """The equations of each currency, and the roll forward of each leg."""

    equations: tuple[Equation, ...]
    roll_forward: tuple[RollForward, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """The settlements of the bank since the beginning; `loaded` were open at it."""

    amount: int = 0
    loaded: int = 0


Key = tuple[Leg, str]
"""A leg and a currency."""


async def prove(
    connection: AsyncConnection,
    cut: Cut,
    movements: Movements,
    totals: Collection[ControlTotal],
    before: Certificate | None,
) -> Bridge:
    """The bridge of a run; `before` is the certificate that it goes on from."""
    open_now = await _open(connection, cut)
    settled = await _settled(connection, cut)
    cleared = await _cleared(connection, cut)
    payouts = _payouts(movements, before)
    currencies = sorted(
        {one.currency for one in totals} | {currency for _, currency in open_now} | settled.keys()
    )
    equations = [
        equation
        for currency in currencies
        for equation in bridge(
            currency,
            Figures(
                closing=_closings(totals, currency),
                payouts=payouts.get(currency, 0),
                settlements=settled.get(currency, Settled()).amount,
                open_l1=open_now.get(("L1", currency), Open()).amount,
                open_l2=open_now.get(("L2", currency), Open()).amount,
                open_l3=open_now.get(("L3", currency), Open()).amount,
                open_payouts=open_now.get(("L1", currency), Open()).payouts,
                open_settlements=open_now.get(("L3", currency), Open()).settlements,
            ),
            cut.inputs.scope,
        )
    ]
    opening = _opening(movements, settled, before)
    entered = _entered(movements, settled, before)
    legs = [leg for leg, books in LEG_BOOKS.items() if set(books) <= set(cut.inputs.scope)]
    rolled = [
        _rolled(
            key,
            opening=opening.get(key, 0),
            entered=entered.get(key, 0),
            cleared=cleared.get(key, 0),
            closing=open_now.get(key, Open()).amount,
        )
        for key in ((leg, currency) for leg in legs for currency in currencies)
    ]
    return Bridge(tuple(equations), tuple(rolled))


def _closings(totals: Collection[ControlTotal], currency: str) -> Mapping[Book, int]:
    """What the sources say, and where one says nothing, what we come to."""
    return {
        one.book: one.closing_minor if one.source_minor is None else one.source_minor
        for one in totals
        if one.currency == currency
    }


async def _open(connection: AsyncConnection, cut: Cut) -> Mapping[Key, Open]:
    rows = (await connection.execute(_OPEN, cut.values())).mappings()
    return {
        (_LEG_OF[row["leg"]], row["currency"]): Open(
            int(row["amount"]), int(row["payouts"]), int(row["settlements"])
        )
        for row in rows
    }


async def _settled(connection: AsyncConnection, cut: Cut) -> Mapping[str, Settled]:
    rows = await connection.execute(_SETTLEMENTS, cut.values())
    return {row.currency: Settled(int(row.amount), int(row.loaded)) for row in rows}


async def _cleared(connection: AsyncConnection, cut: Cut) -> Mapping[Key, int]:
    rows = await connection.execute(_CLEARED, cut.values())
    return {(_LEG_OF[row.leg], row.currency): int(row.amount) for row in rows}


def _payouts(movements: Movements, before: Certificate | None) -> Mapping[str, int]:
    """Q of each currency: that of the certificate before, and what was paid out since."""
    since: defaultdict[str, int] = defaultdict(int, _term(before, "payouts"))
    for (book, currency), one in movements.items():
        if book == "processor":
            since[currency] += one.payouts_moved + one.payouts_loaded
    return since


def _term(before: Certificate | None, name: TermName) -> Mapping[str, int]:
    """A sum since the beginning by currency, as the certificate before has it: E2 negates it."""
    return {
        one.currency: -term.amount_minor
        for one in (before.bridge if before else ())
        if one.name == "E2"
        for term in one.terms
        if term.name == name
    }


def _opening(
    movements: Movements, settled: Mapping[str, Settled], before: Certificate | None
) -> Mapping[Key, int]:
    """What was open before in each leg; at the beginning, what was loaded."""
    if before is not None:
        return {(one.leg, one.currency): one.closing_minor for one in before.roll_forward}
    opening: defaultdict[Key, int] = defaultdict(int)
    for (book, currency), one in movements.items():
        if leg := _COMPARED.get(book):
            opening[leg, currency] += one.loaded if book in _OURS else -one.loaded
        if book == "processor":
            opening["L2", currency] -= one.payouts_loaded
    for currency, those in settled.items():
        opening["L2", currency] -= those.loaded
    return opening


def _entered(
    movements: Movements, settled: Mapping[str, Settled], before: Certificate | None
) -> Mapping[Key, int]:
    """What came into each leg with the cut, on the sign of its equation.

    Matching takes the same from both sides of it: what is open changes by this, and no more.
    """
    entered: defaultdict[Key, int] = defaultdict(int)
    for (book, currency), one in movements.items():
        if leg := _COMPARED.get(book):
            entered[leg, currency] += one.moved if book in _OURS else -one.moved
        if book == "processor":
            entered["L2", currency] -= one.payouts_moved
    settled_before = _term(before, "settlements")
    for currency in settled.keys() | settled_before.keys():
        those = settled.get(currency, Settled())
        known = settled_before.get(currency, 0) if before else those.loaded
        entered["L2", currency] -= those.amount - known
    return entered


def _rolled(key: Key, *, opening: int, entered: int, cleared: int, closing: int) -> RollForward:
    leg, currency = key
    new = entered + cleared  # what came and was matched at once is in neither
    return RollForward(
        leg=leg,
        currency=currency,
        opening_minor=opening,
        new_minor=new,
        cleared_minor=cleared,
        closing_minor=closing,
        residual_minor=closing - (opening + new - cleared),
    )
