"""What is proven and not booked yet is booked once, as derived, if the account wants it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from database.connection import transaction
from database.journal.posting import post_evidence
from database.reconciliation.accounts import of_name
from database.reconciliation.item import NewItem
from database.reconciliation.items import take_in
from tests.integration.journal.conftest import AT, Journal

DAY = date(2026, 1, 31)


def item(book: Any, source: str, kind: str, amount: int, **more: Any) -> NewItem:
    told: dict[str, Any] = {
        "component": "",
        "currency": "EUR",
        "occurred_at": AT,
        "effective_on": DAY,
        "reference": f"ref_{source}",
    }
    return NewItem(book=book, source_id=source, kind=kind, amount_minor=amount, **(told | more))


ITEMS = (
    item("processor", "txn_1", "charge", 10_000, component="gross"),
    item("processor", "txn_1", "fee", -300, component="fee:stripe_fee"),
    item("processor", "txn_1", "fee", -50, component="fee:tax"),
    item("processor", "txn_2", "payout", -9_650, component="gross", payout="po_1"),
    item("processor", "txn_3", "fee", 0, component="fee"),
    item("bank", "entry_1", "NTRF", 9_650, reference=None),
    item("bank", "entry_2", "NTRF", 77),
)


async def take(journal: Journal, items: Sequence[NewItem], posts: str) -> None:
    """Items that a run left open as timing; the first bank entry is matched with its payout."""
    await journal.rows(
        "UPDATE reconciliation_accounts SET posts = CAST(:posts AS text[])", posts=posts.split()
    )
    async with transaction(journal.engine) as connection:
        await take_in(connection, journal.account, items, source="test")
    await journal.rows(
        "INSERT INTO open_items (leg, item, amount_minor, account, opened_in, effective_on, book,"
        " disposition, currency) SELECT CASE book WHEN 1 THEN 1 ELSE 3 END, id, amount_minor,"
        " account, 1, effective_on, book, 5, currency FROM items"
    )
    await journal.rows(
        "INSERT INTO match_items (item, match, leg)"
        " SELECT id, 1, 2 FROM items WHERE source_id = 'entry_1'"
    )


async def post(journal: Journal) -> int:
    async with transaction(journal.engine) as connection:
        return await post_evidence(connection, await of_name(connection, "acme"))


async def balances(journal: Journal) -> dict[str, int]:
    return {
        code: await journal.balance(code) for code in ("clearing", "fees", "in_transit", "cash")
    }


@pytest.mark.parametrize(
    ("posts", "entries", "moved"),
    [
        ("", 0, (0, 0, 0, 0)),
        ("fees", 2, (-350, 350, 0, 0)),
        ("payouts", 1, (-9_650, 0, 9_650, 0)),
        ("settlements", 1, (0, 0, -9_650, 9_650)),
        ("fees payouts settlements", 4, (-10_000, 350, 0, 9_650)),
    ],
)
async def test_an_account_posts_what_it_says_and_nothing_else(
    journal: Journal, posts: str, entries: int, moved: tuple[int, ...]
) -> None:
    await take(journal, ITEMS, posts)
    assert await post(journal) == entries
    assert tuple((await balances(journal)).values()) == moved
    assert await post(journal) == 0, "once for each key"
    assert tuple((await balances(journal)).values()) == moved


async def test_a_posting_is_derived_and_known_as_what_it_was_made_from(journal: Journal) -> None:
    await take(journal, ITEMS, "fees payouts settlements")
    await post(journal)
    found = await journal.rows(
        "SELECT request_key, derived, effective_on, line.kind, reference, payout FROM"
        " journal_entries entry JOIN journal_lines line ON line.entry = entry.id"
        " WHERE line.line = 1 ORDER BY 1"
    )
    assert [tuple(one.values()) for one in found] == [
        ("posting/1/entry_1/settlement", True, DAY, "payout", "entry_1", None),
        ("posting/1/txn_1/fee:stripe_fee", True, DAY, "fee", "ref_txn_1", None),
        ("posting/1/txn_1/fee:tax", True, DAY, "fee", "ref_txn_1", None),
        ("posting/1/txn_2/payout", True, DAY, "payout", "ref_txn_2", "po_1"),
    ]


async def test_breaks_are_not_posted(journal: Journal) -> None:
    await take(journal, ITEMS, "fees payouts settlements")
    await journal.rows("UPDATE open_items SET disposition = 6")
    assert await post(journal) == 0


async def test_what_was_open_before_the_first_day_is_posted_on_it(journal: Journal) -> None:
    old = {"occurred_at": datetime(2025, 12, 30, tzinfo=UTC), "effective_on": date(2025, 12, 30)}
    await take(journal, [item("processor", "txn_1", "fee", -300, **old)], "fees")
    assert await post(journal) == 1
    (entry,) = await journal.rows("SELECT effective_on FROM journal_entries")
    assert entry == {"effective_on": date(2026, 1, 1)}


async def test_thousands_are_posted_at_once(journal: Journal) -> None:
    many = [
        item("processor", f"txn_{number}", "fee", -number, component="fee")
        for number in range(1, 5_001)
    ]
    await take(journal, many, "fees")
    assert await post(journal) == 5_000
    assert await journal.balance("fees") == 5_000 * 5_001 // 2
