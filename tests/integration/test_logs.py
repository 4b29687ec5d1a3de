"""What a workflow logs is written once, however often its code runs again."""

from __future__ import annotations

import asyncio
import io
import json
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Worker

from tests.integration.loggers import Failing, Talkative
from workers.sandbox import workflow_runner

CANARY = "Canary Q. Applicant"


@activity.defn(name="fails")
async def fails() -> None:
    """Fail as a driver does: with a row in the text."""
    raise RuntimeError(f"DETAIL: Key (name)=({CANARY}) already exists")


async def test_each_line_of_a_workflow_is_written_once(
    temporal: Client, written: io.StringIO
) -> None:
    queue = str(uuid4())
    async with Worker(
        temporal,
        task_queue=queue,
        workflows=[Talkative],
        workflow_runner=workflow_runner(),
        max_cached_workflows=0,
    ):
        handle = await temporal.start_workflow("Talkative", id=str(uuid4()), task_queue=queue)
        for number in range(4):
            await handle.signal(Talkative.hear, f"word-{number}")
            while len(await handle.query(Talkative.words)) <= number:
                await asyncio.sleep(0.02)
        assert await handle.result() == 4
    told = [json.loads(line) for line in written.getvalue().splitlines()]
    about = [line for line in told if line.get("workflow_id") == handle.id]
    assert [line.get("number") for line in about if line["event"] == "heard"] == [0, 1, 2, 3]
    words = [line["word"] for line in about if line["event"] == "told"]
    assert words == [f"word-{number}" for number in range(4)]
    assert [line["event"] for line in about if line["event"] in ("begun", "ended")] == [
        "begun",
        "ended",
    ]
    assert len(about) == 10


async def test_what_temporal_logs_of_a_failed_activity_has_no_text_in_it(
    temporal: Client, written: io.StringIO
) -> None:
    queue = str(uuid4())
    async with Worker(
        temporal,
        task_queue=queue,
        workflows=[Failing],
        activities=[fails],
        workflow_runner=workflow_runner(),
    ):
        with pytest.raises(WorkflowFailureError):
            await temporal.execute_workflow("Failing", id=str(uuid4()), task_queue=queue)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    (failed,) = [line for line in lines if line.get("step") == "fails"]
    assert failed["event"].startswith("Completing activity as failed")
    assert "RuntimeError" in failed["exception"]
    assert CANARY not in written.getvalue()
