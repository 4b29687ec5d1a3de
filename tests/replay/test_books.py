"""Reconciliations go on under today's code, too; their histories are short and name nothing."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowHistory
from temporalio.workflow import NondeterminismError

from tests.replay.books import BOOKS, OPEN, record_book
from tests.replay.replaying import recorded_books, replay
from tests.replay.test_replay import asked_for, outcome
from workflows.reconciliation import nightly
from workflows.reconciliation.messages import ENDS, Days, Night, Run, Started
from workflows.reconciliation.nightly import Nightly, ReconcileDays
from workflows.reconciliation.workflow import ReconcileAccount, ShadowReconciliation

HISTORIES = {name.removeprefix("books/"): one for name, one in recorded_books().items()}
ENDLESS = ("night", "range")
"""What starts these has results of its own."""

MOST_EVENTS = 2_000
MOST_BYTES = 1_000_000
A_WORD = re.compile(r"[\w./:+-]*")
"""An id, a name of ours, a hash, a time: no text."""
IN_WORDS = {"reason", "stopping", "summary", "text"}
"""Why a person decided so, what comes of it, and what failed: as every process has it."""


def outcomes(*, shadows: bool) -> dict[str, str | None]:
    return {
        name: outcome(history)
        for name, history in HISTORIES.items()
        if not name.startswith(ENDLESS) and name.startswith("shadow") == shadows
    }


def test_every_end_and_open_ones_are_recorded() -> None:
    assert set(HISTORIES) == set(BOOKS)
    for shadows in (False, True):
        assert {end for end in outcomes(shadows=shadows).values() if end} == set(ENDS)
    ended = "WORKFLOW_EXECUTION_COMPLETED", "WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
    still = {name for name, one in HISTORIES.items() if not last_of(one).endswith(ended)}
    assert still == OPEN
    assert {name for name, one in HISTORIES.items() if last_of(one).endswith(ended[1])} == {
        "night-in-parts"
    }


def last_of(history: WorkflowHistory) -> str:
    return str(history.to_json_dict()["events"][-1]["eventType"])


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_is_short(name: str) -> None:
    assert len(HISTORIES[name].events) < MOST_EVENTS
    assert len(HISTORIES[name].to_json()) < MOST_BYTES


@pytest.mark.parametrize(
    ("name", "has", "most"),
    [("range", 3, nightly.DAYS_AT_A_TIME), ("night", 3, nightly.ACCOUNTS_AT_A_TIME)],
)
def test_the_longest_range_and_the_longest_night_are_short_too(
    name: str, has: int, most: int
) -> None:
    history = HISTORIES[name]
    assert len(history.events) * most // has < MOST_EVENTS
    assert sum(one.ByteSize() for one in history.events) * most // has < MOST_BYTES


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_holds_ids_counts_and_hashes_only(name: str) -> None:
    for event in HISTORIES[name].to_json_dict()["events"]:
        for payload in payloads(event):
            for field, value in leaves(payload):
                assert not field.endswith("_minor"), field
                assert not isinstance(value, float), field
                if isinstance(value, str) and field not in IN_WORDS:
                    assert A_WORD.fullmatch(value), f"{field}: {value}"


def payloads(told: Any) -> Iterator[Any]:
    """What was handed over, decoded; without the words of steps in the Web UI."""
    if isinstance(told, dict):
        if "data" in told and "metadata" in told:
            yield json.loads(base64.b64decode(told["data"]))
            return
        for name, each in told.items():
            if name != "userMetadata":
                yield from payloads(each)
    elif isinstance(told, list):
        for each in told:
            yield from payloads(each)


def leaves(told: Any, field: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a message, with the name of its field."""
    if isinstance(told, dict):
        for name, each in told.items():
            yield from leaves(each, name)
    elif isinstance(told, list):
        for each in told:
            yield from leaves(each, field)
    else:
        yield field, told


@pytest.mark.parametrize("name", ["breaks", "retried-and-skipped", "range", "night-in-parts"])
async def test_steps_are_asked_what_they_were_asked(temporal: Client, name: str) -> None:
    assert asked_for(await record_book(temporal, name)) == asked_for(HISTORIES[name])


@workflow.defn(name="ReconcileAccount", sandboxed=False)
class BrokenRun(ReconcileAccount):
    """An edit that runs under way cannot meet: it waits before each stage."""

    @workflow.init
    def __init__(self, run: Run) -> None:
        super().__init__(run)

    @workflow.run
    async def run(self, run: Run) -> str:
        return await super().run(run)

    async def enter(self, stage: str) -> None:
        await workflow.sleep(timedelta(seconds=1))
        await super().enter(stage)


@workflow.defn(name="ShadowReconciliation", sandboxed=False)
class BrokenShadow(ShadowReconciliation):
    """The same of shadows."""

    @workflow.init
    def __init__(self, run: Run) -> None:
        super().__init__(run)

    @workflow.run
    async def run(self, run: Run) -> str:
        return await super().run(run)

    async def enter(self, stage: str) -> None:
        await workflow.sleep(timedelta(seconds=1))
        await super().enter(stage)


@workflow.defn(name="Nightly", sandboxed=False)
class BrokenNight(Nightly):
    """A night that waits before it begins."""

    @workflow.run
    async def run(self, night: Night) -> Started:
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(night)


@workflow.defn(name="ReconcileDays", sandboxed=False)
class BrokenRange(ReconcileDays):
    """A range that waits before it begins."""

    @workflow.run
    async def run(self, days: Days) -> Days:
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(days)


@pytest.mark.parametrize("name", HISTORIES)
async def test_the_gate_catches_a_broken_edit(name: str) -> None:
    with pytest.raises(NondeterminismError):
        await replay(HISTORIES[name], [BrokenRun, BrokenShadow, BrokenNight, BrokenRange])
