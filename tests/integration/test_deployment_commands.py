"""`perdure migrate`, `namespace apply` and `health worker`, where they can go wrong."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from database.connection import engine_for, transaction
from tests.house import House
from tests.patience import SOON
from workers import health, namespace
from workers.health import NotHealthy
from workers.ports import free_port
from workflows import search_attributes
from workflows.onboarding.messages import TASK_QUEUE

DAYS = timedelta(days=9)


async def perdure(folder: Path, *arguments: str, **environment: str) -> tuple[int | None, str]:
    """A command's exit code and all that it said."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PERDURE_", "TEMPORAL_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from workers.cli import main; main()", *arguments),
        env=kept | {"PERDURE_HOME": str(folder)} | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


def told_of(dsn: str) -> dict[str, str]:
    address = urlsplit(dsn)
    return {
        "PERDURE_DATABASE_PORT": str(address.port),
        "PERDURE_DATABASE_USER": address.username or "",
        "PERDURE_DATABASE_NAME": address.path.lstrip("/"),
        "PERDURE_DATABASE_PASSWORD": address.password or "",
    }


async def test_migrate_makes_the_tables_and_then_has_nothing_to_do(
    tmp_path: Path, empty_database: str
) -> None:
    told = told_of(empty_database)
    assert await perdure(tmp_path, "migrate", **told) == (0, "The tables are now this release's.\n")
    assert await perdure(tmp_path, "migrate", **told) == (0, "There was nothing to do.\n")


async def test_migrate_leaves_the_tables_of_a_later_release_that_bears_this_one(
    tmp_path: Path, database: str
) -> None:
    engine = engine_for(database)
    async with transaction(engine) as connection:
        ours = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'later'")
        await connection.exec_driver_sql(
            f"COMMENT ON TABLE alembic_version IS 'later serves later {ours}'"
        )
    await engine.dispose()
    told = told_of(database)
    assert await perdure(tmp_path, "migrate", **told) == (0, "There was nothing to do.\n")


async def test_migrate_says_in_a_sentence_what_stands_in_its_way(
    tmp_path: Path, database: str
) -> None:
    told = told_of(database)
    down = told | {"PERDURE_DATABASE_PORT": str(free_port())}
    wrong = told | {"PERDURE_DATABASE_PASSWORD": "wrong"}
    engine = engine_for(database)
    async with transaction(engine) as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'later'")
    await engine.dispose()
    for environment, sentence in (
        (down, "does not answer"),
        (wrong, "password authentication failed"),
        (told, "a later release's"),
    ):
        code, said = await perdure(tmp_path, "migrate", **environment)
        assert code == 1
        assert sentence in said
        assert "Traceback" not in said


async def test_a_namespace_is_made_once_and_its_search_attributes_can_be_used_at_once(
    temporal: Client,
) -> None:
    name = f"made-{secrets.token_hex(4)}"
    client = await Client.connect(temporal.service_client.config.target_host, namespace=name)
    assert await namespace.apply(client, retention=DAYS)
    stage = TypedSearchAttributes([SearchAttributePair(search_attributes.STAGE, "received")])
    await client.start_workflow("Nobody", id="one", task_queue="none", search_attributes=stage)

    assert not await namespace.apply(client, retention=timedelta(days=1)), "it is there"
    found = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=name)
    )
    assert found.config.workflow_execution_retention_ttl.ToTimedelta() == DAYS


async def test_a_command_for_temporal_says_so_where_nobody_answers(tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    for command in (
        ("schedule", "apply"),
        ("health", "worker", "onboarding"),
        ("worker", "onboarding"),
    ):
        code, said = await perdure(tmp_path, *command, TEMPORAL_ADDRESS=nowhere)
        assert (code, nowhere in said, "Traceback" in said) == (1, True, False)


async def test_a_worker_is_healthy_while_it_asks_for_work(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ourselves = f"{os.getpid()}@"

    async def ask(identity: str) -> None:
        await health.worker(house.client, TASK_QUEUE, is_it=lambda name: name.startswith(identity))

    async with house.working():
        async with asyncio.timeout(SOON):
            while True:
                try:
                    await ask(ourselves)
                    break
                except NotHealthy:
                    await asyncio.sleep(0.1)
        with pytest.raises(NotHealthy, match="does not ask"):
            await ask("somebody-else@")
        monkeypatch.setattr(health, "_A_POLL", timedelta(0))
        with pytest.raises(NotHealthy, match="does not ask"):
            await ask(ourselves)
