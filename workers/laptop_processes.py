"""What runs on a laptop: each process of the stack, where it answers, when it is ready."""

from __future__ import annotations

import os
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from temporalio.client import Client

from workers import health
from workers.child_process import ChildProcess, Program
from workers.health import NotHealthy
from workers.ports import PortUse, answers
from workers.postgres import Postgres
from workers.settings import Settings, variable
from workers.temporal_server import TemporalServer
from workflows import search_attributes
from workflows.onboarding.messages import TASK_QUEUE as ONBOARDING
from workflows.reconciliation.messages import TASK_QUEUE as RECONCILIATION


def port_uses(settings: Settings) -> Sequence[PortUse]:
    """Every port of the stack."""
    temporal_port = int(settings.temporal_address.rsplit(":", 1)[1])
    return (
        PortUse(settings.database_port, "Postgres", variable("database_port")),
        PortUse(temporal_port, "Temporal", variable("temporal_address")),
        PortUse(settings.temporal_ui_port, "Temporal's Web UI", variable("temporal_ui_port")),
        PortUse(
            settings.stripe_simulator_port,
            "the simulator of Stripe",
            variable("stripe_simulator_port"),
        ),
        PortUse(settings.mail_inbox_port, "the mail inbox", variable("mail_inbox_port")),
        PortUse(settings.smtp_port, "incoming mail", variable("smtp_port")),
        PortUse(
            settings.directory_simulator_port,
            "the directory",
            variable("directory_simulator_port"),
        ),
        PortUse(settings.crm_simulator_port, "the CRM", variable("crm_simulator_port")),
        PortUse(
            settings.tenant_api_simulator_port,
            "the tenant API",
            variable("tenant_api_simulator_port"),
        ),
        PortUse(
            settings.yente_simulator_port,
            "the simulator of yente",
            variable("yente_simulator_port"),
        ),
        PortUse(
            settings.bank_simulator_port, "the simulator of a bank", variable("bank_simulator_port")
        ),
        PortUse(settings.gateway_port, "the gateway", variable("gateway_port")),
    )


def urls(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Where each process answers, by its name; no passwords."""
    database = f"{settings.database_host}:{settings.database_port}/{settings.database_name}"
    return {
        "postgres": (f"postgresql://{database}",),
        "temporal": (f"http://127.0.0.1:{settings.temporal_ui_port}", settings.temporal_address),
        "simulators": (
            f"http://127.0.0.1:{settings.stripe_simulator_port}",
            f"http://127.0.0.1:{settings.mail_inbox_port}",
            f"smtp://127.0.0.1:{settings.smtp_port}",
            f"http://127.0.0.1:{settings.directory_simulator_port}",
            f"http://127.0.0.1:{settings.crm_simulator_port}",
            f"http://127.0.0.1:{settings.tenant_api_simulator_port}",
            f"http://127.0.0.1:{settings.yente_simulator_port}",
            f"http://127.0.0.1:{settings.bank_simulator_port}",
        ),
        "worker": (),
        "reconciliation": (),
        "gateway": (settings.gateway_url,),
    }


def postgres(settings: Settings) -> Postgres:
    """The database server."""
    return Postgres(
        settings.home / "postgres",
        settings.database_port,
        settings.secret("database_password"),
        log=_log(settings, "postgres"),
    )


def temporal(settings: Settings) -> TemporalServer:
    """Temporal with its Web UI; it knows our search attributes."""
    return TemporalServer(
        settings.home / "temporal",
        int(settings.temporal_address.rsplit(":", 1)[1]),
        settings.temporal_ui_port,
        search_attributes=search_attributes.ALL,
        log=_log(settings, "temporal"),
    )


def simulators(settings: Settings) -> ChildProcess:
    """The outside world in miniature: Stripe, a mailbox, two directories, a CRM, lists, a bank."""
    secrets = settings.home / "secrets"

    async def ready() -> bool:
        ports = (
            settings.stripe_simulator_port,
            settings.mail_inbox_port,
            settings.smtp_port,
            settings.directory_simulator_port,
            settings.crm_simulator_port,
            settings.tenant_api_simulator_port,
            settings.yente_simulator_port,
            settings.bank_simulator_port,
        )
        return all([await answers(port) for port in ports])

    return ChildProcess(
        Program(
            name="simulators",
            command=(
                *_python("simulators"),
                *("--state", str(settings.home / "simulators")),
                *("--stripe-port", str(settings.stripe_simulator_port)),
                *("--mail-port", str(settings.mail_inbox_port)),
                *("--smtp-port", str(settings.smtp_port)),
                *("--directory-port", str(settings.directory_simulator_port)),
                *("--crm-port", str(settings.crm_simulator_port)),
                *("--tenants-port", str(settings.tenant_api_simulator_port)),
                *("--yente-port", str(settings.yente_simulator_port)),
                *("--bank-port", str(settings.bank_simulator_port)),
                *("--bank-folder", str(settings.home / "statements")),
                *("--stripe-key-file", str(secrets / "stripe_api_key")),
                *("--directory-token-file", str(secrets / "directory_token")),
                *("--crm-token-file", str(secrets / "hubspot_token")),
                *("--yente-key-file", str(secrets / "yente_api_key")),
            ),
            log=_log(settings, "simulators"),
            ready=ready,
            environment=_environment(settings),
        )
    )


def worker(settings: Settings, client: Client) -> ChildProcess:
    """The worker of onboardings; it is ready when it asks Temporal for work."""
    return _worker(settings, client, "worker", "workers.onboarding", ONBOARDING)


def reconciliation(settings: Settings, client: Client) -> ChildProcess:
    """The worker of reconciliations; it is ready when it asks Temporal for work."""
    return _worker(settings, client, "reconciliation", "workers.reconciliation", RECONCILIATION)


def _worker(
    settings: Settings, client: Client, name: str, module: str, task_queue: str
) -> ChildProcess:
    async def ready() -> bool:
        # Workers of earlier runs may still be remembered; ours has our child's number.
        return await _well(
            health.worker(client, task_queue, is_it=lambda id_: id_.startswith(f"{child.pid}@"))
        )

    child = ChildProcess(
        Program(
            name=name,
            command=_python(module),
            log=_log(settings, name),
            ready=ready,
            environment=_environment(settings),
        )
    )
    return child


def gateway(settings: Settings) -> ChildProcess:
    """The HTTP API."""

    async def ready() -> bool:
        return await _well(health.gateway(settings))

    return ChildProcess(
        Program(
            name="gateway",
            command=_python("workers.gateway"),
            log=_log(settings, "gateway"),
            ready=ready,
            environment=_environment(settings),
        )
    )


async def _well(question: Coroutine[Any, Any, None]) -> bool:
    try:
        await question
    except NotHealthy:
        return False
    return True


def _python(module: str) -> tuple[str, ...]:
    # -P: a folder of the same name where somebody happens to stand must not be taken for ours.
    return (sys.executable, "-P", "-m", module)


def _log(settings: Settings, name: str) -> Path:
    return settings.home / "logs" / f"{name}.log"


def _environment(settings: Settings) -> dict[str, str]:
    """Our settings in place of whatever the caller's shell says; secrets come from files."""
    foreign = ("PERDURE_", "TEMPORAL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, **settings.environment(), "PYTHONUNBUFFERED": "1"}
