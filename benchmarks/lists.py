"""Lists of the Stripe simulator, among so many objects as reconciliation will meet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from benchmarks.stack import Stack

_WALKERS = 4
_PAGE = 100


@dataclass(frozen=True)
class Walk:
    """Pages read: how many a second, and how many in a second of the simulator's processor."""

    per_second: float
    per_processor_second: float


async def seed(stack: Stack, customers: int) -> float:
    """Put customers there; the answer is how many a second were made."""
    begun = time.perf_counter()
    async with _stripe(stack) as stripe:
        answer = await stripe.post("/_simulator/seed", json={"customers": customers})
        answer.raise_for_status()
    return customers / (time.perf_counter() - begun)


async def walk(stack: Stack, pages: int) -> Walk:
    """Read pages of 100 customers, by several who walk on from where one of them was."""
    async with _stripe(stack) as stripe:
        before, begun = stack.cpu()["simulators"], time.perf_counter()
        await asyncio.gather(*(_walk(stripe, pages // _WALKERS) for _ in range(_WALKERS)))
        took, used = time.perf_counter() - begun, stack.cpu()["simulators"] - before
    return Walk(pages / took, pages / used)


async def _walk(stripe: httpx.AsyncClient, pages: int) -> None:
    after: dict[str, str] = {}
    for _ in range(pages):
        answer = await stripe.get("/v1/customers", params={"limit": str(_PAGE), **after})
        customers = answer.raise_for_status().json()
        after = {"starting_after": customers["data"][-1]["id"]} if customers["has_more"] else {}


@asynccontextmanager
async def _stripe(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=stack.settings.stripe_api_base or "",
        headers={"Authorization": f"Bearer {stack.settings.secret('stripe_api_key')}"},
        timeout=300,
    ) as stripe:
        yield stripe
