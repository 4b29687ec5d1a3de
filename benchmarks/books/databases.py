"""A Postgres of the benchmark's own, and a database with our tables for each measured run."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from database.migrate import upgrade
from workers import settings as setting
from workers.ports import free_port
from workers.postgres import Postgres

_TEMPLATE = "empty"


@dataclass(frozen=True)
class Databases:
    """Makes databases; `server` is the URL of the server without a database's name."""

    server: str

    @contextlib.asynccontextmanager
    async def fresh(self) -> AsyncIterator[str]:
        """The URL of a database with our tables and nothing in them; it is gone afterwards."""
        name = f"books_{secrets.token_hex(6)}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        try:
            yield f"{self.server}/{name}"
        finally:
            await self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(f"{self.server}/postgres")
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Databases]:
    """Start it in a temporary folder, quick rather than crash-safe. Raises Obstacle."""
    with tempfile.TemporaryDirectory(prefix="perdure-bench-") as folder:
        password = secrets.token_hex(16)
        postgres = Postgres(Path(folder) / "postgres", free_port(), password, durable=False)
        own = setting.load().model_copy(
            update={
                "database_host": "127.0.0.1",
                "database_port": postgres.port,
                "database_user": "perdure",
                "database_password": SecretStr(password),
                "database_name": _TEMPLATE,
                "database_tls": "none",
            }
        )
        try:
            await postgres.start()
            await postgres.make_database(_TEMPLATE)
            await upgrade(own.database_url)
            yield Databases(own.database_url.rpartition("/")[0])
        finally:
            await postgres.erase()
