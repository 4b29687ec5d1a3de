"""How Alembic reaches our database: asynchronously, one migration run at a time."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from database import (  # noqa: F401 - fills the metadata
    book_tables,
    check_tables,
    journal_tables,
    run_tables,
    source_tables,
    tables,
)
from database.connection import engine_for, transaction
from database.migrate import say_who_may_run

_ONE_AT_A_TIME = 7_420_161_106


def _migrate(connection: Connection) -> None:
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_ONE_AT_A_TIME})"))
    context.configure(
        connection=connection, target_metadata=SQLModel.metadata, compare_server_default=True
    )
    with context.begin_transaction():
        context.run_migrations()
        say_who_may_run(connection, context.script)


async def _run() -> None:
    engine = engine_for(context.config.attributes["url"], application="perdure-migrate", size=1)
    try:
        async with transaction(engine) as connection:
            await connection.run_sync(_migrate)
    finally:
        await engine.dispose()


asyncio.run(_run())
