"""Is it alive, and can it work: for whoever starts it and whoever sends it requests."""

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.service import RPCError

from database.connection import DatabaseDown, transaction
from database.migrate import may_run
from gateway.openapi import answers, problems
from gateway.options import Options
from gateway.problems import FieldError, Problem
from workflows.events import NotTaken
from workflows.patience import temporal_answers

router = APIRouter(tags=["health"])

_PATIENCE = 2.0


class Health(BaseModel):
    """How the gateway is."""

    status: str


@router.get("/healthz", summary="Is it alive", responses=answers(Health(status="alive")))
async def alive() -> Health:
    """Answers as long as the process does."""
    return Health(status="alive")


@router.get(
    "/readyz",
    summary="Can it work",
    responses={**answers(Health(status="ready")), **problems(503)},
)
async def ready(options: Options) -> Health:
    """Whether the database and Temporal answer, and this release may run on its tables."""
    checks = await asyncio.gather(_database(options.engine), _temporal(options.client))
    missing = [problem for problem in checks if problem is not None]
    if missing:
        raise Problem(
            503,
            "not-ready",
            "Something that the gateway needs is missing.",
            errors=missing,
            headers={"Retry-After": "2"},
        )
    return Health(status="ready")


async def _database(engine: AsyncEngine) -> FieldError | None:
    # In a task of its own: to cancel a connection that hangs would itself take long.
    asking = asyncio.ensure_future(_migrated(engine))
    done, _ = await asyncio.wait({asking}, timeout=_PATIENCE)
    if not done:
        asking.add_done_callback(lambda late: late.cancelled() or late.exception())
        return FieldError(field="database", message="does not answer")
    return asking.result()


async def _migrated(engine: AsyncEngine) -> FieldError | None:
    try:
        async with transaction(engine) as connection:
            if await may_run(connection):
                return None
    except DatabaseDown:
        return FieldError(field="database", message="does not answer")
    return FieldError(
        field="migrations", message="are not this release's: `perdure migrate` applies them"
    )


async def _temporal(client: Client) -> FieldError | None:
    try:
        async with temporal_answers():
            if await client.service_client.check_health():
                return None
    except (NotTaken, RPCError):
        pass
    return FieldError(field="temporal", message="does not answer")
