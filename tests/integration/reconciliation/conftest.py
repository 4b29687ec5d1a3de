"""An account to gather for, and a Stripe account that it is paid into."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.stripe.api import StripeApi
from database.connection import engine_for, transaction
from database.journal import openings
from database.reconciliation import accounts
from database.reconciliation.accounts import Account
from tests.integration.reconciliation.books import Books
from tests.integration.reconciliation.three_books import ThreeBooks
from tests.postgres import rows
from tests.simulated import SimulatorHandle
from workflows.reconciliation.opening import Opening, OpeningBalance


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(database)
    yield engine
    await engine.dispose()


@pytest.fixture
async def api(world: SimulatorHandle) -> AsyncIterator[StripeApi]:
    stripe = StripeApi(world.api_key, base_url=world.stripe_url, timeout=30)
    yield stripe
    await stripe.close()


@pytest.fixture
async def books(engine: AsyncEngine) -> Books:
    """An account whose books are compared as they are in production."""
    return await Books(engine).open()


@pytest.fixture
async def acme(engine: AsyncEngine) -> ThreeBooks:
    """An account whose books are compared as plainly as can be."""
    return await ThreeBooks.made(engine)


async def no_pace() -> None:
    """As fast as it goes."""


async def new_account(
    engine: AsyncEngine,
    name: str = "acme",
    *,
    opened: datetime,
    live: bool = True,
    processor: str = "listing",
    bank_account: str = "DE00EXAMPLE",
) -> Account:
    """An account with a bank account in euro; it begins with nothing, and is `live`."""
    asked = Account(0, name, "acme", "Europe/Berlin", opened.date(), processor, "ours", ())
    async with transaction(engine) as connection:
        made = await accounts.make(connection, asked)
        await accounts.add_bank_account(connection, made, bank_account, "EUR", "TARGET")
        account = await accounts.of_name(connection, name)
    if live:
        nothing = OpeningBalance(book="in_transit", currency="EUR", amount_minor=0)
        await go_live(engine, account, nothing)
    return account


async def go_live(engine: AsyncEngine, account: Account, *balances: OpeningBalance) -> None:
    """Two people agree on what an account begins with."""
    opening = Opening(opened_on=account.opened_on, balances=balances)
    async with transaction(engine) as connection:
        row = await openings.propose(connection, account, opening, by="one", reason="Go-live.")
        await openings.decide(
            connection, account, row["id"], "approved", by="another", reason="As told."
        )


class _Intent(BaseModel):
    latest_charge: str


@dataclass
class Shop:
    """An account, and customers who pay into it."""

    engine: AsyncEngine
    account: Account
    api: StripeApi
    world: SimulatorHandle

    async def sell(self, amount: int = 10_000, currency: str = "eur") -> str:
        """A payment by card; its charge."""
        made = await self.api.post_again(
            "/v1/payment_intents",
            _Intent,
            amount=amount,
            currency=currency,
            confirm=True,
            payment_method="pm_card_visa",
        )
        return made.latest_charge

    async def now(self) -> datetime:
        """Stripe's time, in whole seconds, all that was so far before it."""
        now = await self.world.advance(timedelta(seconds=2))
        return now.replace(microsecond=0)

    async def items(self) -> list[tuple[str, str, int]]:
        """Kind, component and amount of the items that count, as they happened."""
        found = await self.rows("""
            SELECT kind, component, amount_minor FROM items i
            WHERE version = (SELECT max(version) FROM items
                             WHERE account = i.account AND source_id = i.source_id)
            ORDER BY occurred_at, source_id, component DESC
        """)
        return [(row["kind"], row["component"], row["amount_minor"]) for row in found]

    async def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        return await rows(self.engine, sql, **values)


@pytest.fixture
async def shop(engine: AsyncEngine, api: StripeApi, world: SimulatorHandle) -> Shop:
    opened = (await world.now()).astimezone(UTC)
    return Shop(engine, await new_account(engine, opened=opened), api, world)
