"""The baseline of the webhooks: `python -m benchmarks.bare_route`.

A Starlette route that writes what arrives into the inbox, many requests in one statement, and does
nothing else: no signature is checked, nothing is bounded, logged or handed over.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workers import settings as setting

_INSERT = """
    INSERT INTO inbox (source, event_id, type, object_id, workflow_id, happened_at)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
                         $6::timestamptz[])
    ON CONFLICT (source, event_id) DO NOTHING
"""
Arrival = tuple[tuple[Any, ...], asyncio.Future[None]]


class Batches:
    """Writes what has arrived while the last batch was written."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._arrivals: list[Arrival] = []
        self._arrived = asyncio.Event()

    async def add(self, row: tuple[Any, ...]) -> None:
        """Returns once the row is committed."""
        kept = asyncio.get_running_loop().create_future()
        self._arrivals.append((row, kept))
        self._arrived.set()
        await kept

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            batch, self._arrivals = self._arrivals, []
            columns = zip(*(row for row, _ in batch), strict=True)
            await self._pool.execute(_INSERT, *map(list, columns))
            for _, kept in batch:
                kept.set_result(None)


async def take(request: Request) -> Response:
    """Take one event in."""
    event = json.loads(await request.body())
    subject = event["data"]["object"]
    process = subject.get("metadata", {}).get("workflow_id")
    at = datetime.fromtimestamp(event["created"], UTC)
    row = ("stripe", event["id"], event["type"], subject["id"], process, at)
    await request.app.state.batches.add(row)
    return Response(status_code=204)


@contextlib.asynccontextmanager
async def life(app: Starlette) -> AsyncIterator[None]:
    """Connected while it serves."""
    async with asyncpg.create_pool(setting.load().database_url) as pool:
        app.state.batches = Batches(pool)
        writing = asyncio.create_task(app.state.batches.run())
        yield
        writing.cancel()


def main() -> None:
    """Serve at the port that the settings give the gateway."""
    app = Starlette(routes=[Route("/webhooks/stripe", take, methods=["POST"])], lifespan=life)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=setting.load().gateway_port,
            log_config=None,
            access_log=False,
            server_header=False,
        )
    )
    uvloop.run(server.serve())


if __name__ == "__main__":
    main()
