"""What our database itself holds to."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from database.audit import record
from database.connection import DatabaseDown, engine_for, statement, transaction
from database.migrate import configuration, upgrade
from database.prepared import Prepared
from tests.postgres import running_postgres


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


async def test_what_a_transaction_did_goes_with_it_whichever_way_it_was_asked(
    database: str,
) -> None:
    engine = engine_for(database)
    insert = "INSERT INTO watermarks (name, at) VALUES (:name, now())"

    async def fail_in_the_end() -> None:
        async with transaction(engine) as connection:
            await Prepared(insert).row(connection, {"name": "a"})
            await connection.execute(text(insert), {"name": "b"})
            raise KeyError

    with pytest.raises(KeyError):
        await fail_in_the_end()
    async with statement(engine) as connection:
        assert await connection.scalar(text("SELECT count(*) FROM watermarks")) == 0
    await engine.dispose()


async def test_who_is_cancelled_leaves_nothing_to_the_next(database: str) -> None:
    """Neither an open transaction nor an answer that is still to come."""
    engine = engine_for(database, size=1)

    async def slow() -> None:
        async with transaction(engine) as connection:
            await Prepared("SELECT pg_sleep(:seconds)").row(connection, {"seconds": 30})

    asked = asyncio.create_task(slow())
    await asyncio.sleep(0.2)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    async with transaction(engine) as connection:
        assert await Prepared("SELECT 1").value(connection, {}) == 1
    await engine.dispose()


async def by_the_driver(connection: AsyncConnection) -> None:
    await Prepared("SELECT 1").row(connection, {})


async def by_sqlalchemy(connection: AsyncConnection) -> None:
    await connection.execute(text("SELECT 1"))


@pytest.mark.parametrize("ask", [by_the_driver, by_sqlalchemy])
async def test_a_server_that_ends_our_session_is_our_outage(
    database: str, ask: Callable[[AsyncConnection], Awaitable[None]]
) -> None:
    ours, other = engine_for(database), engine_for(database)
    terminate = text("SELECT pg_terminate_backend(:session)")

    async def go_on_after_the_end() -> None:
        async with transaction(ours) as connection:
            session = await connection.scalar(text("SELECT pg_backend_pid()"))
            async with statement(other) as killer:
                assert await killer.scalar(terminate, {"session": session})
            await ask(connection)

    with pytest.raises(DatabaseDown):
        await go_on_after_the_end()
    async with statement(ours) as connection:
        assert await connection.scalar(text("SELECT 1")) == 1, "the next one gets a new session"
    await ours.dispose()
    await other.dispose()


async def test_a_server_that_has_no_session_left_is_our_outage(database: str) -> None:
    engine = engine_for(database)
    async with statement(engine) as connection:
        await connection.execute(text("CREATE ROLE crowded LOGIN PASSWORD 'x' CONNECTION LIMIT 0"))
    crowded = engine_for(re.sub("//.*@", "//crowded:x@", database))
    try:
        with pytest.raises(DatabaseDown):
            async with transaction(crowded):
                pass
    finally:
        async with statement(engine) as connection:
            await connection.execute(text("DROP ROLE crowded"))
        await crowded.dispose()
        await engine.dispose()


async def test_a_server_that_starts_or_stops_is_our_outage(tmp_path: Path) -> None:
    """From the moment it is asked to end until it takes sessions again, and in between."""
    async with running_postgres(tmp_path) as server:
        engine = engine_for(server.dsn, patience=2)
        async with statement(engine) as connection:
            await connection.execute(text("SELECT 1"))
        answers: set[str] = set()

        async def ask() -> None:
            while True:
                try:
                    async with statement(engine) as connection:
                        await connection.execute(text("SELECT pg_sleep(0.01)"))
                    answers.add("answered")
                except DatabaseDown:
                    answers.add("down")

        asking = [asyncio.create_task(ask()) for _ in range(8)]
        await server.stop()
        await server.start()
        await asyncio.sleep(0.2)
        ended = [one for one in asking if one.done()]
        for one in asking:
            one.cancel()
        assert not ended, ended
        assert answers == {"answered", "down"}
        async with statement(engine) as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
        await engine.dispose()
