"""Connections to Postgres are encrypted as the settings say, and as nothing else says.

The Postgres that tests run has no TLS; so TLS ends before it, in a server that asks for it as
Postgres does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from database.connection import DatabaseDown, engine_for, statement
from database.migrate import upgrade
from tests.certificates import Certified, certify
from tests.integration.test_deployment_commands import perdure, told_of
from tests.postgres import rows
from workers import settings
from workers.settings import Settings

_WANTS_TLS = bytes.fromhex("0000000804d2162f")
"""A message of eight bytes with the number 80877103: how a client asks a Postgres for TLS."""


@dataclass
class Front:
    """What stands before Postgres: `said` is how each session began."""

    port: int = 0
    said: list[str] = field(default_factory=list)


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    return certify(tmp_path)


@pytest.fixture
async def front(empty_database: str, certified: Certified) -> AsyncIterator[Front]:
    async with _front(empty_database, certified) as serving:
        yield serving


@contextlib.asynccontextmanager
async def _front(database: str, certified: Certified) -> AsyncIterator[Front]:
    front = Front()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            first = await reader.readexactly(len(_WANTS_TLS))
            front.said.append("tls" if first == _WANTS_TLS else "plain")
            if first == _WANTS_TLS:
                writer.write(b"S")
                await writer.start_tls(certified.server)
                first = b""
            behind = await asyncio.open_connection("127.0.0.1", urlsplit(database).port)
            behind[1].write(first)
            await asyncio.gather(_pass_on(reader, behind[1]), _pass_on(behind[0], writer))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        front.port = server.sockets[0].getsockname()[1]
        yield front


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()


@pytest.fixture
def told(
    tmp_path: Path, empty_database: str, front: Front, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Settings]:
    """The settings of a process that reaches the database through the front."""
    behind = told_of(empty_database)
    through = {"PERDURE_HOME": str(tmp_path), "PERDURE_DATABASE_PORT": str(front.port)}
    for name, value in (behind | through).items():
        monkeypatch.setenv(name, value)
    return settings.load


async def ask(url: str) -> None:
    engine = engine_for(url, patience=5)
    try:
        async with statement(engine) as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
    finally:
        await engine.dispose()


async def test_who_proves_to_be_the_server_is_talked_to(
    told: Callable[..., Settings], front: Front, certified: Certified
) -> None:
    url = told(database_tls="verify-full", database_ca_file=certified.certificate).database_url
    await ask(url)
    await upgrade(url)
    assert set(front.said) == {"tls"}
    engine = engine_for(url)
    assert await rows(engine, "SELECT count(*) FROM applications") == [{"count": 0}]
    await engine.dispose()


async def test_the_machines_own_authorities_count_where_no_file_is_named(
    told: Callable[..., Settings],
    front: Front,
    certified: Certified,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = told(database_tls="verify-full").database_url
    with pytest.raises(DatabaseDown):
        await ask(url)
    monkeypatch.setenv("SSL_CERT_FILE", str(certified.certificate))
    await ask(url)
    assert set(front.said) == {"tls"}


async def test_who_is_vouched_for_by_others_is_not_talked_to(
    told: Callable[..., Settings], tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = certify(tmp_path / "other")
    with pytest.raises(DatabaseDown) as refused:
        await ask(told(database_tls="verify-full", database_ca_file=other.certificate).database_url)
    assert isinstance(refused.value.__cause__, ssl.SSLCertVerificationError)


async def test_who_has_a_certificate_for_another_host_is_not_talked_to(
    told: Callable[..., Settings], empty_database: str, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = certify(tmp_path / "other", "127.0.0.2")
    async with _front(empty_database, other) as front:
        found = told(
            database_tls="verify-full",
            database_ca_file=other.certificate,
            database_port=front.port,
        )
        with pytest.raises(DatabaseDown) as refused:
            await ask(found.database_url)
    assert "127.0.0.1" in str(refused.value.__cause__)


async def test_require_encrypts_and_believes_whoever_answers(
    told: Callable[..., Settings], front: Front
) -> None:
    await ask(told(database_tls="require").database_url)
    assert front.said == ["tls"]


@pytest.mark.parametrize("tls", ["require", "verify-full"])
async def test_a_server_without_tls_is_not_talked_to_in_the_clear(
    told: Callable[..., Settings], empty_database: str, tls: str
) -> None:
    port = urlsplit(empty_database).port
    with pytest.raises(DatabaseDown) as refused:
        await ask(told(database_tls=tls, database_port=port).database_url)
    assert "rejected SSL" in str(refused.value.__cause__)


async def test_what_the_environment_tells_the_driver_changes_nothing(
    told: Callable[..., Settings],
    front: Front,
    certified: Certified,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGSSLROOTCERT", str(certified.certificate))
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    await ask(told().database_url)
    assert front.said == ["plain"]
    monkeypatch.setenv("PGSSLMODE", "disable")
    with pytest.raises(DatabaseDown):
        await ask(told(database_tls="verify-full").database_url)
    assert "plain" not in front.said[1:]


async def test_migrate_says_what_is_wrong_with_the_certificate(
    told: Callable[..., Settings], tmp_path: Path
) -> None:
    told()
    kept = {name: value for name, value in os.environ.items() if name.startswith("PERDURE_")}
    code, said = await perdure(
        tmp_path, "migrate", **kept | {"PERDURE_DATABASE_TLS": "verify-full"}
    )
    assert code == 1
    assert "does not answer" in said
    assert "certificate verify failed" in said
