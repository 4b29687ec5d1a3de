from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from workers.ports import free_port
from workers.postgres_lodging import Lodging

PORTS = ("DATABASE", "TEMPORAL_UI", "GATEWAY", "STRIPE_SIMULATOR", "MAIL_INBOX", "SMTP")


class Laptop:
    """A clone of its own, on ports of its own, used as people do: by commands."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.output = home.with_suffix(".out")
        self.environment = {
            "PERDURE_HOME": str(home),
            "PERDURE_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
            **{f"PERDURE_{name}_PORT": str(free_port()) for name in PORTS},
        }
        self._started: list[subprocess.Popen[bytes]] = []

    def perdure(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*_COMMAND, *arguments], env=self._all(), capture_output=True, text=True, check=False
        )

    def up(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the stack; returns when it says that it is ready."""
        with self.output.open("wb") as output:
            stack = subprocess.Popen(
                [*_COMMAND, "up", *arguments],
                env=self._all(),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._started.append(stack)
        _until(lambda: "Ready." in self.said or stack.poll() is not None, 60)
        assert stack.poll() is None, self.said
        return stack

    @property
    def said(self) -> str:
        return self.output.read_text()

    def pids(self) -> dict[str, int]:
        status: dict[str, Any] = json.loads(self.perdure("status", "--json").stdout)
        return {process["name"]: process["pid"] for process in status["processes"]}

    def end(self) -> None:
        for stack in self._started:
            if stack.poll() is None:
                stack.terminate()
                stack.wait(60)
        self.perdure("down")
        Lodging.of(self.home / "postgres").erase()

    def _all(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith("PERDURE_")
        }
        return kept | self.environment


_COMMAND = (sys.executable, "-c", "from workers.cli import main; main()")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Laptop]:
    machine = Laptop(tmp_path / "home")
    yield machine
    machine.end()


async def _query(own: Laptop, sql: str) -> object:
    password = (own.home / "secrets" / "database_password").read_text().strip()
    port = own.environment["PERDURE_DATABASE_PORT"]
    connection = await asyncpg.connect(f"postgresql://perdure:{password}@127.0.0.1:{port}/perdure")
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_stack_is_seen_while_it_runs_and_leaves_nothing_behind(own: Laptop) -> None:
    stack = own.up()
    assert own.perdure("status").returncode == 0
    pids = own.pids()
    assert list(pids) == ["postgres", "temporal", "simulators", "worker", "gateway"]

    second = own.perdure("up")
    assert second.returncode == 4
    assert f"pid {stack.pid}" in second.stderr

    stack.send_signal(signal.SIGINT)
    assert stack.wait(60) == 0
    stopped = re.findall(r"(\w+): stopping", own.said)
    assert stopped == ["gateway", "worker", "simulators", "temporal", "postgres"]
    assert not any(_runs(pid) for pid in pids.values())
    assert own.perdure("status").returncode == 3


async def test_state_outlives_a_killed_stack_until_it_is_thrown_away(own: Laptop) -> None:
    killed = own.up()
    await _query(own, "CREATE TABLE kept (n int)")
    left = own.pids()
    killed.kill()
    killed.wait()

    own.up()
    assert not any(_runs(pid) for pid in left.values()), "leftovers of the killed stack"
    assert await _query(own, "SELECT to_regclass('kept')::text") == "kept"
    ended = own.perdure("down")
    assert (ended.returncode, ended.stdout) == (0, "The stack has ended.\n")

    own.up("--fresh")
    assert await _query(own, "SELECT to_regclass('kept')") is None


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _until(condition: Callable[[], bool], seconds: float) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come to that"
        time.sleep(0.05)
