"""How a process of ours is: asked by whoever started it, on a laptop and in a container."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from workers.obstacle import Obstacle
from workers.settings import Settings

READY = "/readyz"
_PATIENCE = timedelta(seconds=5)
_A_POLL = timedelta(seconds=90)
"""A worker that has nothing to do asks Temporal again after a minute."""


class NotHealthy(Obstacle):
    """The process is not there, or cannot work. The text says what is wrong."""


async def gateway(settings: Settings) -> None:
    """Ask the gateway on this machine whether it can work. Raises NotHealthy."""
    url = f"http://127.0.0.1:{settings.gateway_port}{READY}"
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE.total_seconds()) as caller:
            answer = await caller.get(url)
    except httpx.TransportError as error:
        raise NotHealthy(f"Nobody answers at {url}.") from error
    if not answer.is_success:
        raise NotHealthy(f"The gateway cannot work: {answer.text}")


async def worker(client: Client, task_queue: str, *, is_it: Callable[[str], bool]) -> None:
    """Ask Temporal whether a worker asks it for the work of `task_queue`. Raises NotHealthy.

    `is_it` tells the worker by its identity, PROCESS@HOST. Temporal remembers a worker for some
    minutes after it is gone; only one that asked within the time of a poll counts.
    """
    try:
        queue = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=task_queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            ),
            timeout=_PATIENCE,
        )
    except RPCError as error:
        raise NotHealthy(f"Temporal says of the queue {task_queue}: {error.message}") from error
    since = datetime.now(UTC) - _A_POLL
    asked = (
        poller.last_access_time.ToDatetime(UTC) > since
        for poller in queue.pollers
        if is_it(poller.identity)
    )
    if not any(asked):
        raise NotHealthy(f"This worker does not ask Temporal for the work of {task_queue}.")
