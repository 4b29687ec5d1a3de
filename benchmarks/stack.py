"""What is measured: a stack as on a laptop, with the baselines' processes beside ours."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import psutil
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from database.connection import engine_for
from database.migrate import upgrade
from workers import laptop, laptop_processes, laptop_secrets, secret_files
from workers.child_process import ChildProcess, Program, always_ready
from workers.obstacle import Obstacle
from workers.ports import answers, free_port
from workers.settings import Settings, variable
from workers.temporal_client import connect
from workers.together import together

WEBHOOK_SECRET = "whsec_of_the_benchmark"  # noqa: S105 - of a stack that lives for minutes

_LIFE = re.compile(r"(?ms)^\[\w+\.life[.\]].*?(?=^\[(?!\w+\.life)|\Z)")
"""The sections of a policy about the life of a customer."""


class Ended(Obstacle):
    """A process has ended before the measuring did; the text names it."""


@dataclasses.dataclass(frozen=True)
class Stack:
    """Everything that runs. `pids` are the process ids by name; `bare_port` is the bare route's."""

    settings: Settings
    client: Client
    engine: AsyncEngine
    pids: Mapping[str, int]
    bare_port: int

    def cpu(self) -> dict[str, float]:
        """Seconds of processor time that each process has used, its children's included.

        Raises Ended.
        """
        used = {}
        for name, pid in self.pids.items():
            try:
                used[name] = _cpu(psutil.Process(pid))
            except psutil.NoSuchProcess:
                raise Ended(f"The process {name} has ended in the middle of it all.") from None
        return used


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Stack]:
    """Start it on free ports with empty state, and delete all of it afterwards."""
    async with contextlib.AsyncExitStack() as ending:
        # Its servers end before its folder goes.
        folder = ending.enter_context(tempfile.TemporaryDirectory(prefix="perdure-bench-"))
        settings = _settings(Path(folder))
        postgres = laptop_processes.postgres(settings)
        ending.push_async_callback(postgres.erase)
        temporal = laptop_processes.temporal(settings)
        simulators = laptop_processes.simulators(settings)
        for one in (temporal, simulators):
            ending.push_async_callback(one.stop)
        await together(postgres.start(), temporal.start(), simulators.start())
        await postgres.make_database(settings.database_name)
        await upgrade(settings.database_url)
        client = await connect(settings)
        worker = laptop_processes.worker(settings, client)
        gateway = laptop_processes.gateway(settings)
        bare_port = free_port()
        others = (worker, gateway, _plain_worker(worker), _bare_route(gateway, bare_port))
        for one in others:
            one.program = _with_bytecode(one.program, Path(folder) / "bytecode")
            ending.push_async_callback(one.stop)
        await together(*(one.start() for one in others))
        engine = engine_for(settings.database_url, application="perdure-bench")
        ending.push_async_callback(engine.dispose)
        pids = {one.name: one.pid for one in (postgres, temporal, simulators, *others)}
        yield Stack(
            settings,
            client,
            engine,
            {name: pid for name, pid in pids.items() if pid is not None},
            bare_port,
        )


def _rules(home: Path) -> Path:
    """Our rules, but for the life of a customer.

    It is a process of its own that begins with the end of an onboarding: it would be measured as a
    part of it, and go on while the next ones are.
    """
    rules = Path(shutil.copytree(laptop.settings(home=home).rules, home / "rules"))
    policy = rules / "policy.toml"
    policy.write_text(_LIFE.sub("", policy.read_text()))
    return rules


def _settings(home: Path) -> Settings:
    ports = (
        "database_port",
        "temporal_ui_port",
        "gateway_port",
        "stripe_simulator_port",
        "directory_simulator_port",
        "crm_simulator_port",
        "tenant_api_simulator_port",
        "yente_simulator_port",
        "bank_simulator_port",
        "mail_inbox_port",
        "smtp_port",
    )
    laptop_secrets.make(home)
    secret_files.keep(home / "secrets" / "stripe_webhook_secrets", WEBHOOK_SECRET)
    return laptop.settings(
        home=home,
        rules=_rules(home),
        temporal_address=f"127.0.0.1:{free_port()}",
        **{port: free_port() for port in ports},
    )


def _plain_worker(ours: ChildProcess) -> ChildProcess:
    """The worker of the baseline, in the same surroundings as ours."""
    return ChildProcess(
        dataclasses.replace(
            ours.program,
            name="plain worker",
            command=_python("benchmarks.plain_worker"),
            log=ours.program.log.with_name("plain-worker.log"),
            ready=always_ready,
        )
    )


def _bare_route(ours: ChildProcess, port: int) -> ChildProcess:
    """The baseline of the webhooks, in the same surroundings as the gateway."""

    async def ready() -> bool:
        return await answers(port)

    given = ours.program.environment or {}
    return ChildProcess(
        dataclasses.replace(
            ours.program,
            name="bare route",
            command=_python("benchmarks.bare_route"),
            log=ours.program.log.with_name("bare-route.log"),
            ready=ready,
            environment={**given, variable("gateway_port"): str(port)},
        )
    )


def _with_bytecode(program: Program, folder: Path) -> Program:
    """Keep compiled modules, whatever our caller's shell says.

    Temporal's sandbox loads the modules of a workflow anew for each run; without their bytecode
    the compiler would be most of what is measured.
    """
    given = dict(program.environment or {})
    given.pop("PYTHONDONTWRITEBYTECODE", None)
    return dataclasses.replace(program, environment={**given, "PYTHONPYCACHEPREFIX": str(folder)})


def _python(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module)


def _cpu(process: psutil.Process) -> float:
    """Its time and that of its children, the ended ones too."""
    times = process.cpu_times()
    own = float(times.user + times.system + times.children_user + times.children_system)
    living = 0.0
    for child in process.children():
        with contextlib.suppress(psutil.NoSuchProcess):
            living += _cpu(child)
    return own + living
