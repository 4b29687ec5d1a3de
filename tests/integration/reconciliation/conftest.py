"""An account with three books, in a database of its own."""

from collections.abc import AsyncIterator

import pytest

from database.connection import engine_for
from tests.integration.reconciliation.books import Books


@pytest.fixture
async def books(database: str) -> AsyncIterator[Books]:
    engine = engine_for(database)
    yield await Books.made(engine)
    await engine.dispose()
