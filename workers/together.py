"""Work done side by side, with the one error that matters."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def together(*works: Coroutine[Any, Any, object]) -> None:
    """Do all `works` at once. The first to fail cancels the others, and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except ExceptionGroup as failures:
        # Nobody can do more with a group than with the error that came first.
        raise failures.exceptions[0] from None
