"""How a process of ours begins, and what it says when it cannot."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from workers import settings as setting
from workers import telemetry
from workers.obstacle import Obstacle
from workers.settings import Settings


def run(name: str, work: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """Run the process `name` until its work is over; an obstacle is said in one line."""
    try:
        settings = setting.load()
        telemetry.configure(name, log_format=settings.log_format, log_level=settings.log_level)
        uvloop.run(work(settings))
    except Obstacle as obstacle:
        print(f"{name}: {obstacle}", file=sys.stderr)  # noqa: T201
        sys.exit(obstacle.exit_code)
