"""The worker that reconciles: nights, ranges, runs, and apart from them the long work of runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from activities.failures import FailureInterceptor
from activities.letters import Letters
from activities.onboarding.policy import BadPolicy, load_policy
from activities.process import ProcessActivities
from activities.reconciliation.compare import InputsOf, MatchActivities
from activities.reconciliation.gather import GatherActivities, ProcessorOf
from activities.reconciliation.gathered import GatheredInputs
from activities.reconciliation.post import PostActivities
from activities.reconciliation.prove import ProofActivities
from activities.reconciliation.runs import RunActivities
from activities.reconciliation.shadow import ShadowActivities
from activities.reconciliation.statements import StatementIntake
from activities.reconciliation.terms import BadTerms, load_terms
from connectors.capabilities import Processor
from connectors.statements.csv import BadColumns, load_columns
from connectors.stripe.balance import StripeListing
from connectors.stripe.reports import StripeReports
from database.connection import engine_for
from database.paces import Pace
from database.reconciliation.accounts import Account
from workers import keys
from workers.logs import StepContext
from workers.running import run
from workers.settings import Settings, SettingsWrong, variable
from workers.signals import stop_requested
from workers.statement_folder import watching
from workers.systems import ARCHIVE, MAIL, Making, statement_spool
from workers.temporal_client import connect
from workers.temporal_worker import worker
from workflows.policy import Budgets
from workflows.reconciliation.messages import TASK_QUEUE
from workflows.reconciliation.nightly import Nightly, ReconcileDays
from workflows.reconciliation.terms import Terms
from workflows.reconciliation.workflow import ReconcileAccount, ShadowReconciliation
from workflows.step import bulk_queue, declaration_of, implementations

WORKFLOWS: list[type] = [Nightly, ReconcileDays, ReconcileAccount, ShadowReconciliation]
Step = Callable[..., Any]
"""Any: each step has its own message and result."""

_STRIPE_PER_SECOND = 20
"""Requests of all workers together: Stripe lets a live account have a hundred."""
_LONG_WORK_AT_A_TIME = 4
"""Each may have the rows of a whole account in hand."""


@asynccontextmanager
async def activities(settings: Settings) -> AsyncIterator[list[Step]]:
    """The one place where the steps of reconciliation are put together."""
    try:
        policy = load_policy(settings.rules / "policy.toml", settings.policy)
        terms = load_terms(settings.rules / "reconciliation.toml")
        columns = load_columns(settings.rules / "statement_columns.toml")
    except (BadPolicy, BadTerms, BadColumns) as error:
        raise SettingsWrong(str(error)) from error
    patience = policy.budgets.remote.one_try.total_seconds() * 0.65
    engine = engine_for(
        settings.database_url, application="perdure-reconciliation", patience=patience
    )
    # Matching a million rows takes as long as it takes.
    unhurried = engine_for(settings.database_url, application="perdure-reconciliation", size=5)
    async with AsyncExitStack() as closing:
        closing.push_async_callback(engine.dispose)
        closing.push_async_callback(unhurried.dispose)
        making = Making(settings, patience, closing, engine)
        letters = Letters(engine, MAIL[settings.mail](making), sender=settings.mail_from)
        intake = StatementIntake(
            unhurried, statement_spool(settings), ARCHIVE[settings.archive](making), columns
        )
        try:
            await closing.enter_async_context(watching(settings.statement_folder, intake))
        except OSError as error:
            name = variable("statement_folder")
            raise SettingsWrong(f"{name}: the folder cannot be made ({error.strerror}).") from error
        yield [
            *implementations(
                ProcessActivities(
                    engine,
                    letters,
                    public_keys=keys.public_keys(settings),
                    operators=settings.operators_email,
                ),
                GatherActivities(
                    unhurried,
                    _books_at_stripe(making, terms),
                    intake,
                    terms.keys.processor,
                ),
                PostActivities(
                    unhurried,
                    letters,
                    finance=settings.finance_email,
                    operators=settings.operators_email,
                ),
            ),
            *books(engine, unhurried, policy.budgets, terms, GatheredInputs(terms)),
        ]


def _books_at_stripe(making: Making, terms: Terms) -> ProcessorOf:
    """How an account's book at Stripe is read: the way that the account says."""
    references = terms.keys.processor

    def processor_of(account: Account) -> Processor | None:
        if account.processor == "files":
            return None
        pace = Pace(making.engine, "stripe", per_second=_STRIPE_PER_SECOND)
        listing = StripeListing(making.stripe, pace=pace, references=references)
        if account.processor == "reports":
            return StripeReports(making.stripe, listing, references=references)
        return listing

    return processor_of


def books(
    engine: AsyncEngine,
    unhurried: AsyncEngine,
    budgets: Budgets,
    terms: Terms,
    inputs_of: InputsOf,
) -> list[Step]:
    """The steps that need nothing but our database; `unhurried` has no limit of time."""
    return implementations(
        RunActivities(engine, budgets, rules_version=terms.version),
        MatchActivities(unhurried, terms, inputs_of),
        ShadowActivities(unhurried, terms, inputs_of),
        ProofActivities(unhurried),
    )


@asynccontextmanager
async def working(
    client: Client, steps: list[Step], *, task_queue: str = TASK_QUEUE
) -> AsyncIterator[None]:
    """The workers of both queues while they run; at the end they drain what they have."""
    interceptors = [StepContext(), FailureInterceptor()]
    long = [step for step in steps if declaration_of(step).kind == "bulk"]
    async with (
        worker(
            client,
            task_queue=task_queue,
            workflows=WORKFLOWS,
            activities=[step for step in steps if step not in long],
            interceptors=interceptors,
        ),
        worker(
            client,
            task_queue=bulk_queue(task_queue),
            activities=long,
            interceptors=interceptors,
            at_a_time=_LONG_WORK_AT_A_TIME,
        ),
    ):
        yield


async def work(settings: Settings) -> None:
    """Work until somebody asks to end."""
    client = await connect(settings)
    with stop_requested() as stop:
        async with activities(settings) as steps, working(client, steps):
            await stop.wait()


def main() -> None:
    """Run the worker."""
    run("reconciliation", work)


if __name__ == "__main__":
    main()
