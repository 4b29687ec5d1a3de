"""What the journal itself holds to, whoever writes into it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from database.connection import transaction
from database.journal.book import BookedOtherwise, NotBooked, Posted, post, reverse
from database.journal.entry import NewEntry, NewLine
from database.journal.given import A_FEW
from tests.integration.journal.conftest import AT, Journal, account_of, charge


async def test_an_entry_is_booked_on_both_sides(journal: Journal) -> None:
    assert await journal.post(charge("a")) == Posted(1, 0)
    assert await journal.balance("clearing") == 10_000
    assert await journal.balance("receivables") == -10_000


@pytest.mark.parametrize("many", [1, A_FEW + 1], ids=["a few", "many"])
async def test_entries_are_booked_once_by_their_key(journal: Journal, many: int) -> None:
    entries = [charge(str(number)) for number in range(many)]
    assert await journal.post(*entries) == Posted(many, 0)
    assert await journal.post(*entries, charge("one more")) == Posted(1, many)
    assert await journal.balance("clearing") == 10_000 * (many + 1)


@pytest.mark.parametrize("many", [1, A_FEW + 1], ids=["a few", "many"])
async def test_a_key_that_stands_for_something_else_is_refused(journal: Journal, many: int) -> None:
    entries = [charge(str(number)) for number in range(many)]
    await journal.post(*entries)
    other = [charge("0", 9_999), *entries[1:]]
    with pytest.raises(BookedOtherwise) as refused:
        await journal.post(charge("not kept"), *other)
    assert refused.value.keys == ("test/0",)
    assert await journal.balance("clearing") == 10_000 * many


@pytest.mark.parametrize("many", [0, A_FEW], ids=["a few", "many"])
async def test_an_entry_that_does_not_sum_to_zero_is_refused_with_all_others(
    journal: Journal, many: int
) -> None:
    lame = charge("lame")
    lame = replace(lame, lines=(lame.lines[0], replace(lame.lines[1], amount_minor=-9_999)))
    with pytest.raises(NotBooked, match="does not sum to zero in EUR: 1 is left") as refused:
        await journal.post(*(charge(str(number)) for number in range(many)), lame)
    assert refused.value.rule == "entry_sums_to_zero"
    assert await journal.balance("clearing") == 0


async def test_currencies_do_not_make_up_for_each_other(journal: Journal) -> None:
    lines = (
        NewLine("clearing", "EUR", 10_000, "charge"),
        NewLine("receivables", "USD", -10_000, "charge"),
    )
    with pytest.raises(NotBooked, match="does not sum to zero"):
        await journal.post(NewEntry("test/a", "payment", AT, lines))
    crossing = (
        *lines,
        NewLine("fx", "USD", 10_000, "charge"),
        NewLine("fx", "EUR", -10_000, "charge"),
    )
    assert await journal.post(NewEntry("test/a", "payment", AT, crossing)) == Posted(1, 0)


@pytest.mark.parametrize(
    ("line", "amounts"), [(3, [1]), (3, [1, -1]), (1, [1]), (1, [5, -5])], ids=str
)
async def test_no_line_is_added_to_an_entry_later_balanced_or_not(
    journal: Journal, line: int, amounts: list[int]
) -> None:
    await journal.post(charge("a"))
    with pytest.raises(DBAPIError):
        async with transaction(journal.engine) as connection:
            await connection.execute(
                text("""
                    INSERT INTO journal_lines (entry, line, journal_account, amount_minor, kind)
                    SELECT entry.id, :line + given.nth - 1, book.id, given.amount, 'charge'
                    FROM journal_entries entry,
                         unnest(CAST(:amounts AS bigint[])) WITH ORDINALITY AS given (amount, nth),
                         journal_accounts book
                    WHERE book.code = 'clearing'
                """),
                {"line": line, "amounts": amounts},
            )
    assert await journal.balance("clearing") == 10_000


async def test_an_entry_without_lines_is_refused(journal: Journal) -> None:
    with pytest.raises(DBAPIError, match="has no lines"):
        await journal.rows(
            "INSERT INTO journal_entries (account, request_key, kind, occurred_at, effective_on,"
            " period, derived, lines) VALUES (:account, 'test/a', 'payment', now(), '2026-01-31',"
            " '2026-01-01', false, 2)",
            account=journal.account,
        )


async def test_lines_on_accounts_of_somebody_else_are_refused(journal: Journal) -> None:
    other = Journal(journal.engine, await account_of(journal.engine, "other"))
    await other.post(charge("theirs"))
    sql = """
        WITH entry AS (
            INSERT INTO journal_entries (account, request_key, kind, occurred_at, effective_on,
                                         period, derived, lines)
            VALUES (:account, 'test/mine', 'payment', now(), '2026-01-31', '2026-01-01', false, 2)
            RETURNING id
        )
        INSERT INTO journal_lines (entry, line, journal_account, amount_minor, kind)
        SELECT entry.id, row_number() OVER (ORDER BY code),  book.id,
               CASE book.code WHEN 'clearing' THEN 1 ELSE -1 END, 'charge'
        FROM entry, journal_accounts book
    """
    with pytest.raises(DBAPIError, match="not all and only its own"):
        await journal.rows(sql, account=journal.account)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("journal_accounts", "code"),
        ("journal_entries", "effective_on"),
        ("journal_lines", "amount_minor"),
        ("journal_movements", "amount_minor"),
    ],
)
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"])
async def test_the_journal_is_append_only(
    journal: Journal, table: str, column: str, change: str
) -> None:
    await journal.post(charge("a"))
    with pytest.raises(DBAPIError, match=f"{table} is append-only"):
        await journal.rows(change.format(table, column))


async def test_two_that_book_under_one_key_at_once_book_it_once(journal: Journal) -> None:
    async with transaction(journal.engine) as connection:
        assert await post(connection, journal.account, [charge("a")]) == Posted(1, 0)
        second = asyncio.create_task(journal.post(charge("a")))
        await asyncio.sleep(0.2)
        assert not second.done(), "who comes second waits to know"
    assert await second == Posted(0, 1)
    assert await journal.balance("clearing") == 10_000


async def test_what_was_booked_wrongly_is_taken_back_by_an_entry_once(journal: Journal) -> None:
    await journal.post(charge("a"))
    async with transaction(journal.engine) as connection:
        done = await reverse(connection, journal.account, "test/back", of="test/a", at=AT)
    assert done == Posted(1, 0)
    assert await journal.balance("clearing") == 0
    with pytest.raises(NotBooked) as refused:
        async with transaction(journal.engine) as connection:
            await reverse(connection, journal.account, "test/again", of="test/a", at=AT)
    assert refused.value.rule == "journal_entries_reversed_once"
    with pytest.raises(LookupError):
        async with transaction(journal.engine) as connection:
            await reverse(connection, journal.account, "test/none", of="test/none", at=AT)


async def test_a_day_is_that_of_the_accounts_time_zone(journal: Journal) -> None:
    late = datetime(2026, 2, 1, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    await journal.post(charge("a", at=late))
    (entry,) = await journal.rows("SELECT effective_on, period FROM journal_entries")
    assert entry == {"effective_on": date(2026, 2, 1), "period": date(2026, 2, 1)}
