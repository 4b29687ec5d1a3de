"""A real Postgres for tests: one server for the session, an empty database for each test."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from database.connection import transaction
from database.migrate import upgrade
from workers.ports import free_port
from workers.postgres import Postgres

TEMPLATE = "migrated_template"
OUTLIVES_SESSIONS = "TESTS_POSTGRES"
"""Names a server for those who run one session after another: `folder port password`."""


@asynccontextmanager
async def running_postgres(folder: Path) -> AsyncIterator[Postgres]:
    """A server of its own below `folder`, quick rather than crash-safe, and gone afterwards."""
    server = Postgres(folder / "postgres", free_port(), secrets.token_hex(8), durable=False)
    try:
        await server.start()
        yield server
    finally:
        await server.erase()


@asynccontextmanager
async def fresh_database(server: Postgres, template: str = "template1") -> AsyncIterator[str]:
    """The address of a new database, a copy of `template`; dropped afterwards."""
    name = f"test_{secrets.token_hex(6)}"
    await server.make_database(name, template=template)
    try:
        yield server.dsn_of(name)
    finally:
        connection = await asyncpg.connect(server.dsn)
        try:
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        finally:
            await connection.close()


@asynccontextmanager
async def for_many_sessions(folder: Path) -> AsyncIterator[dict[str, str]]:
    """A server that outlives sessions, our tables made already; the environment that names it."""
    async with running_postgres(folder) as server:
        await server.make_database(TEMPLATE)
        await upgrade(server.dsn_of(TEMPLATE))
        yield {OUTLIVES_SESSIONS: f"{folder} {server.port} {urlsplit(server.dsn).password}"}


async def rows(engine: AsyncEngine, sql: str, **values: Any) -> list[dict[str, Any]]:
    """What a statement answers. Any: a value is of its column's type."""
    async with transaction(engine) as connection:
        found = await connection.execute(text(sql), values)
        return [dict(row) for row in found.mappings()] if found.returns_rows else []


@pytest.fixture(scope="session")
async def postgres_server() -> AsyncIterator[Postgres]:
    """The server that all tests of the session share."""
    if named := os.environ.get(OUTLIVES_SESSIONS):
        folder, port, password = named.split()
        yield Postgres(Path(folder) / "postgres", int(port), password)
        return
    with tempfile.TemporaryDirectory(prefix="perdure-tests-") as folder:
        async with running_postgres(Path(folder)) as server:
            yield server


@pytest.fixture
async def empty_database(postgres_server: Postgres) -> AsyncIterator[str]:
    """The address of a database without tables."""
    async with fresh_database(postgres_server) as dsn:
        yield dsn


@pytest.fixture(scope="session")
async def migrated_template(postgres_server: Postgres) -> str:
    """The name of a database with our tables, to copy from; nobody connects to it."""
    if OUTLIVES_SESSIONS not in os.environ:
        await postgres_server.make_database(TEMPLATE)
        await upgrade(postgres_server.dsn_of(TEMPLATE))
    return TEMPLATE


@pytest.fixture
async def database(postgres_server: Postgres, migrated_template: str) -> AsyncIterator[str]:
    """The address of a fresh database with our tables."""
    async with fresh_database(postgres_server, migrated_template) as dsn:
        yield dsn
