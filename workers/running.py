"""How a process of ours begins, and what it says when it cannot."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from workers import logs
from workers import settings as setting
from workers.ending import end_after
from workers.settings import Settings


def run(name: str, work: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """Run the process `name` until its work is over; an obstacle is said in one line."""

    def begin() -> None:
        settings = setting.load()
        logs.configure(name, log_format=settings.log_format, log_level=settings.log_level)
        uvloop.run(work(settings))

    end_after(name, begin)
