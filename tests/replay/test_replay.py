"""Every change is replay-tested before it ships: recorded processes go on under today's code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.workflow import NondeterminismError

from tests.replay.recording import record
from tests.replay.replaying import everything, recorded, replay
from tests.replay.scenarios import OPEN, SCENARIOS
from workflows.onboarding.messages import ENDS, Start
from workflows.onboarding.workflow import CustomerOnboarding

ROOT = Path(__file__).parents[2]
HISTORIES = recorded()


def inputs(history: WorkflowHistory) -> list[tuple[str, str]]:
    """What the regular activities of a history were asked: replay itself does not look at it."""
    asked = []
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            scheduled = event.activity_task_scheduled_event_attributes
            payload = scheduled.input.payloads[0].data.decode()
            asked.append((scheduled.activity_type.name, payload))
    return asked


def outcome(history: WorkflowHistory) -> str | None:
    last = history.events[-1]
    if last.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        return None
    completed = last.workflow_execution_completed_event_attributes
    return str(json.loads(completed.result.payloads[0].data))


def test_every_outcome_and_open_processes_are_recorded() -> None:
    assert set(HISTORIES) == set(SCENARIOS)
    outcomes = {name: outcome(history) for name, history in HISTORIES.items()}
    assert {end for end in outcomes.values() if end} == set(ENDS)
    assert {name for name, end in outcomes.items() if end is None} == OPEN


def test_every_history_replays_whatever_the_hash_seed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.replay.replaying"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4242"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"{len(everything())} replayed, 0 failed" in done.stdout


@workflow.defn(name="CustomerOnboarding", sandboxed=False)
class Broken(CustomerOnboarding):
    """An edit that running processes cannot meet: it waits before it goes on."""

    @workflow.init
    def __init__(self, start: Start) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: Start) -> str:
        return await super().run(start)

    async def enter(self, stage: str) -> None:
        await workflow.sleep(timedelta(seconds=1))
        await super().enter(stage)


@workflow.defn(name="CustomerOnboarding", sandboxed=False)
class Patched(CustomerOnboarding):
    """The same edit, for processes that start after it only."""

    @workflow.init
    def __init__(self, start: Start) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: Start) -> str:
        return await super().run(start)

    async def enter(self, stage: str) -> None:
        if workflow.patched("wait-before-each-stage"):
            await workflow.sleep(timedelta(seconds=1))
        await super().enter(stage)


@pytest.mark.parametrize("name", HISTORIES)
async def test_the_gate_catches_a_broken_edit(name: str) -> None:
    with pytest.raises(NondeterminismError):
        await replay(HISTORIES[name], [Broken])


@pytest.mark.parametrize("name", HISTORIES)
async def test_the_same_edit_behind_a_patch_passes(name: str) -> None:
    await replay(HISTORIES[name], [Patched])


@pytest.mark.parametrize("name", ["active", "withdrawn-while-creating", "retried-and-skipped"])
async def test_activities_are_asked_what_they_were_asked(temporal: Client, name: str) -> None:
    """Replay does not compare arguments, so they are played again: same keys, same input.

    Not in the same order: what goes on at the same time is begun as the others get ahead.
    """
    assert asked_for(await record(temporal, name)) == asked_for(HISTORIES[name])


def asked_for(history: WorkflowHistory) -> list[str]:
    """Each step with its input, as text that can be put in order."""
    return sorted(f"{step} {_timeless(asked)}" for step, asked in inputs(history))


def _timeless(asked: str) -> object:
    """An input without what differs from day to day: who signed when, which policy held.

    What is empty counts as left out: a later release may have added it.
    """
    content = {name: value for name, value in json.loads(asked).items() if value is not None}
    content.pop("decision", None)
    content.pop("policy_version", None)
    content["request_key"] = content.get("request_key", "").partition("/process.record_decision/")[
        0
    ]
    return content


def test_no_history_names_the_machine_that_recorded_it() -> None:
    for name, history in everything().items():
        assert 'File \\"/' not in history.to_json(), name
