"""A real Postgres for tests: one server for the session, an empty database for each test."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from database.migrate import upgrade
from workers.ports import free_port
from workers.postgres import Postgres


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


@pytest.fixture(scope="session")
async def postgres_server() -> AsyncIterator[Postgres]:
    """The server that all tests of the session share."""
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
    name = "migrated_template"
    await postgres_server.make_database(name)
    await upgrade(postgres_server.dsn_of(name))
    return name


@pytest.fixture
async def database(postgres_server: Postgres, migrated_template: str) -> AsyncIterator[str]:
    """The address of a fresh database with our tables."""
    async with fresh_database(postgres_server, migrated_template) as dsn:
        yield dsn
