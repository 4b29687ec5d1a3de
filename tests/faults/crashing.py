"""A process that dies at a chosen moment, and time that passes in the request ledger."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from connectors.errors import Unanswered
from database import connection as opening
from database.claims import InProgress
from database.connection import statement, transaction
from tests.house import House

WATCHED = ("activities.", "database.")
"""The rooms in which every commit is a moment to die at."""


class Died(BaseException):
    """What no code of ours may catch: the process is gone."""


@contextmanager
def dying(
    monkeypatch: pytest.MonkeyPatch, *, commit: int, before: bool
) -> Iterator[Callable[[], bool]]:
    """Die just before, or just after, the given commit. Tells whether it came to that.

    A statement that commits by itself has no moment between the two: before it is before both.
    """
    seen = 0
    died = False

    @asynccontextmanager
    async def watched(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        nonlocal seen, died
        seen += 1
        this = seen
        async with transaction(engine) as connection:
            yield connection
            if this == commit and before:
                died = True
                raise Died
        if this == commit and not before:
            died = True
            raise Died

    @asynccontextmanager
    async def watched_statement(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        nonlocal seen, died
        seen += 1
        this = seen
        if this == commit and before:
            died = True
            raise Died
        async with statement(engine) as connection:
            yield connection
        if this == commit and not before:
            died = True
            raise Died

    with monkeypatch.context() as patch:
        for module in [one for name, one in sys.modules.items() if name.startswith(WATCHED)]:
            if module is opening:
                continue
            if getattr(module, "transaction", None) is transaction:
                patch.setattr(module, "transaction", watched)
            if getattr(module, "statement", None) is statement:
                patch.setattr(module, "statement", watched_statement)
        yield lambda: died


async def until_done(house: House, attempt: Callable[[], Awaitable[Any]]) -> Any:
    """Try as Temporal does, with leases and pauses that run out at once."""
    for _ in range(20):
        try:
            return await attempt()
        except (InProgress, Unanswered):
            await house.rows("UPDATE requests SET lease_until = clock_timestamp()")
    raise AssertionError("it never got done")
