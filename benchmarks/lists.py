"""Lists of the Stripe simulator, among so many objects as reconciliation will meet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.stack import Stack

_PAGE = 100
_DEPTHS = (0.0, 0.25, 0.5, 0.75)
"""Where walkers begin, as parts of the list; each goes on to older customers."""


@dataclass(frozen=True)
class Walk:
    """Pages read: how many a second, and how many in a second of the simulator's processor."""

    per_second: float
    per_processor_second: float


async def seed(stack: Stack, customers: int) -> float:
    """Put customers there, one second apart; the answer is how many a second were made."""
    begun = time.perf_counter()
    async with _stripe(stack) as stripe:
        answer = await stripe.post("/_simulator/seed", json={"customers": customers})
        answer.raise_for_status()
    return customers / (time.perf_counter() - begun)


async def walk(stack: Stack, *, listed: int, pages: int, turn: int) -> Walk:
    """Read pages of 100 customers, by walkers far apart; each `turn` begins somewhere else."""
    each = pages // len(_DEPTHS)
    ahead = turn * each * _PAGE
    async with _stripe(stack) as stripe:
        newest = (await _page(stripe, {}))["data"][0]["created"]
        begin = [newest - (int(depth * listed) + ahead) % listed for depth in _DEPTHS]
        before, begun = stack.cpu()["simulators"], time.perf_counter()
        await asyncio.gather(*(_walk(stripe, at, each) for at in begin))
        took, used = time.perf_counter() - begun, stack.cpu()["simulators"] - before
    return Walk(pages / took, pages / used)


async def _walk(stripe: httpx.AsyncClient, created: int, pages: int) -> None:
    """Read on from customers made at `created`; after the last page from the first again."""
    older = {"created[lte]": str(created)}
    after: dict[str, str] = {}
    for _ in range(pages):
        customers = await _page(stripe, {**older, **after})
        if customers["has_more"]:
            after = {"starting_after": customers["data"][-1]["id"]}
        else:
            older, after = {}, {}


async def _page(stripe: httpx.AsyncClient, which: dict[str, str]) -> Any:
    answer = await stripe.get("/v1/customers", params={"limit": str(_PAGE), **which})
    return answer.raise_for_status().json()


@asynccontextmanager
async def _stripe(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=stack.settings.stripe_api_base or "",
        headers={"Authorization": f"Bearer {stack.settings.secret('stripe_api_key')}"},
        timeout=300,
    ) as stripe:
        yield stripe
