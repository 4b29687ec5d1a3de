"""Ctrl-C, SIGTERM and a closed terminal: requests to end, taken in one place."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

_REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Result = TypeVar("Result")


@contextlib.contextmanager
def stop_requested() -> Iterator[asyncio.Event]:
    """An event that is set when somebody asks this process to end; it then ends in its own time."""
    requested = asyncio.Event()
    loop = asyncio.get_running_loop()
    for request in _REQUESTS:
        loop.add_signal_handler(request, requested.set)
    try:
        yield requested
    finally:
        for request in _REQUESTS:
            loop.remove_signal_handler(request)


async def unless(requested: asyncio.Event, work: Coroutine[Any, Any, Result]) -> Result | None:
    """The result of `work`, or None where somebody asks to end first; it is then cancelled."""
    working = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(requested.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        return None
    finally:
        waiting.cancel()
        working.cancel()
        await asyncio.gather(working, waiting, return_exceptions=True)
