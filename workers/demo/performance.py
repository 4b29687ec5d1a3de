"""One performance of two acts, from the signups to the last check."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager

import httpx
from temporalio.service import RPCError

from database.connection import DatabaseDown
from workers import laptop_processes
from workers.demo.books.act import Stage
from workers.demo.books.finance import Finance
from workers.demo.books.money import Money
from workers.demo.books.performance import customers_of, perform_books
from workers.demo.callers import Callers
from workers.demo.cast import Applicant, Run
from workers.demo.checks import check_all
from workers.demo.evidence import Investigation
from workers.demo.memory import Memory
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
    """Play both acts, and look at what is there after each.

    A play that derails is looked at all the same; then there is no second act. `pace` is how long
    to leave people for reading a sentence, in seconds; `stays` says that the stack goes on
    afterwards. Raises Unseen.
    """
    web_ui = laptop_processes.urls(settings)["temporal"][0] if stays else None
    async with (
        aclosing(Outside(settings)) as outside,
        aclosing(Callers(settings)) as callers,
        aclosing(Money(settings)) as money,
        aclosing(Finance(settings)) as finance,
    ):
        derailed, memory = await _onboardings(
            show,
            lambda watch: Plot(run, show, watch, callers, outside, theatre, pace=pace),
            callers,
        )
        played = show.seconds
        show.say(
            "Now Stripe, directory, CRM, mailbox, our database and Temporal are asked: is all as"
            " planned?"
        )
        books = None
        with _seen(settings, derailed):
            temporal = await connect(settings, lazy=True)
            investigation = Investigation(run, settings, outside, callers, temporal)
            evidence = await investigation.of(show.rows, memory)
            looked = show.seconds - played
            if derailed is None:
                customers = await customers_of(outside, show.rows, memory.since)
                stage = Stage(run, show, outside, theatre, money, finance, pace)
                books = await perform_books(settings, stage, customers, web_ui=web_ui)
        checks = check_all(cast, evidence)
        return report_of(
            show,
            checks + (books.checks if books else []),
            derailed=books.derailed if books else derailed,
            own_stack=theatre.own,
            web_ui=web_ui,
            books=books.report if books else None,
            seconds=Durations(
                stack=round(stack_seconds, 2),
                play=round(played, 2),
                books=round(books.played if books else 0.0, 2),
                checks=round(looked + (books.looked if books else 0.0), 2),
            ),
        )


async def _onboardings(
    show: Show, plot_of: Callable[[Watch], Plot], callers: Callers
) -> tuple[str | None, Memory]:
    """Play the first act: where it derailed, and what it saw."""
    async with aclosing(Watch(show, callers)) as watch:
        plot = plot_of(watch)
        try:
            await plot.play()
        except (Derailed, PerdureError, httpx.HTTPError) as error:
            return f"{type(error).__name__}: {error}", plot.memory
    return None, plot.memory


@contextmanager
def _seen(settings: Settings, derailed: str | None) -> Iterator[None]:
    """What is looked at inside has to answer. Raises Unseen where it does not."""
    try:
        yield
    # A client that connects late says by a RuntimeError that it could not.
    except (httpx.HTTPError, RPCError, DatabaseDown, RuntimeError) as error:
        told = f"\nBefore that the play derailed: {derailed}." if derailed else ""
        raise Unseen(
            f"What the play left cannot be looked at: {type(error).__name__}: {error}. Does "
            f"the stack still run? Its logs are in {settings.home / 'logs'}.{told}"
        ) from error
