"""A database of one's own beside a Temporal: for work of which nothing is to stay.

Where the stack of this clone runs, its servers are used. Otherwise a Postgres and a Temporal are
started in a temporary folder, quick rather than crash-safe, and are gone afterwards.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import text
from temporalio.client import Client

from database.connection import engine_for, statement
from database.migrate import upgrade
from workers import stack_status
from workers.converter import CONVERTER
from workers.ports import free_port
from workers.postgres import Postgres
from workers.settings import Settings
from workers.temporal_client import connect, runtime
from workers.temporal_server import TemporalServer
from workers.together import together
from workflows import search_attributes


@dataclass(frozen=True)
class Throwaway:
    """A database with our tables and nothing in them, and a way to Temporal."""

    settings: Settings
    client: Client


@asynccontextmanager
async def throwaway_database(
    settings: Settings, announce: Callable[[str], None]
) -> AsyncIterator[Throwaway]:
    """A database, and a Temporal beside it, while somebody needs them.

    `announce` is told, in a sentence, what happens. Raises Obstacle.
    """
    if stack_status.of(settings.home).complete:
        announce("on the stack that runs here")
        async with _database_beside(settings) as beside:
            yield Throwaway(beside, await connect(settings))
        return
    announce("starting a Postgres and a Temporal for this alone")
    with tempfile.TemporaryDirectory(prefix="perdure-files-") as folder:
        async with _servers(settings, Path(folder)) as own:
            # Not by the environment's word: what is compared here is not for somebody's cluster.
            client = await Client.connect(
                own.temporal_address, data_converter=CONVERTER, runtime=runtime()
            )
            yield Throwaway(own, client)


@asynccontextmanager
async def _database_beside(settings: Settings) -> AsyncIterator[Settings]:
    name = f"throwaway_{secrets.token_hex(6)}"
    maintenance = settings.database_url
    await _execute(maintenance, f'CREATE DATABASE "{name}"')
    try:
        beside = settings.model_copy(update={"database_name": name})
        await upgrade(beside.database_url)
        yield beside
    finally:
        await asyncio.shield(_execute(maintenance, f'DROP DATABASE "{name}" WITH (FORCE)'))


@asynccontextmanager
async def _servers(settings: Settings, folder: Path) -> AsyncIterator[Settings]:
    password = secrets.token_hex(16)
    postgres = Postgres(folder / "postgres", free_port(), password, durable=False)
    temporal = TemporalServer(
        folder / "temporal", free_port(), free_port(), search_attributes=search_attributes.ALL
    )
    own = settings.model_copy(
        update={
            "home": folder,
            "database_host": "127.0.0.1",
            "database_port": postgres.port,
            "database_user": "perdure",
            "database_password": SecretStr(password),
            "database_name": "throwaway",
            "database_tls": "none",
            "temporal_address": temporal.address,
            "temporal_namespace": "default",
        }
    )

    async def prepare_database() -> None:
        await postgres.start()
        await postgres.make_database(own.database_name)
        await upgrade(own.database_url)

    try:
        await together(prepare_database(), temporal.start())
        yield own
    finally:
        await temporal.stop()
        await postgres.erase()


async def _execute(url: str, sql: str) -> None:
    engine = engine_for(url, application="perdure-bench", size=1)
    try:
        async with statement(engine) as connection:
            await connection.execute(text(sql))
    finally:
        await engine.dispose()
