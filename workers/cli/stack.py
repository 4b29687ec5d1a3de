"""`perdure up`, `down` and `status`: the whole stack on this laptop."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from workers.terminal import say

if TYPE_CHECKING:
    from workers.laptop import Stack
    from workers.settings import Settings
    from workers.stack_status import StackStatus

app = typer.Typer()


@app.command(rich_help_panel="The stack on this laptop")
def up(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete the state of earlier runs first.")
    ] = False,
) -> None:
    """Start everything and keep it running in the foreground, until Ctrl-C.

    Postgres, Temporal with its Web UI, the simulators (Stripe, mail, directories,
    CRM), a worker, the gateway.
    State is kept in `.perdure` between runs, logs are in `.perdure/logs`.

    Example: `perdure up`, and `PERDURE_GATEWAY_PORT=9400 perdure up` for another port.

    Exit codes: 0 ended as asked · 1 something could not be started · 2 a setting is wrong ·
    4 a stack of this clone is running already
    """
    import asyncio

    from workers import laptop

    asyncio.run(_up(laptop.settings(), fresh=fresh))


@app.command(rich_help_panel="The stack on this laptop")
def down() -> None:
    """End the stack that runs in another terminal, and wait until it is gone.

    Example: `perdure down`

    Exit codes: 0 nothing runs any more · 1 it did not end · 2 a setting is wrong
    """
    from workers import settings, stack_record

    ended = stack_record.end(settings.load().home)
    say("The stack has ended." if ended else "No stack is running.")


@app.command(rich_help_panel="The stack on this laptop")
def status(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show the processes of the stack: how they are, since when, where they answer.

    Example: `perdure status --json`

    Exit codes: 0 everything runs · 2 a setting is wrong · 3 nothing runs, or not all of it
    """
    from workers import settings, stack_status

    found = stack_status.of(settings.load().home)
    if as_json:
        say(found.model_dump_json(indent=2))
    else:
        _print_table(found)
    raise typer.Exit(0 if found.complete else 3)


async def _up(settings: Settings, *, fresh: bool) -> None:
    from workers import logs
    from workers.laptop import Stack
    from workers.signals import stop_requested, unless

    logs.configure("up", log_format=settings.log_format, log_level="warning")
    say("Starting the stack. The first time takes some seconds longer.")
    stack = Stack(settings, announce=_announce)
    with stop_requested() as requested:
        await unless(requested, stack.start(fresh=fresh))
        if not requested.is_set():
            say(
                "\nReady.\n"
                f"  API         {settings.gateway_url}/docs\n"
                f"  Temporal    {stack.urls['temporal'][0]}\n"
                f"  Mail        {_mail(stack)}\n"
                f"  State       {settings.home}\n"
                f"  Policy      {settings.policy}{_policy_hint(settings)}\n"
                "Ctrl-C ends it."
            )
            await requested.wait()
        _announce("ending the stack")
        await stack.stop()
    _announce("nothing is left running")


def _mail(stack: Stack) -> str:
    if stack.settings.mail == "outbox":
        return str(stack.settings.mail_folder)
    return stack.urls["simulators"][1]


def _policy_hint(settings: Settings) -> str:
    if settings.policy == "demo":
        return ": seconds for days; PERDURE_POLICY=production has the real ones"
    return ""


def _announce(sentence: str) -> None:
    # The terminal may be gone: that must not keep the stack from ending.
    with contextlib.suppress(OSError):
        say(f"  {sentence}")


def _print_table(found: StackStatus) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("process", "state", "pid", "uptime", "answers at"):
        table.add_column(title, overflow="fold")
    for process in found.processes:
        table.add_row(
            process.name,
            process.state,
            str(process.pid or ""),
            process.uptime,
            "\n".join(process.urls),
        )
    console = Console()
    console.print(table if found.processes else "No stack is running; `perdure up` starts it.")
    if found.processes and not found.running:
        console.print(
            "\nThe process that looked after it was killed; `perdure down` ends what is left."
        )
    console.print(f"\nstate in {found.home}", highlight=False)
    console.print(f"database files in {found.database_files}", highlight=False)
