"""Bring the database's tables to what this release needs."""

import asyncio
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection


def configuration(url: str) -> Config:
    """Alembic's configuration: our migrations on the database at `url`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url
    return config


async def upgrade(url: str) -> None:
    """Apply the migrations that are missing. Several at once take turns."""
    await asyncio.to_thread(command.upgrade, configuration(url), "head")


async def is_current(connection: AsyncConnection) -> bool:
    """Whether the database has all migrations of this release, and none of a later one."""

    def applied(plain: Connection) -> set[str]:
        return set(MigrationContext.configure(plain).get_current_heads())

    return await connection.run_sync(applied) == _heads()


@cache
def _heads() -> set[str]:
    return set(ScriptDirectory.from_config(configuration("")).get_heads())
