"""One performance, from the signups to the last check."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import aclosing

import httpx
from temporalio.service import RPCError

from database.connection import DatabaseDown
from workers import laptop_processes
from workers.demo.callers import Callers
from workers.demo.cast import Applicant, Run
from workers.demo.checks import check_all
from workers.demo.evidence import Investigation
from workers.demo.outside import Outside
from workers.demo.plot import Plot
from workers.demo.report import Durations, Report, report_of
from workers.demo.show import Show
from workers.demo.theatre import Theatre
from workers.demo.watch import Derailed, Watch
from workers.obstacle import Obstacle
from workers.settings import Settings
from workers.temporal_client import connect
from workflows.client import PerdureError


class Unseen(Obstacle):
    """What the play left cannot be looked at: something of the stack does not answer."""


async def perform(
    settings: Settings,
    theatre: Theatre,
    run: Run,
    cast: Sequence[Applicant],
    show: Show,
    *,
    pace: float,
    stays: bool,
    stack_seconds: float,
) -> Report:
    """Play, then look at what is there. A play that derails is looked at all the same.

    `pace` is how long to leave people for reading a sentence, in seconds; `stays` says that the
    stack goes on afterwards. Raises Unseen.
    """
    async with aclosing(Outside(settings)) as outside, aclosing(Callers(settings)) as callers:
        derailed = None
        async with aclosing(Watch(show, callers)) as watch:
            plot = Plot(run, show, watch, callers, outside, theatre, pace=pace)
            try:
                await plot.play()
            except (Derailed, PerdureError, httpx.HTTPError) as error:
                derailed = f"{type(error).__name__}: {error}"
        played = show.seconds
        show.say(
            "Now Stripe, directory, CRM, mailbox, our database and Temporal are asked: is all as"
            " planned?"
        )
        began = time.monotonic()
        try:
            temporal = await connect(settings, lazy=True)
            investigation = Investigation(run, settings, outside, callers, temporal)
            evidence = await investigation.of(show.rows, plot.memory)
        # A client that connects late says by a RuntimeError that it could not.
        except (httpx.HTTPError, RPCError, DatabaseDown, RuntimeError) as error:
            told = f"\nBefore that the play derailed: {derailed}." if derailed else ""
            raise Unseen(
                f"What the play left cannot be looked at: {type(error).__name__}: {error}. Does "
                f"the stack still run? Its logs are in {settings.home / 'logs'}.{told}"
            ) from error
        return report_of(
            show,
            check_all(cast, evidence),
            derailed=derailed,
            own_stack=theatre.own,
            web_ui=laptop_processes.urls(settings)["temporal"][0] if stays else None,
            seconds=Durations(
                stack=round(stack_seconds, 2),
                play=round(played, 2),
                checks=round(time.monotonic() - began, 2),
            ),
        )
