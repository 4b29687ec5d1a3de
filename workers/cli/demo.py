"""`perdure demo`: customers onboarded, and their payments compared, while the world misbehaves."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.terminal import say

app = typer.Typer()

_PACE = 1.7
"""Seconds for reading a sentence, where somebody watches."""


@app.command(rich_help_panel="The stack on this laptop")
def demo(
    leave: Annotated[
        bool, typer.Option("--exit", help="End afterwards, and with it the stack it started.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="For machines: one object. Implies --exit.")
    ] = False,
) -> None:
    """Watch customers being onboarded, and what they pay compared, while everything goes wrong.

    Plays on the stack that runs in this clone, or starts one. A signup is sent three times at
    once; webhooks come in threes and out of order; one applicant withdraws in the middle of
    provisioning; another has the address of somebody else's user in the directory, about which an
    operator decides; HubSpot goes down, and Stripe, until an operator retries; a worker is killed.
    Then Stripe, directory, CRM, mailbox, our database and Temporal are asked whether all is as
    planned.

    In the second act they pay. For each day of a week our journal, Stripe and the bank are
    compared: what was made to go wrong has to be found, and nothing else. The time of the
    simulators is moved ahead for it.

    On a terminal a stack that it started keeps running until Ctrl-C, so that you can look around.

    Example: `perdure demo`, and `perdure demo --json` for machines.

    Exit codes: 0 all is as planned · 1 it is not: a check failed, or the play did not go on · 2 a
    setting is wrong · 3 there is no stack to play on, and none could be started · 4 a stack is just
    being started or ended, or another demo plays · 130 ended by somebody before the checks
    """
    import asyncio

    raise typer.Exit(asyncio.run(_demo(leave=leave or as_json, as_json=as_json)))


async def _demo(*, leave: bool, as_json: bool) -> int:
    import sys
    import time
    from contextlib import AsyncExitStack, ExitStack, nullcontext

    from rich.console import Console

    from workers import laptop, logs
    from workers.demo import review
    from workers.demo.cast import Run
    from workers.demo.lines import Lines
    from workers.demo.live import LiveTable
    from workers.demo.performance import perform
    from workers.demo.show import Row, Show
    from workers.demo.theatre import SYSTEMS, sole_play, theatre
    from workers.signals import stop_requested, unless

    settings = laptop.settings(policy="demo", **SYSTEMS)
    logs.configure("demo", log_format=settings.log_format, log_level="error")
    console = Console(file=sys.stderr if as_json else sys.stdout, highlight=False)
    watched = console.is_terminal and not console.is_dumb_terminal and not as_json
    run = Run()
    cast = run.cast()
    show = Show(run.id, [Row(applicant) for applicant in cast])
    live = False

    def announce(sentence: str) -> None:
        if not live:
            console.print(f"  {sentence}", style="dim", markup=False)

    with stop_requested() as requested:
        async with AsyncExitStack() as ending:
            playing = ending.enter_context(ExitStack())
            playing.enter_context(sole_play(settings.home))
            began = time.monotonic()
            house = await unless(requested, ending.enter_async_context(theatre(settings, announce)))
            if house is None:
                return 130
            stays = not house.own or (watched and not leave)
            show.began = time.monotonic()
            if not watched:
                show.changed = Lines(show, console.file).write
            live = watched
            with LiveTable(show, console).open() if watched else nullcontext():
                performance = perform(
                    settings,
                    house,
                    run,
                    cast,
                    show,
                    pace=_PACE if watched else 0,
                    stays=stays,
                    stack_seconds=show.began - began,
                )
                report = await unless(requested, performance)
            live = False
            if report is None:
                return 130
            if as_json:
                say(report.model_dump_json(indent=2))
            else:
                review.show(report, settings, console, stays=stays)
            if house.own and stays:
                playing.close()
                console.print(" The stack keeps running. Ctrl-C ends it.", style="dim")
                await requested.wait()
    return 0 if report.as_planned else 1
