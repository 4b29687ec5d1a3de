"""A process of its own that dies, as by a power cut, at a chosen touch of the file system."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any

_TOUCHES = {"open", "os.link", "os.remove", "os.rename"}
_DIED = 9


def died(effect: Callable[[], Coroutine[Any, Any, object]], *, at: int | None = None) -> bool:
    """Carry out `effect`, dying before touch number `at` if any; whether it came to that."""
    child = multiprocessing.get_context("fork").Process(target=_carry_out, args=(effect, at))
    child.start()
    child.join(20)
    assert child.exitcode in (0, _DIED)
    return child.exitcode == _DIED


def _carry_out(effect: Callable[[], Coroutine[Any, Any, object]], at: int | None) -> None:
    touches = 0

    def die(event: str, _: object) -> None:
        nonlocal touches
        touches += event in _TOUCHES
        if touches == at:
            os._exit(_DIED)

    sys.addaudithook(die)
    asyncio.run(effect())
    os._exit(0)
