"""Taking in what books say: by COPY into a staging table, then set by set.

What a source says again changes nothing. What it says otherwise of something that we have is a new
version, beside the one before: items never change.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import TextClause, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from database.connection import driver_of
from database.reconciliation import statistics
from database.reconciliation.codes import BOOKS
from database.reconciliation.item import NewItem

COLUMNS = (
    *("book", "source_id", "component", "kind", "currency", "amount_minor", "occurred_at"),
    *("effective_on", "reference", "payout", "arrival_on", "trace_id", "descriptor"),
    *("presentment_minor", "presentment_currency", "derived"),
)
"""What `staged_items` has, in the order in which COPY takes it; `book` is its code."""

_BLOCK = 2_000
"""Rows that are made in one go."""

_STAGE = text("""
    CREATE TEMP TABLE IF NOT EXISTS staged_items (
        book smallint NOT NULL,
        source_id text COLLATE "C" NOT NULL,
        component text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        currency text COLLATE "C" NOT NULL,
        amount_minor bigint NOT NULL,
        occurred_at timestamptz NOT NULL,
        effective_on date NOT NULL,
        reference text COLLATE "C",
        payout text COLLATE "C",
        arrival_on date,
        trace_id text,
        descriptor text,
        presentment_minor bigint,
        presentment_currency text COLLATE "C",
        derived boolean NOT NULL
    ) ON COMMIT DROP
""")
# One intake of an account at a time: so its items are there in the order of their ids.
_LOCK = text("SELECT 1 FROM reconciliation_accounts WHERE id = :account FOR NO KEY UPDATE")
_ROOM = text("SELECT set_config('work_mem', '128MB', true)")
# What we have of what is told now: the latest version of each source.
_KNOWN = text("""
    CREATE TEMP TABLE known_sources ON COMMIT DROP AS
    SELECT book, source_id, max(version) AS version
    FROM items i
    WHERE account = :account AND (book, source_id) IN (SELECT book, source_id FROM staged_items)
    GROUP BY book, source_id
""")
_PAYOUT = f"book = {BOOKS['processor']} AND kind IN ('payout', 'payout_reversal')"
# The same, whether a listing told the fees one by one or a report told their total, and whatever
# each calls it. The day of a payout's arrival says when it is late: Stripe may move it.
_CHANGED = text(f"""
    CREATE TEMP TABLE changed_sources ON COMMIT DROP AS
    WITH told AS (
        SELECT book, source_id,
               array_agg(DISTINCT currency) AS currencies,
               max(kind) FILTER (WHERE NOT starts_with(component, 'fee')) AS kind,
               max(arrival_on) FILTER (WHERE {_PAYOUT}) AS arrival_on,
               sum(amount_minor) FILTER (WHERE NOT starts_with(component, 'fee')) AS gross,
               coalesce(sum(amount_minor) FILTER (WHERE starts_with(component, 'fee')), 0) AS fees
        FROM (SELECT DISTINCT book, source_id, component, kind, currency, amount_minor, arrival_on
              FROM staged_items WHERE (book, source_id) IN (SELECT book, source_id
                                                            FROM known_sources)) AS s
        GROUP BY book, source_id
    ), known AS (
        SELECT i.book, i.source_id, i.version,
               array_agg(DISTINCT currency) AS currencies,
               max(kind) FILTER (WHERE NOT starts_with(component, 'fee')) AS kind,
               max(arrival_on) FILTER (WHERE {_PAYOUT}) AS arrival_on,
               sum(amount_minor) FILTER (WHERE NOT starts_with(component, 'fee')) AS gross,
               coalesce(sum(amount_minor) FILTER (WHERE starts_with(component, 'fee')), 0) AS fees
        FROM items i JOIN known_sources k USING (book, source_id, version)
        WHERE i.account = :account
        GROUP BY i.book, i.source_id, i.version
    )
    SELECT book, source_id, known.version
    FROM told JOIN known USING (book, source_id)
    WHERE (told.currencies, told.kind, told.gross, told.fees)
          IS DISTINCT FROM (known.currencies, known.kind, known.gross, known.fees)
       OR told.arrival_on <> known.arrival_on
""")
_KEEP = """
    WITH kept AS (
        INSERT INTO items (account, book, source_id, component, version, kind, currency,
                           amount_minor, occurred_at, effective_on, reference, payout, arrival_on,
                           descriptor, presentment_minor, presentment_currency, derived)
        SELECT :account, book, source_id, component, {version}, kind, currency, amount_minor,
               occurred_at, effective_on, reference, payout, arrival_on, descriptor,
               presentment_minor, presentment_currency, derived
        FROM staged_items s {these}
        RETURNING id
    )
    SELECT count(*) AS count, min(id) AS first, max(id) AS last FROM kept
"""
_KEEP_ALL = text(_KEEP.format(version="1", these=""))
_KEEP_NEW = text(
    _KEEP.format(
        version="1",
        these="""WHERE NOT EXISTS (SELECT FROM known_sources k
                                   WHERE (k.book, k.source_id) = (s.book, s.source_id))""",
    )
)
_KEEP_CHANGED = text(
    _KEEP.format(version="c.version + 1", these="JOIN changed_sources c USING (book, source_id)")
)
# That an item is told twice is rare, and to look for it dear: the key tells.
_ONE_OF_EACH = text("""
    CREATE TEMP TABLE one_of_each ON COMMIT DROP AS
    SELECT DISTINCT ON (book, source_id, component) * FROM staged_items
    ORDER BY book, source_id, component, occurred_at
""")
_INSTEAD = (
    text("TRUNCATE staged_items"),
    text("INSERT INTO staged_items SELECT * FROM one_of_each"),
    text("DROP TABLE one_of_each"),
)
_ANALYZE = text("ANALYZE staged_items")
_SOURCES = text("SELECT count(*) FROM known_sources")
_CHANGES = text("SELECT count(*) FROM changed_sources")
# Where one intake has a transaction from a report and from a listing, fees one by one say more.
_SPLIT = text("""
    SELECT EXISTS (SELECT FROM staged_items WHERE component = 'fee')
       AND EXISTS (SELECT FROM staged_items WHERE starts_with(component, 'fee:'))
""")
_FEE_BY_FEE = text("""
    DELETE FROM staged_items total USING (
        SELECT book, source_id, currency, sum(amount_minor) AS fees
        FROM (SELECT DISTINCT book, source_id, component, currency, amount_minor
              FROM staged_items WHERE starts_with(component, 'fee:')) AS f
        GROUP BY book, source_id, currency
    ) AS split
    WHERE total.component = 'fee' AND total.book = split.book
      AND (total.source_id, total.currency, total.amount_minor)
          = (split.source_id, split.currency, split.fees)
""")
_TWO_TOTALS = text("""
    SELECT source_id FROM staged_items
    GROUP BY book, source_id
    HAVING bool_or(component = 'fee') AND bool_or(starts_with(component, 'fee:'))
    ORDER BY source_id LIMIT 5
""")
# One row for each item that is told in more than one way at once.
_CONTRADICTIONS = text("""
    SELECT source_id FROM staged_items
    GROUP BY book, source_id, component
    HAVING count(DISTINCT (currency, amount_minor, kind)) > 1
    ORDER BY source_id LIMIT 5
""")
_INTAKE = text("""
    INSERT INTO intakes (account, source, first_item, last_item, new, unchanged, changed)
    SELECT :account, :source, :first,
           coalesce(:last, (SELECT last_item FROM intakes WHERE account = :account
                            ORDER BY id DESC LIMIT 1), 0),
           :new, :unchanged, :changed
    RETURNING id
""")
_TRACES = text("""
    INSERT INTO payout_traces (account, payout, trace_id, known_from)
    SELECT DISTINCT CAST(:account AS integer), reference, trace_id, CAST(:intake AS bigint)
    FROM staged_items WHERE reference IS NOT NULL AND trace_id IS NOT NULL
    ON CONFLICT DO NOTHING
""")
_CLEAR = text("DROP TABLE staged_items, known_sources, changed_sources")


@dataclass(frozen=True)
class TakenIn:
    """What an intake brought. Items are counted where they are new, and of what we had, sources."""

    intake: int
    new: int
    unchanged: int
    changed: int


class Contradiction(ValueError):
    """One source tells one item in two ways at once; the text names some such source ids."""


async def take_in(
    connection: AsyncConnection,
    account: int,
    items: Iterable[NewItem],
    *,
    source: str,
) -> TakenIn:
    """Take in what a source says, in the transaction of `connection`: all of it or nothing.

    All components of a balance transaction come at once: what is left out was withdrawn.
    `source` names the file, listing or report, for those who ask where an item came from. Other
    intakes of the account wait until the transaction ends. Raises LookupError where there is no
    such account, and Contradiction.
    """
    await stage(connection, items)
    return await keep_staged(connection, account, source=source)


async def stage(connection: AsyncConnection, items: Iterable[NewItem]) -> None:
    """Lay items out for `keep_staged`, which must follow in the same transaction."""
    await stage_rows(connection, _rows(items))


async def stage_rows(connection: AsyncConnection, blocks: Iterator[bytes]) -> None:
    """The same of some rows each in `COLUMNS`, as COPY reads CSV; they are made in a thread."""
    await make_staging(connection)
    await driver_of(connection).copy_to_table(
        "staged_items", source=_in_a_thread(blocks), columns=COLUMNS, format="csv"
    )


async def make_staging(connection: AsyncConnection) -> None:
    """Make `staged_items`, for who fills it by SQL from what they copied."""
    await connection.execute(_STAGE)


async def keep_staged(connection: AsyncConnection, account: int, *, source: str) -> TakenIn:
    """Make items of what is staged. See `take_in`."""
    told = {"account": account}
    if await connection.scalar(_LOCK, told) is None:
        raise LookupError(f"there is no reconciliation account {account}")
    await connection.execute(_ROOM)
    if await connection.scalar(_SPLIT):
        await connection.execute(_FEE_BY_FEE)
        await _refuse(connection, _TWO_TOTALS)
    await connection.execute(_ANALYZE)
    await connection.execute(_KNOWN, told)
    await connection.execute(_CHANGED, told)
    known = int(await connection.scalar(_SOURCES) or 0)
    changed = int(await connection.scalar(_CHANGES) or 0)
    try:
        async with driver_of(connection).transaction():
            new, versions = await _keep(connection, told, known, changed)
    except IntegrityError:
        await _leave_one_of_each(connection)
        new, versions = await _keep(connection, told, known, changed)
    intake = {
        **told,
        "source": source,
        "first": new.first or versions.first,
        "last": versions.last or new.last,
        "new": new.count,
        "unchanged": known - changed,
        "changed": changed,
    }
    number = int(await connection.scalar(_INTAKE, intake) or 0)
    await connection.execute(_TRACES, {**told, "intake": number})
    await connection.execute(_CLEAR)
    await statistics.note(connection, "items", new.count)
    return TakenIn(intake=number, new=new.count, unchanged=known - changed, changed=changed)


@dataclass(frozen=True)
class _Kept:
    count: int = 0
    first: int | None = None
    last: int | None = None


async def _keep(
    connection: AsyncConnection, told: dict[str, int], known: int, changed: int
) -> tuple[_Kept, _Kept]:
    """Insert what is new, and new versions of what changed."""

    async def keep(these: TextClause) -> _Kept:
        return _Kept(**(await connection.execute(these, told)).mappings().one())

    new = await keep(_KEEP_NEW if known else _KEEP_ALL)
    return new, await keep(_KEEP_CHANGED) if changed else _Kept()


async def _leave_one_of_each(connection: AsyncConnection) -> None:
    """Of an item that is told twice alike, leave one. Raises Contradiction."""
    await _refuse(connection, _CONTRADICTIONS)
    await connection.execute(_ONE_OF_EACH)
    for instead in _INSTEAD:
        await connection.execute(instead)


async def _refuse(connection: AsyncConnection, contradictions: TextClause) -> None:
    found = (await connection.scalars(contradictions)).all()
    if found:
        raise Contradiction(f"told in two ways at once: {', '.join(found)}")


async def _in_a_thread(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """What takes long to be made, so that nobody is held up meanwhile."""
    while (block := await asyncio.to_thread(next, blocks, None)) is not None:
        yield block


def _rows(items: Iterable[NewItem]) -> Iterator[bytes]:
    rows = map(_row, items)
    while block := "".join(islice(rows, _BLOCK)).encode():
        yield block


def _row(item: NewItem) -> str:
    """A row of `staged_items`, in the order of `COLUMNS`: text in quotes, nothing where None."""
    return (
        f"{BOOKS[item.book]},{_quoted(item.source_id)},{_quoted(item.component)},"
        f"{_quoted(item.kind)},{_quoted(item.currency)},{item.amount_minor},{item.occurred_at.isoformat()},"
        f"{item.effective_on.isoformat()},{_quoted(item.reference)},{_quoted(item.payout)},"
        f"{item.arrival_on or ''},{_quoted(item.trace_id)},{_quoted(item.descriptor)},"
        f"{'' if item.presentment_minor is None else item.presentment_minor},"
        f"{_quoted(item.presentment_currency)},{'t' if item.derived else 'f'}\n"
    )


def _quoted(text_: str | None) -> str:
    if text_ is None:
        return ""
    return f'"{text_}"' if '"' not in text_ else '"' + text_.replace('"', '""') + '"'
