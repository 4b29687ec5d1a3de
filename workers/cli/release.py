"""`perdure migrate`, `namespace`, `schedule` and `secrets`: what a release needs before it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.terminal import say

if TYPE_CHECKING:
    from workers.settings import Settings

app = typer.Typer()


@app.command(rich_help_panel="A deployment")
def migrate() -> None:
    """Bring the database's tables to what this release needs; several at once take turns.

    Example: `perdure migrate`

    Exit codes: 0 the tables are this release's · 1 the database does not answer, refuses us, or
    is a later release's · 2 a setting is wrong
    """
    import asyncio

    from workers import settings

    changed = asyncio.run(_migrate(settings.load()))
    say("The tables are now this release's." if changed else "There was nothing to do.")


namespace = typer.Typer(help="Temporal's namespace.", no_args_is_help=True)
app.add_typer(namespace, name="namespace", rich_help_panel="A deployment")


@namespace.command("apply")
def apply_namespace(
    retention_days: Annotated[
        int, typer.Option(min=1, help="How long a new namespace keeps workflows that have ended.")
    ] = 30,
) -> None:
    """Make Temporal's namespace unless it is there, and register the search attributes it lacks.

    Waits up to a minute for a server that is just starting. A namespace that is there keeps its
    retention.

    Example: `perdure namespace apply --retention-days 90`

    Exit codes: 0 it is what it should be · 1 Temporal does not answer, or does not let us · 2 a
    setting is wrong
    """
    import asyncio

    from workers import settings

    asyncio.run(_apply_namespace(settings.load(), retention_days))


schedule = typer.Typer(help="What runs by schedule.", no_args_is_help=True)
app.add_typer(schedule, name="schedule", rich_help_panel="A deployment")


@schedule.command("apply")
def apply_schedules() -> None:
    """Make every schedule what this release needs; one that is paused stays paused.

    Example: `perdure schedule apply`

    Exit codes: 0 they are what they should be · 1 Temporal does not answer, or refuses · 2 a
    setting is wrong
    """
    import asyncio

    from workers import settings

    asyncio.run(_apply_schedules(settings.load()))


secrets = typer.Typer(help="The secrets of a deployment.", no_args_is_help=True)
app.add_typer(secrets, name="secrets", rich_help_panel="A deployment")


@secrets.command("make")
def make_secrets(
    folder: Annotated[Path, typer.Argument(help="Where they go, one file each.")] = Path(
        "deploy/secrets"
    ),
    tenant: Annotated[str, typer.Option(help="Whose API keys are made.")] = "example",
) -> None:
    """Make the secrets that `docker-compose.yml` names and that are not there yet.

    Stripe's are made up, for the simulators: put your own into their files.

    Example: `perdure secrets make deploy/secrets --tenant acme`

    Exit codes: 0 all are there · 1 the folder cannot be used · 2 wrong usage
    """
    from workers import deployment_secrets

    for name in deployment_secrets.make(folder, tenant=tenant):
        say(f"made {folder / name}")


async def _migrate(settings: Settings) -> bool:
    """Apply what is missing; answers whether anything was."""
    from alembic.util import CommandError
    from sqlalchemy.exc import DBAPIError

    from database.connection import DatabaseDown, engine_for, transaction
    from database.migrate import may_run, upgrade
    from workers.obstacle import Obstacle

    where = f"{settings.database_host}:{settings.database_port}/{settings.database_name}"
    engine = engine_for(settings.database_url, application="perdure-migrate")
    try:
        async with transaction(engine) as connection:
            if await may_run(connection):
                return False
        await upgrade(settings.database_url)
    except DatabaseDown as error:
        # What the certificate or the server's refusal to encrypt was is in the cause alone.
        raise Obstacle(f"The database at {where} does not answer ({error.__cause__}).") from error
    except DBAPIError as error:
        raise Obstacle(f"The database at {where} refuses: {error.orig}") from error
    except CommandError as error:
        raise Obstacle(
            f"The database at {where} has a migration that this release does not know ({error}). "
            "It is a later release's: run that one."
        ) from error
    finally:
        await engine.dispose()
    return True


async def _apply_namespace(settings: Settings, retention_days: int) -> None:
    from datetime import timedelta

    from workers import namespace
    from workers.temporal_client import connect

    client = await connect(settings, lazy=True)
    made = await namespace.apply(client, retention=timedelta(days=retention_days))
    say(f"The namespace {client.namespace} {'was made' if made else 'is there'}.")
    say("It has every search attribute.")


async def _apply_schedules(settings: Settings) -> None:
    from temporalio.service import RPCError

    from workers import schedules
    from workers.obstacle import Obstacle
    from workers.temporal_client import connect

    client = await connect(settings)
    try:
        await schedules.apply(client, settings)
    except RPCError as error:
        raise Obstacle(f"Temporal refuses: {error.message}") from error
    say(f"{len(schedules.EVERY) + 1} schedules are what they should be.")
