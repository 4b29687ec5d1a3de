"""An account with a journal, and entries for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import engine_for, transaction
from database.journal.balances import Seal, seal
from database.journal.book import Posted, post
from database.journal.entry import NewEntry, NewLine
from tests.postgres import rows

AT = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


class Journal:
    """The journal of one account, as a test uses it."""

    def __init__(self, engine: AsyncEngine, account: int) -> None:
        self.engine = engine
        self.account = account

    async def post(self, *entries: NewEntry) -> Posted:
        async with transaction(self.engine) as connection:
            return await post(connection, self.account, entries)

    async def seal(self) -> Seal:
        async with transaction(self.engine) as connection:
            return await seal(connection, self.account)

    async def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        return await rows(self.engine, sql, **values)

    async def balance(self, code: str, currency: str = "EUR") -> int:
        """What its lines say."""
        found = await self.rows(
            "SELECT coalesce(sum(amount_minor), 0) AS balance FROM journal_lines line"
            " JOIN journal_accounts book ON book.id = line.journal_account"
            " WHERE account = :account AND code = :code AND currency = :currency",
            account=self.account,
            code=code,
            currency=currency,
        )
        return int(found[0]["balance"])


def charge(key: str, amount: int = 10_000, *, at: datetime = AT, currency: str = "EUR") -> NewEntry:
    """A sale: the processor has it now, and the customer owes it no more."""
    lines = [
        NewLine("clearing", currency, amount, "charge", key, f"ch_{key}"),
        NewLine("receivables", currency, -amount, "charge", key, f"ch_{key}"),
    ]
    return NewEntry(f"test/{key}", "payment", at, lines)


async def account_of(engine: AsyncEngine, name: str = "acme", **given: Any) -> int:
    """A reconciliation account; the answer is its id."""
    told = {
        "name": name,
        "tenant": "acme",
        "time_zone": "Europe/Berlin",
        "opened_on": date(2026, 1, 1),
        "processor": "files",
        "journal": "ours",
        "posts": [],
        **given,
    }
    async with transaction(engine) as connection:
        number = await connection.scalar(
            text(
                f"INSERT INTO reconciliation_accounts ({', '.join(told)})"
                f" VALUES ({', '.join(f':{name}' for name in told)}) RETURNING id"
            ),
            told,
        )
    return int(number)


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(database)
    yield engine
    await engine.dispose()


@pytest.fixture
async def journal(engine: AsyncEngine) -> Journal:
    return Journal(engine, await account_of(engine))
