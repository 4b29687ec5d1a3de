"""A Temporal worker as we set one up, whatever it works on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Interceptor, Worker

from workers.sandbox import workflow_runner

_DRAIN = timedelta(seconds=10)
"""How long activities may go on after somebody asked the worker to end."""
_STICKY = timedelta(seconds=3)
"""How long a process waits for the worker that has it in its cache. When a worker was killed, its
processes go on with another one after this; the server would give it ten seconds."""


def worker(
    client: Client,
    *,
    task_queue: str,
    workflows: Sequence[type] = (),
    activities: Sequence[Callable[..., Any]],  # Any: each step has its own
    interceptors: Sequence[Interceptor],
    max_cached_workflows: int = 1000,
    at_a_time: int | None = None,
) -> Worker:
    """A worker of one queue; `at_a_time` is how many activities it has under way at most."""
    return Worker(
        client,
        task_queue=task_queue,
        workflows=workflows,
        activities=activities,
        workflow_runner=workflow_runner(),
        interceptors=interceptors,
        max_cached_workflows=max_cached_workflows,
        max_concurrent_activities=at_a_time,
        sticky_queue_schedule_to_start_timeout=_STICKY,
        graceful_shutdown_timeout=_DRAIN,
    )
