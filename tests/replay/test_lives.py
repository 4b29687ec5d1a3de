"""The lives of customers go on under today's code, too."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.workflow import NondeterminismError

from tests.replay.lives import LIVES, OPEN
from tests.replay.replaying import recorded_lives, replay
from workflows.onboarding.customer_life import CustomerLife
from workflows.onboarding.life import LifeState

HISTORIES = recorded_lives()


def outcome(history: WorkflowHistory) -> str | None:
    last = history.events[-1]
    if last.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        return None
    completed = last.workflow_execution_completed_event_attributes
    return str(json.loads(completed.result.payloads[0].data))


def test_every_end_and_lives_that_go_on_are_recorded() -> None:
    assert set(HISTORIES) == set(LIVES)
    outcomes = {name: outcome(history) for name, history in HISTORIES.items()}
    assert {end for end in outcomes.values() if end} == {"offboarded"}
    assert {name for name, end in outcomes.items() if end is None} == OPEN


@workflow.defn(name="CustomerLife", sandboxed=False)
class Broken(CustomerLife):
    """An edit that lives under way cannot meet: it waits before each stage."""

    @workflow.init
    def __init__(self, state: LifeState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: LifeState) -> str:
        return await super().run(state)

    async def record_stage(self, stage: str) -> None:
        await workflow.sleep(timedelta(seconds=1))
        await super().record_stage(stage)


@pytest.mark.parametrize("name", HISTORIES)
async def test_the_gate_catches_a_broken_edit(name: str) -> None:
    with pytest.raises(NondeterminismError):
        await replay(HISTORIES[name], [Broken])
