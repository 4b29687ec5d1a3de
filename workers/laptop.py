"""The whole stack on a laptop, kept running and ended without a trace.

    async with Stack(settings(policy="demo"), announce=print) as stack:
        ...

State lies in the clone's home directory and outlives the stack.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import psutil

from database.migrate import upgrade
from workers import (
    laptop_processes,
    laptop_secrets,
    ports,
    schedules,
    stack_record,
    webhook_endpoint,
)
from workers.settings import (
    SecretName,
    Settings,
    SettingsWrong,
    load,
    simulated_directory,
    variable,
)
from workers.stack_record import Mark, ProcessRecord, StackRecord, sole_stack
from workers.supervisor import Kept, Supervisor
from workers.temporal_client import connect
from workers.together import together

_INVENTED_LIST = "invented_list.csv"
"""Beside the rules: nobody on it exists."""
_STATE = (
    *("temporal", "simulators", "outbox"),
    *("spool", "archive", "statements", "statement-spool"),
)
"""Folders at home, beside Postgres, that `fresh` deletes."""
_SIMULATORS_SECRETS: tuple[SecretName, ...] = (
    "stripe_api_key",
    "directory_token",
    "hubspot_token",
    "yente_api_key",
)


def settings(**given: Any) -> Settings:
    """The settings of a laptop stack; its secrets are made on first use.

    Its policy is `demo` unless somebody says otherwise: nobody waits half an hour before a laptop.

    Raises SettingsWrong, for example where the environment names another Stripe key than the
    simulator's: a real one must not get here by mistake.
    """
    found = load(**given)
    laptop_secrets.make(found.home)
    port = found.temporal_address.rsplit(":", 1)[-1]
    if not port.isdecimal():
        raise SettingsWrong(f"{variable('temporal_address')} wants a port: 127.0.0.1:7233")
    local = {
        "database_host": "127.0.0.1",
        "database_tls": "none",
        "temporal_address": f"127.0.0.1:{port}",
        "temporal_namespace": "default",
        "stripe_api_base": f"http://127.0.0.1:{found.stripe_simulator_port}",
        "simulated_clock": f"http://127.0.0.1:{found.stripe_simulator_port}/_simulator/clock",
        "directory_url": simulated_directory(vars(found)),
        "hubspot_api_base": f"http://127.0.0.1:{found.crm_simulator_port}",
        "yente_url": f"http://127.0.0.1:{found.yente_simulator_port}",
        "smtp_host": "127.0.0.1",
        "smtp_tls": "none",
    }
    if "policy" not in found.model_fields_set:
        local["policy"] = "demo"
    if found.screening_list is None:
        local["screening_list"] = str(found.rules / _INVENTED_LIST)
    found = load(**given | local)
    for name in _SIMULATORS_SECRETS:
        if found.secret(name) != (found.home / "secrets" / name).read_text().strip():
            raise SettingsWrong(
                f"{variable(name)} names a key of your own, but a stack on a laptop talks to "
                "simulators. Remove it from the environment and .env, then try again."
            )
    return found


class Stack:
    """Postgres, Temporal, the outside in miniature, workers and gateway, as one thing.

    `announce` is told, in a sentence, what happens.
    """

    def __init__(self, settings: Settings, announce: Callable[[str], None]) -> None:
        self.settings = settings
        self._announce = announce
        self._supervisor = Supervisor(announce, self._write_record)
        self._postgres = laptop_processes.postgres(settings)
        self._ending = contextlib.ExitStack()

    @property
    def pids(self) -> Mapping[str, int]:
        """The process id of each process that runs, by its name."""
        found = ((kept.service.name, kept.service.pid) for kept in self._supervisor.kept)
        return {name: pid for name, pid in found if pid is not None}

    @property
    def urls(self) -> Mapping[str, tuple[str, ...]]:
        """Where each process answers, by its name."""
        return laptop_processes.urls(self.settings)

    async def start(self, *, fresh: bool = False) -> None:
        """Return once everything is ready; `fresh` deletes the state of earlier runs before.

        Raises Obstacle: another stack of this clone runs, a port is taken, a process will not
        start. Nothing is left running then.
        """
        self._ending.enter_context(sole_stack(self.settings.home))
        try:
            await self._start(fresh=fresh)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End every process, the last started first."""
        await self._supervisor.stop()
        stack_record.forget(self.settings.home)
        self._ending.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _start(self, *, fresh: bool) -> None:
        settings = self.settings
        if before := StackRecord.read(settings.home):
            for name in await asyncio.to_thread(before.end_leftovers):
                self._announce(f"{name}: ended, a stack that was killed had left it behind")
        ports.ensure_free(*laptop_processes.port_uses(settings))
        if fresh:
            await self._clear()
        self._write_record()
        await self._supervisor.start(
            self._postgres,
            laptop_processes.temporal(settings),
            laptop_processes.simulators(settings),
        )
        client = await connect(settings)
        await together(
            self._prepare_database(),
            webhook_endpoint.register(settings),
            schedules.apply(client, settings),
        )
        await self._supervisor.start(
            laptop_processes.worker(settings, client),
            laptop_processes.reconciliation(settings, client),
            laptop_processes.gateway(settings),
        )

    async def _prepare_database(self) -> None:
        await self._postgres.make_database(self.settings.database_name)
        await upgrade(self.settings.database_url)

    async def _clear(self) -> None:
        """Delete what earlier runs left, but for secrets and logs."""
        await self._postgres.erase()
        for name in _STATE:
            if (folder := self.settings.home / name).exists():
                shutil.rmtree(folder)
        self._announce("state of earlier runs: deleted")

    def _write_record(self) -> None:
        StackRecord(
            supervisor=stack_record.ourselves(),
            policy=self.settings.policy,
            systems=self.settings.systems,
            processes=tuple(self._recorded(kept) for kept in self._supervisor.kept),
        ).write(self.settings.home)

    def _recorded(self, kept: Kept) -> ProcessRecord:
        pid = kept.service.pid
        mark = None
        if pid is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                mark = Mark.of(pid)
        return ProcessRecord(
            name=kept.service.name,
            state=kept.state,
            urls=self.urls[kept.service.name],
            mark=mark,
            since=kept.since,
            stop_signal=signal.SIGINT if kept.service is self._postgres else signal.SIGTERM,
        )
