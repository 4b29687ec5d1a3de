"""Booking: many entries in one statement, each once by its request key."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.journal.entry import Kind, NewEntry, NewLine
from database.journal.given import Given, OfGiven, Staged
from database.prepared import Prepared

_AT_ONCE = 50_000
"""Entries to a statement: more would only take more memory."""

# 74201611 is the class of the locks that periods are closed under; the triggers know it, too.
_HOLD_PERIODS = Prepared("SELECT pg_advisory_xact_lock_shared(74201611, CAST(:account AS int))")
_BOOKS = text("SELECT code, currency, id FROM journal_accounts WHERE account = :account")
_OPEN_BOOKS = text("""
    INSERT INTO journal_accounts (account, code, currency)
    SELECT :account, * FROM unnest(CAST(:codes AS text[]), CAST(:currencies AS text[]))
    ORDER BY 2, 3 ON CONFLICT DO NOTHING
""")
_POST = OfGiven("""
    WITH place AS (
        SELECT time_zone, (
            SELECT CAST(max(month) + interval '1 month' AS date) FROM journal_periods
            WHERE account = :account AND state <> 'open'
        ) AS open_from
        FROM reconciliation_accounts WHERE id = :account
    ), given AS (
        SELECT entry.*, CAST(occurred_at AT TIME ZONE time_zone AS date) AS effective_on
        FROM {entries}, place
    ), made AS (
        INSERT INTO journal_entries (account, request_key, kind, occurred_at, effective_on, period,
                                     derived, reversal_of, lines)
        SELECT :account, request_key, kind, occurred_at, effective_on,
               greatest(CAST(date_trunc('month', effective_on) AS date), open_from),
               derived, reversal_of, lines
        FROM given, place
        ON CONFLICT (request_key) DO NOTHING
        RETURNING id, request_key
    ), lined AS (
        INSERT INTO journal_lines (entry, line, journal_account, amount_minor, kind, reference,
                                   object_id, payout, arrival_on, descriptor, presentment_minor,
                                   presentment_currency)
        SELECT made.id, {line} FROM {lines} JOIN given USING (nth) JOIN made USING (request_key)
    )
    SELECT count(*) FROM made
""")
_BOOKED_OTHERWISE = OfGiven("""
    WITH theirs AS (
        SELECT entry.request_key, entry.occurred_at, {line}
        FROM {lines} JOIN (SELECT * FROM {entries}) entry USING (nth)
    ), ours AS (
        SELECT booked.request_key, booked.occurred_at, {line}
        FROM {entries} JOIN journal_entries booked
            ON booked.request_key = entry.request_key AND booked.account = :account
        JOIN journal_lines line ON line.entry = booked.id
    ), differing AS (
        (SELECT * FROM theirs EXCEPT ALL SELECT * FROM ours)
        UNION ALL (SELECT * FROM ours EXCEPT ALL SELECT * FROM theirs)
    )
    SELECT array_agg(DISTINCT request_key ORDER BY request_key) FROM differing
""")
_ENTRY = text("""
    SELECT id, derived FROM journal_entries
    WHERE account = :account AND request_key = :request_key
""")
_LINES = text("""
    SELECT book.code, book.currency, line.amount_minor, line.kind, line.reference, line.object_id,
           line.payout, line.arrival_on, line.descriptor, line.presentment_minor,
           line.presentment_currency
    FROM journal_lines line JOIN journal_accounts book ON book.id = line.journal_account
    WHERE line.entry = :entry ORDER BY line.line
""")


class NotBooked(ValueError):
    """The journal's rules refuse it; nothing of it is booked. `rule` names which.

    entry_sums_to_zero | entry_comes_whole | has_lines | moves_something | period_is_open |
    after_opening | booked_once | journal_entries_reversed_once | too_much
    """

    def __init__(self, rule: str, said: str) -> None:
        super().__init__(said)
        self.rule = rule


class BookedOtherwise(NotBooked):
    """These request keys were booked before, with other lines or at another time."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__("booked_once", f"booked otherwise before: {', '.join(keys[:5])}")
        self.keys = tuple(keys)


@dataclass(frozen=True)
class Posted:
    """How many entries were booked now, and how many had been before."""

    new: int
    before: int


async def post(connection: AsyncConnection, account: int, entries: Iterable[NewEntry]) -> Posted:
    """Book entries of a reconciliation account, each once by its request key.

    The day is that of the account's time zone. An entry whose month is closed is booked into the
    first open one. Raises NotBooked, after which the transaction can do no more.
    """
    await hold_periods(connection, account)
    books: dict[tuple[str, str], int] = {}
    new = before = 0
    waiting = iter(entries)
    while batch := list(islice(waiting, _AT_ONCE)):
        await _open_books(connection, account, books, batch)
        given = Given(account, batch, books)
        await given.hand_over(connection)
        made = await post_given(connection, given)
        if made < len(batch):
            await must_be_the_same(connection, given)
        new += made
        before += len(batch) - made
    return Posted(new, before)


async def hold_periods(connection: AsyncConnection, account: int) -> None:
    """Have nobody close a period until the transaction ends."""
    await _HOLD_PERIODS.value(connection, {"account": account})


async def post_given(connection: AsyncConnection, given: Given | Staged) -> int:
    """Book what is given; how many entries were new. Raises NotBooked."""
    try:
        made: int = await _POST.value(connection, given)
    except asyncpg.IntegrityConstraintViolationError as error:
        raise NotBooked(error.constraint_name or "", str(error)) from None
    except asyncpg.NumericValueOutOfRangeError:
        raise NotBooked("too_much", "a book comes to more than 64 bits hold") from None
    return made


async def must_be_the_same(connection: AsyncConnection, given: Given | Staged) -> None:
    """Raises BookedOtherwise where a key of what is given stands for something else."""
    if keys := await _BOOKED_OTHERWISE.value(connection, given):
        raise BookedOtherwise(keys)


async def reverse(
    connection: AsyncConnection,
    account: int,
    request_key: str,
    *,
    of: str,
    at: datetime,
    kind: Kind = "reversal",
) -> Posted:
    """Take an entry back by another that is its opposite. `of` is the request key of the first.

    Raises LookupError where there is no such entry, and NotBooked where it was reversed before.
    """
    asked = {"account": account, "request_key": of}
    entry = (await connection.execute(_ENTRY, asked)).mappings().first()
    if entry is None:
        raise LookupError(of)
    rows = (await connection.execute(_LINES, {"entry": entry["id"]})).mappings()
    lines = [_opposite(NewLine(**row)) for row in rows]
    opposite = NewEntry(request_key, kind, at, lines, entry["derived"], entry["id"])
    return await post(connection, account, [opposite])


def _opposite(line: NewLine) -> NewLine:
    shown = None if line.presentment_minor is None else -line.presentment_minor
    return replace(line, amount_minor=-line.amount_minor, presentment_minor=shown)


async def _open_books(
    connection: AsyncConnection,
    account: int,
    books: dict[tuple[str, str], int],
    batch: Sequence[NewEntry],
) -> None:
    """Know the journal accounts that a batch names; those that are new are opened."""
    wanted = {(line.code, line.currency) for entry in batch for line in entry.lines}
    if wanted <= books.keys():
        return
    asked: dict[str, Any] = {"account": account}  # Any: what each parameter takes
    books |= await _known(connection, asked)
    if missing := sorted(wanted - books.keys()):
        codes, currencies = zip(*missing, strict=True)
        told = asked | {"codes": list(codes), "currencies": list(currencies)}
        await connection.execute(_OPEN_BOOKS, told)
        books |= await _known(connection, asked)


async def _known(connection: AsyncConnection, asked: dict[str, Any]) -> dict[tuple[str, str], int]:
    rows = await connection.execute(_BOOKS, asked)
    return {(row.code, row.currency): row.id for row in rows}
