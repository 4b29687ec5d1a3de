"""How a process of ours ends: with the exit code that it means."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from workers.obstacle import Obstacle
from workers.terminal import say


def end(code: int) -> NoReturn:
    """End at once, with all that was said.

    Not `sys.exit`: threads of Temporal's core may still touch Python while it is taken down, and
    then one process in ten aborts, and ends with another code than we said.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # whoever read it may be gone
            stream.flush()
    os._exit(code)


def end_after(name: str, work: Callable[[], object]) -> NoReturn:
    """Do `work`, then end: with the number that it came to, or an obstacle's, said in one line."""
    try:
        done = work()
    except Obstacle as obstacle:
        say(f"{name}: {obstacle}", err=True)
        end(obstacle.exit_code)
    except SystemExit as asked:
        end(asked.code if isinstance(asked.code, int) else int(asked.code is not None))
    except BaseException:  # noqa: BLE001 - as Python does it: shown, and 1
        sys.excepthook(*sys.exc_info())
        end(1)
    end(done if isinstance(done, int) else 0)
