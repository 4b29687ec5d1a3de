"""The worker of the baseline: `python -m benchmarks.plain_worker`.

It runs the bodies of our own activities, with the same writes in our database and the same calls
outside, in a worker that is set up as ours is. What stands around them is taken off: `once` only
lets the effect happen, nothing is validated, no failure is translated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, TypeVar, cast, get_type_hints
from unittest import mock
from uuid import uuid4

import uvloop
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity
from temporalio.client import Client

from activities.onboarding.policy import load_policy
from activities.once import Once
from benchmarks.plain import TASK_QUEUE, PlainOnboarding
from connectors.capabilities import Sent
from database.connection import statement, transaction
from database.prepared import Effect
from workers import onboarding
from workers import settings as setting
from workers.logs import StepContext
from workers.settings import Settings
from workers.signals import stop_requested
from workers.temporal_worker import worker
from workflows.request_key import Request, outside_key
from workflows.step import declaration_of

Made = TypeVar("Made", bound=BaseModel)
_SHARED: dict[str, BaseModel] = {}
Plain = Callable[[dict[str, Any]], Awaitable[dict[str, Any] | None]]


async def ours(
    once: Once, _: object, effect: Callable[[AsyncConnection], Awaitable[Made]], __: object
) -> Made:
    """The effect in a transaction, and no row that says that it happened."""
    async with transaction(once._engine) as connection:
        return await effect(connection)


async def ours_at_once(once: Once, _: object, effect: Effect, values: Mapping[str, Any]) -> None:
    """The effect alone, in one statement as it is."""
    async with statement(once._engine) as connection:
        await effect.carry_out(connection, values)


async def theirs(
    _: Once, __: object, ___: object, *, send: Callable[[str], Awaitable[Made]], **____: object
) -> Made:
    """The call under a key that nobody will find again."""
    return await send(f"plain_{uuid4().hex}")


async def shared(
    _: Once,
    request: Request,
    __: object,
    *,
    find: Callable[[Sent], Awaitable[Made | None]],
    **___: object,
) -> Made:
    """What our process made for all of them, looked up once: as if it were configured."""
    known = _SHARED.get(request.request_key)
    if known is None:
        known = await find(Sent(outside_key(request.request_key, 1), datetime.now(UTC)))
        assert known is not None, "the process has made it while warming up"
        _SHARED[request.request_key] = known
    return cast(Made, known)


def without_once() -> AbstractContextManager[object]:
    """As long as it lasts, `Once` keeps nothing in mind."""
    return mock.patch.multiple(
        Once, ours=ours, ours_at_once=ours_at_once, theirs=theirs, shared=shared
    )


def plainly(
    body: Callable[..., Awaitable[BaseModel | None]], kept: Mapping[str, Mapping[str, Any]]
) -> Plain:
    """A step as an activity from dictionary to dictionary; `kept` is the policy that it needs."""
    asked: type[BaseModel] = get_type_hints(body)["request"]
    its_policy = kept.get(declaration_of(body).name, {})

    @activity.defn(name=declaration_of(body).name)
    async def carry_out(given: dict[str, Any]) -> dict[str, Any] | None:
        made = await body(asked.model_construct(**given, **its_policy))
        return made.model_dump(mode="json") if made is not None else None

    return carry_out


async def work(settings: Settings) -> None:
    """Work until somebody asks to end."""
    client = await Client.connect(settings.temporal_address)
    policy = load_policy(settings.rules / "policy.toml", settings.policy)
    kept: dict[str, dict[str, Any]] = {
        "screening.screen": {"policy": policy.screening},
        "application.validate": {"duplicates": policy.duplicates},
    }
    with stop_requested() as stop, without_once():
        async with (
            onboarding.activities(settings, client) as steps,
            worker(
                client,
                task_queue=TASK_QUEUE,
                workflows=[PlainOnboarding],
                activities=[plainly(step, kept) for step in steps],
                interceptors=[StepContext()],
            ),
        ):
            await stop.wait()


if __name__ == "__main__":
    uvloop.run(work(setting.load()))
