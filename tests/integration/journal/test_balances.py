"""Balances come by another path than the lines, and a seal closes both to new rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from database.connection import transaction
from database.journal.balances import (
    Balance,
    Seal,
    SealWentBack,
    balances,
    seal,
    sealed,
    waiting,
)
from database.journal.book import post
from database.journal.items import take_in_lines
from tests.integration.journal.conftest import AT, Journal, charge

_DISAGREEMENTS = text("""
    WITH lined AS (
        SELECT line.journal_account, entry.effective_on, sum(line.amount_minor) AS amount_minor,
               count(*) AS lines
        FROM journal_entries entry JOIN journal_lines line ON line.entry = entry.id
        WHERE entry.account = :account AND entry.xid < :horizon
        GROUP BY line.journal_account, entry.effective_on
    ), kept AS (
        SELECT journal_account, effective_on, sum(amount_minor) AS amount_minor,
               sum(lines) AS lines
        FROM journal_sealed_balances WHERE account = :account AND number <= :number
        GROUP BY journal_account, effective_on
    )
    SELECT book.code, book.currency, effective_on,
           coalesce(lined.amount_minor, 0) AS lines_minor,
           coalesce(kept.amount_minor, 0) AS balance_minor
    FROM lined FULL JOIN kept USING (journal_account, effective_on)
    LEFT JOIN journal_accounts book ON book.id = journal_account
    WHERE (lined.amount_minor, lined.lines) IS DISTINCT FROM (kept.amount_minor, kept.lines)
    ORDER BY effective_on, book.code, book.currency
""")
TODAY = date(2026, 1, 31)


@dataclass(frozen=True)
class Disagreement:
    """A day on which the lines of a journal account are not what its balance says.

    Equal amounts disagree in the number of lines.
    """

    code: str
    currency: str
    effective_on: date
    lines_minor: int
    balance_minor: int


async def held(journal: Journal, under: Seal, on: date | None = None) -> dict[str, int]:
    async with transaction(journal.engine) as connection:
        found = await balances(connection, journal.account, under, on=on)
    return {one.code: one.amount_minor for one in found}


async def disagreeing(journal: Journal, under: Seal) -> list[Disagreement]:
    """Where lines and balances under a seal differ: nowhere, unless somebody changed a line."""
    asked = {"account": journal.account, "number": under.number, "horizon": under.horizon}
    async with transaction(journal.engine) as connection:
        rows = (await connection.execute(_DISAGREEMENTS, asked)).mappings()
        return [Disagreement(**row) for row in rows]


async def test_balances_are_those_of_the_seal_and_the_day(journal: Journal) -> None:
    await journal.post(charge("a"), charge("b", 500, at=AT + timedelta(days=1)))
    first = await journal.seal()
    await journal.post(charge("late", 70))
    second = await journal.seal()
    assert await held(journal, first) == {"clearing": 10_500, "receivables": -10_500}
    assert await held(journal, first, TODAY) == {"clearing": 10_000, "receivables": -10_000}
    assert await held(journal, second, TODAY) == {"clearing": 10_070, "receivables": -10_070}
    async with transaction(journal.engine) as connection:
        assert await sealed(connection, journal.account) == second
        assert await sealed(connection, journal.account, first.number) == first
        (clearing, _) = await balances(connection, journal.account, second)
        assert clearing == Balance("clearing", "EUR", 10_570, 3)
    assert await disagreeing(journal, first) == await disagreeing(journal, second) == []


async def test_what_is_under_way_at_a_seal_is_in_the_next(journal: Journal) -> None:
    """The one that began first is committed last: its id is the smaller, and it comes after."""
    await journal.post(charge("before", 1))
    async with transaction(journal.engine) as connection:
        await post(connection, journal.account, [charge("slow")])
        await journal.post(charge("quick", 70))
        during = await journal.seal()
        async with transaction(journal.engine) as other:
            assert await waiting(other, journal.account, during, on=TODAY) == 1
    after = await journal.seal()
    assert await held(journal, during) == {"clearing": 1, "receivables": -1}
    assert await held(journal, after) == {"clearing": 10_071, "receivables": -10_071}
    assert await disagreeing(journal, during) == await disagreeing(journal, after) == []
    async with transaction(journal.engine) as connection:
        assert await waiting(connection, journal.account, after, on=TODAY) == 0


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE journal_lines SET amount_minor = amount_minor + 7 WHERE line = 1",
        "DELETE FROM journal_lines WHERE line = 1",
    ],
)
async def test_a_line_that_somebody_changed_shows(journal: Journal, tamper: str) -> None:
    await journal.post(charge("a"), charge("b"))
    under = await journal.seal()
    await journal.rows("ALTER TABLE journal_lines DISABLE TRIGGER USER")
    await journal.rows(tamper)
    (found,) = await disagreeing(journal, under)
    assert (found.code, found.currency, found.effective_on) == ("clearing", "EUR", TODAY)
    assert found.balance_minor == 20_000
    assert found.lines_minor != 20_000


async def test_lines_that_made_up_for_each_other_show_by_their_number(journal: Journal) -> None:
    await journal.post(charge("a"), charge("b", -10_000))
    under = await journal.seal()
    await journal.rows("ALTER TABLE journal_lines DISABLE TRIGGER USER")
    await journal.rows("DELETE FROM journal_lines")
    assert [one.lines_minor for one in await disagreeing(journal, under)] == [0, 0]


async def test_a_counter_of_transactions_that_went_back_is_noticed(journal: Journal) -> None:
    await journal.rows(
        "INSERT INTO journal_seals (account, number, horizon)"
        " VALUES (:account, 1, CAST(1 AS bigint) << 40)",
        account=journal.account,
    )
    with pytest.raises(SealWentBack, match="pg_resetwal"):
        await journal.seal()


async def test_sealed_lines_become_items_once(journal: Journal) -> None:
    await journal.post(charge("a"))
    first = await journal.seal()
    await journal.post(charge("b", 500))
    second = await journal.seal()
    async with transaction(journal.engine) as connection:
        taken = await take_in_lines(connection, journal.account, first)
        assert (taken.new, taken.unchanged) == (1, 0)
        taken = await take_in_lines(connection, journal.account, second, after=first)
        assert (taken.new, taken.unchanged) == (1, 0)
        taken = await take_in_lines(connection, journal.account, second)
        assert (taken.new, taken.unchanged, taken.changed) == (0, 2, 0)
    found = await journal.rows(
        "SELECT source_id, kind, amount_minor, reference, effective_on FROM items ORDER BY id"
    )
    assert found == [
        {
            "source_id": f"test/{key}/1",
            "kind": "charge",
            "amount_minor": amount,
            "reference": f"ch_{key}",
            "effective_on": TODAY,
        }
        for key, amount in (("a", 10_000), ("b", 500))
    ]


async def test_a_line_is_known_by_what_the_account_goes_by(journal: Journal) -> None:
    await journal.post(charge("a"))
    under = await journal.seal()
    async with transaction(journal.engine) as connection:
        await take_in_lines(connection, journal.account, under, keys=("reference",))
    (item,) = await journal.rows("SELECT reference FROM items")
    assert item == {"reference": "a"}


async def test_a_seal_waits_for_nobody_and_books_nothing(journal: Journal) -> None:
    async with transaction(journal.engine) as connection:
        first = await seal(connection, journal.account)
    assert first.number == 1
    assert (await journal.seal()).number == 2
