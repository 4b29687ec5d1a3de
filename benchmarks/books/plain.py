"""The baseline: plain SQL that stores the same rows, and nothing more.

Items with their components, a match for each leg and what is left over. Nobody checks a row, and
nothing is proven: files go into tables as they are, and what has the same reference, kind, currency
and amount belongs together. Tables have the columns and keys of ours.

`python -m benchmarks.books.plain URL WORLD` carries it out and prints what it took. What ours left
in the database before the first time is taken over without being counted; it goes on from that.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

import asyncpg

from connectors.statements import reading
from connectors.statements.statement import Entry, Opened

_TABLES = """
    CREATE TABLE plain_items (LIKE items INCLUDING ALL);
    CREATE TABLE plain_matches (LIKE matches INCLUDING ALL);
    CREATE TABLE plain_match_items (LIKE match_items INCLUDING ALL);
    CREATE TABLE plain_breaks (LIKE breaks INCLUDING ALL);
    INSERT INTO plain_items OVERRIDING SYSTEM VALUE SELECT * FROM items;
    INSERT INTO plain_matches OVERRIDING SYSTEM VALUE SELECT * FROM matches;
    INSERT INTO plain_match_items SELECT * FROM match_items;
    SELECT setval(pg_get_serial_sequence('plain_items', 'id'), max(id)) FROM plain_items;
    ANALYZE plain_items, plain_matches, plain_match_items;
"""
_STAGING = """
    CREATE TEMP TABLE ledger (
        entry_id text, line text, booked_at timestamptz, account text, kind text, currency text,
        amount numeric, reference text, payout text, arrival_on date, description text,
        presentment_amount numeric, presentment_currency text
    );
    CREATE TEMP TABLE stripe (
        balance_transaction_id text, created_utc timestamp, available_on_utc timestamp,
        currency text, gross numeric, fee numeric, net numeric, reporting_category text,
        source_id text, description text, customer_facing_amount numeric,
        customer_facing_currency text, automatic_payout_id text,
        automatic_payout_effective_at_utc timestamp, charge_id text, payment_intent_id text,
        order_id text, trace_id text
    );
    CREATE TEMP TABLE bank (source_id text, day date, amount bigint, currency text, kind text,
                            reference text, description text);
"""
_COLUMNS = """plain_items (account, book, source_id, component, version, kind, currency,
    amount_minor, occurred_at, effective_on, reference, payout, arrival_on, descriptor, derived)"""
_ITEMS = (
    f"""
    INSERT INTO {_COLUMNS}
    SELECT 1, 1, balance_transaction_id, component, 1, kind, upper(currency),
           CAST(amount * 100 AS bigint), created_utc AT TIME ZONE 'UTC', CAST(created_utc AS date),
           coalesce(trace_id, source_id, balance_transaction_id), automatic_payout_id,
           CAST(automatic_payout_effective_at_utc AS date), description, false
    FROM (SELECT DISTINCT ON (balance_transaction_id) * FROM stripe) AS stripe CROSS JOIN LATERAL (
        VALUES ('gross', reporting_category, gross), ('fee', 'fee', -fee)
    ) AS part (component, kind, amount) WHERE component = 'gross' OR fee <> 0
    """,
    f"""
    INSERT INTO {_COLUMNS}
    SELECT 1, CASE account WHEN 'clearing' THEN 3 WHEN 'in_transit' THEN 4 ELSE 5 END,
           entry_id || '/' || line, '', 1, kind, currency, CAST(amount * 100 AS bigint), booked_at,
           CAST(booked_at AS date), reference, payout, arrival_on, description, false
    FROM ledger
    """,
    f"""
    INSERT INTO {_COLUMNS}
    SELECT 1, 2, source_id, '', 1, kind, currency, amount, day, day, reference, NULL, NULL,
           description, false
    FROM bank
    """,
)
_LEGS = {
    1: ("book = 3", "book = 1", "reference, kind, currency, amount_minor"),
    2: (
        "book = 1 AND kind IN ('payout', 'payout_reversal')",
        "book = 2",
        "reference, currency, abs(amount_minor)",
    ),
    3: ("book = 5", "book = 2", "reference, currency, amount_minor"),
}
_LAST = "SELECT coalesce(max({}), 0) FROM plain_{}"
_PAIRS = """
    CREATE TEMP TABLE pairs AS
    WITH ours AS (
        SELECT id, {key}, row_number() OVER (PARTITION BY {key} ORDER BY effective_on, source_id)
        FROM plain_items WHERE id > {since} AND ({ours})
    ), theirs AS (
        SELECT id, {key}, row_number() OVER (PARTITION BY {key} ORDER BY effective_on, source_id)
        FROM plain_items WHERE id > {since} AND ({theirs})
    )
    SELECT row_number() OVER () AS pair, ours.id AS one, theirs.id AS other
    FROM ours JOIN theirs USING ({names}, row_number)
"""
_MATCHES = (
    """
    INSERT INTO plain_matches OVERRIDING SYSTEM VALUE
    SELECT pair + {matched}, 0, gen_random_uuid(), 1, 1, {leg}, 1, 1 FROM pairs
    """,
    """
    INSERT INTO plain_match_items (item, match, leg)
    SELECT unnest(ARRAY[one, other]), pair + {matched}, {leg} FROM pairs
    """,
    """
    INSERT INTO plain_breaks (account, leg, subject, class, items, currency, at_risk_minor,
                              opened_on, provisional, opened_in, revision)
    SELECT 1, {leg}, id, 'open', ARRAY[id], currency, abs(amount_minor), current_date, false, 1, 1
    FROM plain_items i WHERE id > {since} AND (({ours}) OR ({theirs}))
      AND NOT EXISTS (SELECT FROM plain_match_items m WHERE m.item = i.id AND m.leg = {leg})
    """,
    "DROP TABLE pairs",
)


async def reconcile(connection: asyncpg.Connection, folder: Path) -> dict[str, float]:
    """The seconds of each part; `end to end` is all of them."""
    if await connection.fetchval("SELECT to_regclass('plain_items')") is None:
        await connection.execute(_TABLES)
    await connection.execute(_STAGING)
    since = await connection.fetchval(_LAST.format("id", "items"))
    took: dict[str, float] = {}
    begun = time.perf_counter()
    async with connection.transaction():
        await connection.execute("SET LOCAL work_mem = '128MB'")
        start = time.perf_counter()
        for table in ("ledger", "stripe"):
            await connection.copy_to_table(
                table, source=folder / f"{table}.csv", format="csv", header=True
            )
        await connection.copy_records_to_table("bank", records=_entries(folder))
        took["files"] = time.perf_counter() - start
        start = time.perf_counter()
        for statement in _ITEMS:
            await connection.execute(statement)
        await connection.execute("ANALYZE plain_items")
        took["items"] = time.perf_counter() - start
        start = time.perf_counter()
        for leg, (ours, theirs, key) in _LEGS.items():
            names = key.replace("abs(amount_minor)", "abs")
            matched = await connection.fetchval(_LAST.format("number", "matches"))
            parts: dict[str, object] = {"leg": leg, "ours": ours, "theirs": theirs, "key": key}
            parts |= {"names": names, "since": since, "matched": matched}
            await connection.execute(_PAIRS.format(**parts))
            for statement in _MATCHES:
                await connection.execute(statement.format(**parts))
        took["match"] = time.perf_counter() - start
    return took | {"end to end": time.perf_counter() - begun}


def _entries(folder: Path) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    name = ""
    with (folder / "statement.xml").open("rb") as file:
        for part in reading.read(file, {}):
            match part:
                case Opened():
                    name = part.statement_id
                case Entry():
                    rows.append(
                        (
                            f"{name}/{part.booking_date}/{len(rows)}",
                            part.booking_date,
                            part.amount_minor,
                            part.currency,
                            part.bank_code or "",
                            part.end_to_end_id or part.reference,
                            part.description,
                        )
                    )
    return rows


async def main(url: str, folder: Path) -> None:
    """Carry it out, and print the seconds of each part and the memory that it took, in MiB."""
    connection = await asyncpg.connect(url)
    took = await reconcile(connection, folder)
    counts = {
        f"{table} in all": await connection.fetchval(f"SELECT count(*) FROM plain_{table}")
        for table in ("items", "matches", "breaks")
    }
    await connection.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(took | counts | {"memory": memory}))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
