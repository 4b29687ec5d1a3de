"""Signals that are no hints hold nothing up."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workflow.conftest import Begin
from tests.workflow.scripted import Scripted
from tests.workflow.test_confirmation import confirm, waits
from tests.workflow.test_onboarding import prove_identity
from workers.onboarding import WORKFLOWS

NAMES = ("email_confirmed", "identity_changed", "documents_changed", "hit_judged")


def _signals(process: type) -> list[Any]:
    # Any: functions with what Temporal notes on them.
    found = (getattr(process, name) for name in dir(process))
    return [one for one in found if hasattr(one, "__temporal_signal_definition")]


@pytest.mark.parametrize("process", WORKFLOWS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("sent", [(), (None,), (b"\0",), ({},), (None, None)], ids=str)
def test_no_handler_fails_by_what_is_no_hint(process: type, sent: tuple[Any, ...]) -> None:
    for handler in _signals(process):
        handler(object(), *sent)


async def test_an_onboarding_goes_on_after_empty_signals(onboarding: Begin) -> None:
    world = Scripted()
    async with onboarding(world, confirms=False) as one:
        await one.until(waits)
        for name in NAMES:
            await one.handle.signal(name, None)
            await one.handle.signal(name)
            await one.handle.signal(name, args=[None, None])
        await confirm(world, one)
        await prove_identity(one)
