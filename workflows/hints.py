"""Signals are hints: each says that something is worth a look, and carries nothing else."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel

Self = TypeVar("Self")
Hint = TypeVar("Hint", bound=BaseModel)


def dropping_what_is_no_hint(handler: Callable[[Self, Hint], None]) -> Callable[[Self, Hint], None]:
    """Put under `@workflow.signal`: a signal without a hint, or with more than one, does nothing.

    Whoever can reach Temporal can send one, and a handler that fails holds its process up.
    """

    @functools.wraps(handler)
    def heard(self: Self, *sent: Any) -> None:  # Any: whatever somebody sent
        match sent:
            case [BaseModel() as hint]:
                handler(self, hint)  # type: ignore[arg-type]  # the converter read it as one

    return heard
