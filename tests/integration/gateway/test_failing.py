"""A process whose code fails is listed, says so to whoever decides, and is let go on."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from gateway.attention import _why_it_fails
from tests.house import TENANT, House
from tests.integration.gateway.broken import Broken, BrokenAnswer
from tests.integration.gateway.conftest import Gateway, gateway_of, problem, stage_is, until
from tests.integration.gateway.test_attention import TAX_STEP, resolution, waiting
from workers import onboarding as worker
from workers.converter import CONVERTER
from workers.sandbox import workflow_runner
from workflows import search_attributes
from workflows.handover import hand_over_onboarding
from workflows.onboarding.messages import TASK_QUEUE, Start, workflow_id
from workflows.onboarding.workflow import CustomerOnboarding

pytestmark = pytest.mark.slow

_FAILURES = "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute"
RESOLVE = "/v1/attention/resolve"


@pytest.fixture(scope="session")
async def quick_to_tell() -> AsyncIterator[Client]:
    """A Temporal that lists a run at its first failure; else it takes most of a minute."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(Path(sys.executable).parent / "temporal"),
        data_converter=CONVERTER,
        search_attributes=search_attributes.ALL,
        dev_server_log_level="error",
        dev_server_extra_args=["--dynamic-config-value", f"{_FAILURES}=1"],
    ) as environment:
        yield environment.client


@pytest.fixture
async def house(house: House, quick_to_tell: Client) -> House:
    return replace(house, client=quick_to_tell)


@pytest.fixture
async def gateway(house: House) -> AsyncIterator[Gateway]:
    async with gateway_of(house) as running:
        yield running


async def begun(house: House) -> str:
    """An onboarding whose failed tasks are tried again soon."""
    id_ = await house.apply()
    start = Start(application_id=id_, tenant=TENANT)
    await house.client.start_workflow(
        CustomerOnboarding.run,
        start,
        id=workflow_id(TENANT, id_),
        task_queue=TASK_QUEUE,
        task_timeout=timedelta(seconds=1),
    )
    return id_


def bad_release(house: House) -> AbstractAsyncContextManager[Any]:
    return Worker(house.client, task_queue=TASK_QUEUE, workflows=[Broken])


async def is_listed(gateway: Gateway, id_: str) -> dict[str, Any]:
    def ours(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [item for item in items if item["workflow_id"] == workflow_id(TENANT, id_)]

    return ours(await until(lambda: waiting(gateway), ours))[0]


async def withdraw(gateway: Gateway, id_: str) -> httpx.Response:
    return await gateway.service.post(f"/v1/onboardings/{id_}/withdraw", {"reason": "r"})


async def attempts(house: House, id_: str) -> int:
    described = await house.client.get_workflow_handle(workflow_id(TENANT, id_)).describe()
    return described.raw_description.pending_workflow_task.attempt


async def test_a_process_whose_code_fails_is_listed(gateway: Gateway, house: House) -> None:
    async with bad_release(house):
        id_ = await house.apply()
        await hand_over_onboarding(house.client, Start(application_id=id_, tenant=TENANT))
        item = await is_listed(gateway, id_)
        assert await waiting(gateway, step=TAX_STEP) == []
        assert await waiting(gateway, owner="finance") == []
    assert (item["kind"], item["step"]) == ("failing", None)
    assert item["why"]["kind"] == "defect"
    assert item["why"]["type"] == "WorkflowTaskFailedCauseWorkflowWorkerUnhandledFailure"
    assert "Deploy a mended version" in item["why"]["text"]
    assert item["choices"] == ["retry"]


async def test_who_decides_about_a_failing_process_is_told_where_it_is_seen_to(
    gateway: Gateway, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async with bad_release(house):
        id_ = await begun(house)
        # From its third attempt on, the server itself refuses what needs the workflow's answer.
        await until(lambda: attempts(house, id_), lambda attempt: attempt >= 3)
        caplog.set_level("INFO", "workflows.patience")
        withdrawn = await withdraw(gateway, id_)
        assert "/v1/attention" in problem(withdrawn, 503, "failing")["detail"]
        assert "FAILED_PRECONDITION" in caplog.text
        decided = resolution(id_, "retry", step=TAX_STEP)
        problem(await gateway.operator.post(RESOLVE, decided), 503, "failing")


async def test_a_failing_process_goes_on_once_its_code_is_mended_and_it_is_retried(
    gateway: Gateway, house: House
) -> None:
    async with bad_release(house):
        id_ = await begun(house)
        await is_listed(gateway, id_)
    process = house.client.get_workflow_handle(workflow_id(TENANT, id_))
    failed = (await process.describe()).run_id
    abort = await gateway.operator.post(RESOLVE, resolution(id_, "abort"))
    assert "retry" in problem(abort, 409, "not-a-choice")["detail"]
    answer = await gateway.operator.post(RESOLVE, resolution(id_, "retry"))
    assert answer.status_code == 202, answer.text
    async with house.working(max_cached_workflows=10):
        await stage_is(gateway, id_, "verifying_email")
        again = await gateway.operator.post(RESOLVE, resolution(id_, "retry"))
        problem(again, 409, "not-failing")
    before = house.client.get_workflow_handle(workflow_id(TENANT, id_), run_id=failed)
    assert (await before.describe()).status == WorkflowExecutionStatus.TERMINATED
    (line,) = await house.rows("SELECT * FROM audit WHERE event = 'run.resolved'")
    assert (line["actor"], line["workflow_id"]) == ("test-operator", workflow_id(TENANT, id_))
    assert line["details"] == {"runs": [failed], "action": "retry", "reason": "looked"}


async def test_what_is_not_failing_is_not_reset(gateway: Gateway, house: House) -> None:
    async with house.working(max_cached_workflows=10):
        id_ = await begun(house)
        await stage_is(gateway, id_, "verifying_email")
        refused = await gateway.operator.post(RESOLVE, resolution(id_, "retry"))
        problem(refused, 409, "not-failing")
        unknown = await gateway.operator.post(RESOLVE, resolution("a" * 26, "retry"))
        problem(unknown, 404, "not-found")
    assert await house.rows("SELECT * FROM audit WHERE event = 'run.resolved'") == []


async def test_a_decision_whose_answer_was_cut_off_comes_in_anew(
    gateway: Gateway, house: House
) -> None:
    async with (
        worker.activities(house.settings, house.client) as registered,
        Worker(
            house.client,
            task_queue=TASK_QUEUE,
            workflows=[BrokenAnswer],
            activities=registered,
            workflow_runner=workflow_runner(),
        ),
    ):
        id_ = await begun(house)
        await stage_is(gateway, id_, "verifying_email")
        problem(await withdraw(gateway, id_), 503, "failing")
    answer = await gateway.operator.post(RESOLVE, resolution(id_, "retry"))
    assert answer.status_code == 202, answer.text
    process = house.client.get_workflow_handle(workflow_id(TENANT, id_))
    history = [event.event_type async for event in process.fetch_history_events()]
    assert EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED not in history
    async with house.working(max_cached_workflows=10):
        await stage_is(gateway, id_, "withdrawn")
    (decision,) = await house.rows("SELECT * FROM decisions")
    assert decision["kind"] == "withdraw"


def test_an_answer_that_was_cut_off_is_told_apart_from_a_defect() -> None:
    cut_off = _why_it_fails("WorkflowTaskFailedCauseBadUpdateWorkflowExecutionMessage")
    assert "retry resets it to before" in cut_off.text
    assert "mended" not in cut_off.text
