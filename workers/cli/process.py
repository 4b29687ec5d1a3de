"""`perdure worker`, `gateway` and `health`: one process of a deployment, and how it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from workers.terminal import say

app = typer.Typer()


class Kind(StrEnum):
    """What a worker works on."""

    onboarding = "onboarding"
    reconciliation = "reconciliation"


@app.command(rich_help_panel="A deployment")
def worker(kind: Annotated[Kind, typer.Argument(help="What it works on.")]) -> None:
    """Run a worker in the foreground, until it is asked to end; it drains what it has.

    Run as many as you like. `perdure migrate` and `perdure namespace apply` come first.

    Example: `perdure worker onboarding`, `perdure worker reconciliation`

    Exit codes: 0 ended as asked · 1 Temporal does not answer · 2 a setting is wrong
    """
    from importlib import import_module

    # Each worker brings what it works with, and only that.
    import_module(f"workers.{kind.value}").main()


@app.command(rich_help_panel="A deployment")
def gateway() -> None:
    """Run the gateway in the foreground, until it is asked to end.

    It starts also while the database or Temporal is down; `/readyz` says so.

    Example: `PERDURE_GATEWAY_HOST=0.0.0.0 perdure gateway`

    Exit codes: 0 ended as asked · 1 its port is taken · 2 a setting is wrong
    """
    from workers.gateway import main

    main()


health = typer.Typer(help="Say whether a process on this machine can work.", no_args_is_help=True)
app.add_typer(health, name="health", rich_help_panel="A deployment")


@health.command("gateway")
def health_of_gateway() -> None:
    """Ask the gateway on this machine whether it, the database and Temporal can work.

    Example: `perdure health gateway`

    Exit codes: 0 it can work · 1 it cannot, or nobody answers · 2 a setting is wrong
    """
    import asyncio

    from workers import health, settings

    asyncio.run(health.gateway(settings.load()))
    say("The gateway can work.")


@health.command("worker")
def health_of_worker(kind: Annotated[Kind, typer.Argument(help="What it works on.")]) -> None:
    """Ask Temporal whether a worker on this machine asks it for work.

    In a container that is the container's worker. Temporal tells it by its host's name.

    Example: `perdure health worker onboarding`

    Exit codes: 0 it works · 1 it does not, or Temporal does not answer · 2 a setting is wrong
    """
    import asyncio

    from workflows.onboarding.messages import TASK_QUEUE as ONBOARDING
    from workflows.reconciliation.messages import TASK_QUEUE as RECONCILIATION

    queues = {Kind.onboarding: ONBOARDING, Kind.reconciliation: RECONCILIATION}
    asyncio.run(_ask_for_worker(queues[kind]))
    say(f"A worker here asks for the work of {queues[kind]}.")


async def _ask_for_worker(task_queue: str) -> None:
    import socket

    from workers import health, settings
    from workers.temporal_client import connect

    client = await connect(settings.load())
    here = f"@{socket.gethostname()}"
    await health.worker(client, task_queue, is_it=lambda identity: identity.endswith(here))
