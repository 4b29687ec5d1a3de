"""The activities of a worker of ours, to be run by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from database.connection import engine_for
from tests.faults.intents import Bench
from tests.faults.ledger import Ledger
from tests.house import House
from workers import onboarding as worker
from workflows.step import declaration_of


@pytest.fixture
async def bench(house: House) -> AsyncIterator[Bench]:
    # Nobody tries again here: what is slow must not be taken for an outage as soon as in demos.
    settings = house.settings.model_copy(update={"policy": "production"})
    async with worker.activities(settings, house.client) as registered:
        yield Bench(house, {declaration_of(act).name: act for act in registered})


@pytest.fixture
async def ledger(database: str) -> AsyncIterator[Ledger]:
    engine = engine_for(database)
    yield Ledger(engine)
    await engine.dispose()
