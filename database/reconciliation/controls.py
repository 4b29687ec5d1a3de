"""What moved in each book since the certificate before, beside the balances that sources told."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.journal.openings import SOURCE as AGREED
from database.reconciliation.codes import BOOKS
from database.reconciliation.extent import DROPPED, NEW, PAYOUTS, Cut, of_cut
from workflows.reconciliation.books import Book
from workflows.reconciliation.certificate import Certificate, ControlTotal, Missing

_BOOK_OF = {code: book for book, code in BOOKS.items()}
_JOURNAL: tuple[Book, ...] = ("clearing", "in_transit", "cash")

# What was there at the beginning is in the openings: it is open, but did not move.
_MOVED = of_cut(f"""
    SELECT book, currency,
           coalesce(sum(amount_minor) FILTER (WHERE NOT loaded), 0) AS moved,
           coalesce(sum(amount_minor) FILTER (WHERE loaded), 0) AS loaded,
           coalesce(sum(amount_minor) FILTER (WHERE payout AND NOT loaded), 0) AS payouts_moved,
           coalesce(sum(amount_minor) FILTER (WHERE payout AND loaded), 0) AS payouts_loaded
    FROM (
        SELECT book, currency, amount_minor, kind IN {PAYOUTS} AS payout,
               id BETWEEN :loaded_from AND :loaded_to AS loaded
        FROM ({NEW}) AS n
        UNION ALL
        SELECT book, currency, -amount_minor, kind IN {PAYOUTS},
               id BETWEEN :loaded_from AND :loaded_to
        FROM ({DROPPED}) AS d
    ) AS moved
    GROUP BY book, currency
""")
_TOLD = text("""
    SELECT book, currency, kind, amount_minor, source FROM control_totals
    WHERE cut = :run AND kind IN ('opening', 'closing')
""")


@dataclass(frozen=True, slots=True)
class Moved:
    """What moved in a book and currency, and what of it was payouts.

    `loaded` is what was open already at the beginning: it came with the cut and did not move.
    """

    moved: int = 0
    loaded: int = 0
    payouts_moved: int = 0
    payouts_loaded: int = 0


Movements = Mapping[tuple[Book, str], Moved]


@dataclass(frozen=True, slots=True)
class Controls:
    """The balances of all books, and what is missing of them or unequal."""

    totals: tuple[ControlTotal, ...]
    missing: tuple[Missing, ...]


async def moved(connection: AsyncConnection, cut: Cut) -> Movements:
    """What moved with a cut, in each book and currency."""
    rows = (await connection.execute(_MOVED, cut.values())).mappings()
    return {
        (_BOOK_OF[row["book"]], row["currency"]): Moved(
            int(row["moved"]),
            int(row["loaded"]),
            int(row["payouts_moved"]),
            int(row["payouts_loaded"]),
        )
        for row in rows
    }


async def controls(
    connection: AsyncConnection, cut: Cut, movements: Movements, before: Certificate | None
) -> Controls:
    """Openings and movements, beside what the sources say; `before` is the base's certificate."""
    rows = (await connection.execute(_TOLD, {"run": cut.run})).mappings()
    told: dict[str, dict[Book, dict[str, tuple[int, str]]]] = {
        "opening": defaultdict(dict),
        "closing": defaultdict(dict),
    }
    for row in rows:
        of_book = told[row["kind"]][_BOOK_OF[row["book"]]]
        of_book[row["currency"]] = int(row["amount_minor"]), row["source"]
    openings = _openings(before, told["opening"])
    totals, missing = [], list(cut.inputs.missing)
    for book in sorted(cut.inputs.scope, key=lambda one: BOOKS[one]):
        closings = told["closing"][book]
        for currency in _currencies(book, movements, openings, closings):
            opening = openings.get((book, currency), 0)
            change = movements.get((book, currency), Moved()).moved
            total = _total(cut, book, currency, opening, change, closings)
            totals.append(total)
            missing += _unproven(total)
        if before is None and not told["opening"][book]:
            missing.append(Missing(lack="no_opening", book=book))
        if book == "bank":
            missing += _unopened(cut, before, told["opening"], openings)
        if not closings and not _is_sealed(cut, book):
            missing.append(Missing(lack="no_closing", book=book))
    return Controls(tuple(totals), tuple(sorted(set(missing), key=_in_order)))


def _openings(
    before: Certificate | None, told: Mapping[Book, Mapping[str, tuple[int, str]]]
) -> Mapping[tuple[Book, str], int]:
    """The closings of the certificate before; at the beginning what the load told.

    What the bank had in a currency that is new since then, its first statement told.
    """
    begun = {
        (book, currency): amount
        for book, of_book in told.items()
        for currency, (amount, _) in of_book.items()
        if before is None or book == "bank"
    }
    known = before.controls if before else ()
    return begun | {(one.book, one.currency): one.closing_minor for one in known}


def _unopened(
    cut: Cut,
    before: Certificate | None,
    told: Mapping[Book, Mapping[str, tuple[int, str]]],
    openings: Mapping[tuple[Book, str], int],
) -> Iterator[Missing]:
    """Currencies in which the bank had what nobody said that we had: no equation could hold."""
    known = {one.currency for one in before.controls if one.book == "bank"} if before else set()
    for currency, (amount, source) in told["bank"].items():
        ours = openings.get(("cash", currency), 0)
        if currency in known or source == AGREED or "cash" not in cut.inputs.scope:
            continue
        if amount != ours:
            yield Missing(
                lack="no_opening", book="bank", currency=currency, amount_minor=amount - ours
            )


def _currencies(
    book: Book,
    movements: Movements,
    openings: Mapping[tuple[Book, str], int],
    closings: Mapping[str, object],
) -> list[str]:
    known = {currency for of, currency in (*movements, *openings) if of == book}
    return sorted(known | closings.keys())


def _total(
    cut: Cut,
    book: Book,
    currency: str,
    opening: int,
    change: int,
    closings: Mapping[str, tuple[int, str]],
) -> ControlTotal:
    amount, source = closings.get(currency, (None, ""))
    if amount is None and (closings or _is_sealed(cut, book)):
        # A source that told other currencies, or that tells what it has, has nothing in this one.
        amount, source = 0, next(iter(closings.values()), (0, "sealed balance"))[1]
    return ControlTotal(
        book=book,
        currency=currency,
        opening_minor=opening,
        movements_minor=change,
        closing_minor=opening + change,
        source=source,
        source_minor=amount,
    )


def _unproven(total: ControlTotal) -> Iterator[Missing]:
    if total.source_minor is not None and not total.proven:
        yield Missing(
            lack="unequal",
            book=total.book,
            currency=total.currency,
            amount_minor=total.source_minor - total.closing_minor,
        )


def _is_sealed(cut: Cut, book: Book) -> bool:
    return book in _JOURNAL and cut.inputs.journal_seal is not None


def _in_order(one: Missing) -> tuple[str, ...]:
    amount = "" if one.amount_minor is None else f"{one.amount_minor}"
    return (one.lack, one.book or "", one.currency or "", one.subject, amount)
