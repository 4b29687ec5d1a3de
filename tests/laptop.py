"""A clone of its own, on ports of its own, used as people do: by commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from workers.ports import free_port
from workers.postgres_lodging import Lodging

PORTS = (
    "DATABASE",
    "TEMPORAL_UI",
    "GATEWAY",
    "STRIPE_SIMULATOR",
    "MAIL_INBOX",
    "SMTP",
    "DIRECTORY_SIMULATOR",
    "CRM_SIMULATOR",
    "TENANT_API_SIMULATOR",
    "YENTE_SIMULATOR",
    "BANK_SIMULATOR",
)


class Laptop:
    """The state folder of a clone, its ports, and what was started there."""

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
        until(lambda: "Ready." in self.said or stack.poll() is not None, 60)
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


def until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for something that must come about."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come to that"
        time.sleep(0.05)
