"""The time of the simulators, on a laptop: it is moved ahead, and days are over by it."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import structlog

from gateway.options import Now, our_time

_SECONDS = 2.0

_log = structlog.get_logger(__name__)


def time_at(clock: str | None) -> Now:
    """The time that a simulator's clock tells; ours without one, or where it does not answer."""
    if clock is None:
        return our_time

    async def now() -> datetime:
        try:
            async with httpx.AsyncClient(timeout=_SECONDS) as http:
                told = (await http.get(clock)).raise_for_status().json()
        except httpx.HTTPError as error:
            _log.warning("simulators.no_time", error=type(error).__name__)
            return await our_time()
        return datetime.fromtimestamp(float(told["now"]), UTC)

    return now
