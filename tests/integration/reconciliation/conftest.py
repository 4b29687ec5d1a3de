"""An account to compare the books of."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import engine_for
from tests.integration.reconciliation.books import Books


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(database)
    yield engine
    await engine.dispose()


@pytest.fixture
async def books(engine: AsyncEngine) -> Books:
    return await Books(engine).open()
