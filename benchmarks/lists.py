"""Lists of the Stripe simulator, among so many objects as reconciliation will meet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.stack import Stack

_PAGE = 100
_DEPTHS = (0.0, 0.25, 0.5, 0.75)
"""Where walkers begin, as parts of the list; each goes on to older objects."""


@dataclass(frozen=True)
class Walk:
    """Pages read: how many a second, and how many in a second of the simulator's processor."""

    per_second: float
    per_processor_second: float


@dataclass(frozen=True)
class Kind:
    """A kind of object: how its list is asked for, filled, and how far apart objects were made."""

    name: str
    url: str
    control: str
    order: Callable[[int], object]
    seconds_apart: Callable[[int], float]


_DAYS = 30
CUSTOMERS = Kind(
    "customers",
    "/v1/customers",
    "/_simulator/seed",
    order=lambda number: {"customers": number},
    seconds_apart=lambda _: 1,
)
TRANSACTIONS = Kind(
    "balance transactions",
    "/v1/balance_transactions",
    "/_simulator/world",
    order=lambda number: {"shape": {"payments": number, "days": _DAYS}},
    seconds_apart=lambda number: _DAYS * 86_400 / number,
)


async def seed(stack: Stack, kind: Kind, number: int) -> float:
    """Put so many objects there; the answer is how many a second were made."""
    begun = time.perf_counter()
    async with _stripe(stack) as stripe:
        answer = await stripe.post(kind.control, json=kind.order(number))
        answer.raise_for_status()
    return number / (time.perf_counter() - begun)


async def walk(stack: Stack, kind: Kind, *, listed: int, pages: int, turn: int) -> Walk:
    """Read pages of 100 objects, by walkers far apart; each `turn` begins somewhere else."""
    each = pages // len(_DEPTHS)
    ahead = turn * each * _PAGE
    async with _stripe(stack) as stripe:
        newest = (await _page(stripe, kind, {}))["data"][0]["created"]
        apart = kind.seconds_apart(listed)
        begin = [newest - int((int(depth * listed) + ahead) % listed * apart) for depth in _DEPTHS]
        before, begun = stack.cpu()["simulators"], time.perf_counter()
        await asyncio.gather(*(_walk(stripe, kind, at, each) for at in begin))
        took, used = time.perf_counter() - begun, stack.cpu()["simulators"] - before
    return Walk(pages / took, pages / used)


async def _walk(stripe: httpx.AsyncClient, kind: Kind, created: int, pages: int) -> None:
    """Read on from objects made at `created`; after the last page from the first again."""
    older = {"created[lte]": str(created)}
    after: dict[str, str] = {}
    for _ in range(pages):
        page = await _page(stripe, kind, {**older, **after})
        if page["has_more"]:
            after = {"starting_after": page["data"][-1]["id"]}
        else:
            older, after = {}, {}


async def _page(stripe: httpx.AsyncClient, kind: Kind, which: dict[str, str]) -> Any:
    answer = await stripe.get(kind.url, params={"limit": str(_PAGE), **which})
    return answer.raise_for_status().json()


@asynccontextmanager
async def _stripe(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=stack.settings.stripe_api_base or "",
        headers={"Authorization": f"Bearer {stack.settings.secret('stripe_api_key')}"},
        timeout=300,
    ) as stripe:
        yield stripe
