"""Bring the database's tables to what this release needs."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config


def configuration(url: str) -> Config:
    """Alembic's configuration: our migrations on the database at `url`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url
    return config


async def upgrade(url: str) -> None:
    """Apply the migrations that are missing. Several at once take turns."""
    await asyncio.to_thread(command.upgrade, configuration(url), "head")
