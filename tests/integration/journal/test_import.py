"""A ledger's file is booked whole or not at all, and each entry once."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from activities.reconciliation.ledger_import import BadRows, import_ledger
from database.journal.book import BookedOtherwise, NotBooked, Posted
from database.journal.ledger import EntryTooLarge, LedgerContradicts
from tests.integration.journal.conftest import Journal
from workers.cli import app

HEAD = "entry_id,booked_at,account,kind,currency,amount,reference\n"
LEDGER = (
    f"{HEAD}"
    "e1,2026-01-31T09:30:00Z,clearing,charge,EUR,100.00,ch_1\n"
    "e1,2026-01-31T09:30:00Z,clearing,fee,EUR,-3.50,ch_1\n"
    "e2,2026-01-31,clearing,payout,EUR,-96.50,po_1\n"
    "e3,2026-02-02,cash,payout,EUR,96.50,po_1\n"
    "e4,2026-02-03,cash,charge,EUR,-0.77,card\n"
    "e5,2026-02-03,clearing,refund,EUR,-10,re_1\n"
)


async def take(journal: Journal, content: str) -> Posted:
    file = io.BytesIO(content.encode())
    return await import_ledger(journal.engine, "acme", file, "ledger.csv", by="test")


async def books(journal: Journal) -> dict[str, int]:
    found = await journal.rows(
        "SELECT code, sum(amount_minor) AS balance FROM journal_lines line"
        " JOIN journal_accounts book ON book.id = line.journal_account GROUP BY code ORDER BY code"
    )
    return {one["code"]: int(one["balance"]) for one in found}


async def test_the_other_side_of_an_entry_is_booked_by_what_it_is_for(journal: Journal) -> None:
    assert await take(journal, LEDGER) == Posted(5, 0)
    assert await books(journal) == {
        "cash": 9_573,
        "clearing": -1_000,
        "fees": 350,
        "in_transit": 0,
        "receivables": -9_000,
        "suspense": 77,
    }
    days = await journal.rows("SELECT request_key, effective_on FROM journal_entries ORDER BY 1")
    assert days[1] == {"request_key": "ledger/1/e2", "effective_on": date(2026, 1, 31)}
    assert await take(journal, LEDGER) == Posted(0, 5), "the same file again books nothing"
    more = LEDGER + "e6,2026-02-04,clearing,charge,EUR,1,ch_2\n"
    assert await take(journal, more) == Posted(1, 5)


async def test_an_entry_that_has_both_sides_is_booked_as_it_is(journal: Journal) -> None:
    both = (
        f"{HEAD}e1,2026-01-31,clearing,payout,EUR,-96.50,po_1\n"
        "e1,2026-01-31,in_transit,payout,EUR,96.50,po_1\n"
    )
    assert await take(journal, both) == Posted(1, 0)
    assert await books(journal) == {"clearing": -9_650, "in_transit": 9_650}


async def test_rows_in_another_order_are_the_same_entries(journal: Journal) -> None:
    head, *lines = LEDGER.splitlines(keepends=True)
    numbered = head.replace("entry_id,", "entry_id,line,")
    rows = [line.replace(",", f",{nth},", 1) for nth, line in enumerate(lines, 10)]
    await take(journal, numbered + "".join(rows))
    assert await take(journal, numbered + "".join(rows[::-1])) == Posted(0, 5)


async def test_a_file_with_bad_rows_is_not_imported_at_all(journal: Journal) -> None:
    with pytest.raises(BadRows) as refused:
        await take(journal, f"{LEDGER}e7,yesterday,cash,charge,EUR,1,x\n,2026-01-01,,,EUR,1,x\n")
    assert [(one.line, one.field) for one in refused.value.rows] == [
        (8, "booked_at"),
        (9, "entry_id"),
    ]
    assert await books(journal) == {}
    assert await journal.rows("SELECT * FROM audit") == []


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("e7,2026-02-04,cash,charge,XXQ,1,x", "currency"),
        ("e7,2099-01-01,cash,charge,EUR,1,x", "booked_at"),
        ("e7,0001-01-01,cash,charge,EUR,1,x", "booked_at"),
        ("ann@example.com,2026-02-04,cash,charge,EUR,1,x", "entry_id"),
        ("e\x07,2026-02-04,cash,charge,EUR,1,x", "entry_id"),
        ("e7,2026-02-04,cash,charge,EUR,1,ann@example.com", "reference"),
        ("e7,2026-02-04,cash,charge,EUR,100000000000000.00,x", "amount"),
    ],
)
async def test_what_no_payment_may_be_is_no_line_either(
    journal: Journal, row: str, field: str
) -> None:
    with pytest.raises(BadRows) as refused:
        await take(journal, f"{LEDGER}{row}\n")
    assert [(one.line, one.field) for one in refused.value.rows] == [(8, field)]
    assert await books(journal) == {}


async def test_more_than_a_book_can_hold_is_refused(journal: Journal) -> None:
    most = "".join(f"m{n},2026-02-04,cash,charge,EUR,9999999999999.99,x\n" for n in range(9_300))
    with pytest.raises(NotBooked) as refused:
        await take(journal, HEAD + most)
    assert refused.value.rule == "too_much"
    assert await books(journal) == {}


async def test_an_entry_with_other_lines_than_before_is_refused(journal: Journal) -> None:
    await take(journal, LEDGER)
    with pytest.raises(BookedOtherwise) as refused:
        await take(journal, LEDGER.replace("100.00", "100.01"))
    assert refused.value.keys == ("ledger/1/e1",)


async def test_lines_of_one_entry_are_of_one_time(journal: Journal) -> None:
    with pytest.raises(LedgerContradicts, match="e1"):
        await take(journal, LEDGER.replace("e2,", "e1,"))


async def test_lines_of_one_entry_are_not_more_than_an_amount_may_be(journal: Journal) -> None:
    line = "{entry},2026-01-31,cash,charge,EUR,{amount},x\n"
    most = LEDGER + line.format(entry="e8", amount="10000000000000.00")
    with pytest.raises(EntryTooLarge, match="e8"):
        await take(journal, most + line.format(entry="e8", amount="0.01"))
    with pytest.raises(BadRows) as refused:
        await take(journal, LEDGER + line.format(entry="e8", amount="10000000000000.01"))
    assert [(one.line, one.field) for one in refused.value.rows] == [(8, "amount")]
    assert await books(journal) == {}
    assert (await take(journal, most)).new == 6


async def test_what_was_before_the_account_was_opened_is_refused(journal: Journal) -> None:
    with pytest.raises(NotBooked) as refused:
        await take(journal, LEDGER.replace("2026-01-31,", "2025-12-31,"))
    assert refused.value.rule == "after_opening"


async def test_the_command_line_lists_what_is_wrong(
    journal: Journal, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = urlsplit(database)
    for name, value in {
        "HOME": tmp_path,
        "DATABASE_HOST": address.hostname,
        "DATABASE_PORT": address.port,
        "DATABASE_USER": address.username,
        "DATABASE_NAME": address.path.lstrip("/"),
        "DATABASE_PASSWORD": address.password,
    }.items():
        monkeypatch.setenv(f"PERDURE_{name}", str(value))
    file = tmp_path / "ledger.csv"

    async def run(*more: str) -> tuple[int, Any]:
        told = ["import", "ledger", str(file), "--json", *more]
        done = await asyncio.to_thread(CliRunner().invoke, app, told)
        return done.exit_code, json.loads(done.stdout)

    file.write_text(LEDGER)
    assert await run("--account", "acme") == (0, {"booked": 5, "booked_before": 0})
    code, told = await run("--account", "nobody")
    assert (code, told["error"]) == (2, "refused")
    file.write_text(LEDGER.replace("100.00", "much"))
    code, told = await run("--account", "acme")
    assert (code, told["error"]) == (2, "bad_rows")
    (row,) = told["bad_rows"]
    assert (row["file"], row["line"], row["field"]) == ("ledger.csv", 2, "amount")
    file.write_text("colour\nred\n")
    assert (await run("--account", "acme"))[1]["error"] == "unknown_column"
    file.unlink()
    assert (await run("--account", "acme"))[1]["error"] == "unreadable"
