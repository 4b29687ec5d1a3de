from __future__ import annotations

import re
import signal
import time

import asyncpg
import psutil
import pytest

from tests.laptop import Laptop

pytestmark = [pytest.mark.slow, pytest.mark.alone]

WARM_SECONDS = 15
"""What `perdure up` may take where the state of an earlier one is, a killed one's even."""


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
    assert list(pids) == [
        *("postgres", "temporal", "simulators"),
        *("worker", "reconciliation", "gateway"),
    ]

    second = own.perdure("up")
    assert second.returncode == 4
    assert f"pid {stack.pid}" in second.stderr

    stack.send_signal(signal.SIGINT)
    assert stack.wait(60) == 0
    stopped = re.findall(r"(\w+): stopping", own.said)
    assert stopped == [
        *("gateway", "reconciliation", "worker"),
        *("simulators", "temporal", "postgres"),
    ]
    assert not any(_runs(pid) for pid in pids.values())
    assert own.perdure("status").returncode == 3


async def test_state_outlives_a_killed_stack_until_it_is_thrown_away(own: Laptop) -> None:
    killed = own.up()
    await _query(own, "CREATE TABLE kept (n int)")
    left = own.pids()
    killed.kill()
    killed.wait()

    begun = time.monotonic()
    own.up()
    assert time.monotonic() - begun < WARM_SECONDS
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
