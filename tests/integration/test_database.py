"""What our database itself holds to."""

from __future__ import annotations

import asyncio
import sys

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from database.audit import record
from database.connection import DatabaseDown, engine_for, transaction
from database.migrate import configuration, upgrade


async def test_models_and_migrations_agree(database: str) -> None:
    await asyncio.to_thread(command.check, configuration(database))


async def test_migrations_go_down_and_up_again(empty_database: str) -> None:
    await upgrade(empty_database)
    await asyncio.to_thread(command.downgrade, configuration(empty_database), "base")
    await upgrade(empty_database)
    await asyncio.to_thread(command.check, configuration(empty_database))


async def test_several_that_migrate_at_once_take_turns(empty_database: str) -> None:
    program = (
        "import asyncio; from database.migrate import upgrade;"
        f" asyncio.run(upgrade({empty_database!r}))"
    )
    migrating = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program) for _ in range(3)
    ]
    assert [await one.wait() for one in migrating] == [0, 0, 0]


@pytest.mark.parametrize(
    "change", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit"]
)
async def test_the_audit_trail_is_append_only(database: str, change: str) -> None:
    engine = engine_for(database)
    async with transaction(engine) as connection:
        await record(connection, "something", "somebody", details={})
    with pytest.raises(DBAPIError, match="append-only"):
        async with transaction(engine) as connection:
            await connection.execute(text(change))
    await engine.dispose()


async def test_errors_do_not_show_what_was_stored(database: str) -> None:
    """Errors end up in logs, and what is stored is personal data."""
    engine = engine_for(database)
    with pytest.raises(DBAPIError) as failed:
        async with transaction(engine) as connection:
            await connection.execute(
                text("INSERT INTO applications (id, form) VALUES ('a', CAST(:form AS jsonb))"),
                {"form": '{"name": "Canary Q. Applicant"}'},
            )
    assert "Canary" not in str(failed.value).replace("DETAIL", "")
    await engine.dispose()


async def test_a_server_that_is_not_there_is_our_outage() -> None:
    engine = engine_for("postgresql://perdure:none@127.0.0.1:1/nowhere")
    with pytest.raises(DatabaseDown):
        async with transaction(engine):
            pass
    await engine.dispose()
