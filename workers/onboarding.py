"""The worker that carries out customer onboardings, and the upkeep of what surrounds them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from temporalio.client import Client

from activities.failures import FailureInterceptor
from activities.letters import Letters
from activities.onboarding.application import ApplicationActivities
from activities.onboarding.billing import BillingActivities
from activities.onboarding.business_hours import ReviewHours
from activities.onboarding.comparison import ComparisonActivities
from activities.onboarding.confirmation import ConfirmationActivities
from activities.onboarding.crm import CrmActivities
from activities.onboarding.directory import DirectoryActivities
from activities.onboarding.documents import DocumentActivities
from activities.onboarding.duplicates import Acquaintances, DuplicateActivities
from activities.onboarding.identity import IdentityActivities
from activities.onboarding.life import LifeActivities
from activities.onboarding.notice import NoticeActivities
from activities.onboarding.policy import BadPolicy, load_policy
from activities.onboarding.review import ReviewActivities
from activities.onboarding.screening import ScreeningActivities
from activities.process import ProcessActivities
from activities.rules.book import load_rules
from activities.rules.problems import BadRules
from activities.rules.rulings import Rulings
from activities.upkeep import UpkeepActivities
from database.connection import engine_for
from workers import keys
from workers.logs import StepContext
from workers.running import run
from workers.settings import Settings, SettingsWrong
from workers.signals import stop_requested
from workers.systems import (
    ARCHIVE,
    BILLING,
    CRM,
    DIRECTORY,
    EVENTS,
    IDENTITY,
    MAIL,
    SCREENING,
    Making,
    spool,
)
from workers.temporal_client import connect
from workers.temporal_worker import worker
from workflows.onboarding.customer_life import CustomerLife
from workflows.onboarding.messages import TASK_QUEUE
from workflows.onboarding.rules import QUESTIONS
from workflows.onboarding.workflow import CustomerOnboarding
from workflows.step import implementations
from workflows.upkeep import Upkeep

WORKFLOWS: list[type] = [CustomerOnboarding, CustomerLife, Upkeep]


@asynccontextmanager
async def activities(settings: Settings, client: Client) -> AsyncIterator[list[Callable[..., Any]]]:
    """The one place where the onboarding's steps are put together with whom they talk to."""
    try:
        policy = load_policy(settings.rules / "policy.toml", settings.policy)
        rulings = Rulings(load_rules(settings.rules, QUESTIONS))
    except (BadPolicy, BadRules) as error:
        raise SettingsWrong(str(error)) from error
    # Whatever does not answer is given up before the activity is, so that we know who it was: our
    # own database must not use up the budget that the outside has.
    one_try = min(policy.budgets.remote.one_try, policy.budgets.read.one_try)
    patience = one_try.total_seconds() * 0.65
    engine = engine_for(
        settings.database_url,
        application="perdure-worker",
        patience=one_try.total_seconds() * 0.25,
    )
    async with AsyncExitStack() as closing:
        closing.push_async_callback(engine.dispose)
        making = Making(settings, patience, closing, engine)
        letters = Letters(engine, MAIL[settings.mail](making), sender=settings.mail_from)
        archive = ARCHIVE[settings.archive](making)
        uploads = spool(settings)
        billing = BILLING[settings.billing](making)
        directory = DIRECTORY[settings.directory](making)
        crm = CRM[settings.crm](making)
        lists = SCREENING[settings.screening](making)
        hours = ReviewHours(policy.review)
        yield implementations(
            ApplicationActivities(
                engine,
                policy,
                rulings=rulings,
                acquaintances=Acquaintances(settings.secret("applicant_hash_key")),
            ),
            DuplicateActivities(engine),
            ConfirmationActivities(
                engine,
                letters,
                keys.link_seals(settings),
                page=settings.confirmation_page,
            ),
            IdentityActivities(engine, IDENTITY[settings.identity](making)),
            ScreeningActivities(
                engine,
                lists,
                party_key=settings.secret("screening_key"),
            ),
            BillingActivities(engine, billing),
            DirectoryActivities(engine, directory),
            CrmActivities(engine, crm),
            NoticeActivities(engine, letters),
            LifeActivities(engine, policy, letters),
            ComparisonActivities(engine, billing, directory, crm),
            DocumentActivities(engine, archive, uploads, letters, hours),
            ReviewActivities(
                engine,
                letters,
                hours,
                addresses={
                    "reviewer": settings.reviewers_email,
                    "senior_reviewer": settings.senior_reviewers_email,
                },
            ),
            ProcessActivities(
                engine,
                letters,
                public_keys=keys.public_keys(settings),
                operators=settings.operators_email,
            ),
            UpkeepActivities(engine, client, EVENTS[settings.identity](making), uploads, lists),
        )


@asynccontextmanager
async def running(
    settings: Settings, client: Client, *, max_cached_workflows: int = 1000
) -> AsyncIterator[None]:
    """The worker while it runs; at the end it takes no more work and drains what it has."""
    async with (
        activities(settings, client) as steps,
        worker(
            client,
            task_queue=TASK_QUEUE,
            workflows=WORKFLOWS,
            activities=steps,
            interceptors=[StepContext(), FailureInterceptor()],
            max_cached_workflows=max_cached_workflows,
        ),
    ):
        yield


async def work(settings: Settings) -> None:
    """Work until somebody asks to end."""
    client = await connect(settings)
    with stop_requested() as stop:
        async with running(settings, client):
            await stop.wait()


def main() -> None:
    """Run the worker."""
    run("worker", work)


if __name__ == "__main__":
    main()
