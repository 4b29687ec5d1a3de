"""Bring the database's tables to what this release needs."""

import asyncio
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
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


async def may_run(connection: AsyncConnection) -> bool:
    """Whether the database has the migrations of this release, or of a later one that says that
    this one goes on with its tables."""
    applied = await connection.run_sync(_applied)
    if applied is None:
        return False
    if applied == _ours():
        return True
    said = str(await connection.scalar(text(_SAID)) or "").split()
    # What another hand wrote into Alembic's table since then, nobody has said anything about.
    return said[:2] == [applied, _SERVES] and _ours() in said[2:]


def say_who_may_run(connection: Connection, scripts: ScriptDirectory) -> None:
    """Note in the database which releases may run on it, by the last migration of each.

    A release cannot know what later ones change. So they say it, as the comment of Alembic's own
    table: it is there in every database, and changes with the migrations or not at all.
    """
    if applied := _applied(connection):
        said = " ".join([applied, _SERVES, *served(scripts, applied)])
        connection.execute(text(f"COMMENT ON TABLE alembic_version IS '{said}'"))


def served(scripts: ScriptDirectory, revision: str) -> list[str]:
    """Whose tables those of `revision` are, too: revisions, back to the last that older code does
    not bear. One that does not say `older_releases_run` is not borne."""
    found = []
    for script in scripts.iterate_revisions(revision, "base"):
        found.append(script.revision)
        if not getattr(script.module, "older_releases_run", False):
            break
    return found


_SERVES = "serves"
_SAID = "SELECT obj_description('alembic_version'::regclass, 'pg_class')"


def _applied(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


@cache
def _ours() -> str | None:
    return ScriptDirectory.from_config(configuration("")).get_current_head()
