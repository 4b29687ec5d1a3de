from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
from types import SimpleNamespace
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError
from temporalio import activity
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from workers import logs


def _lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_our_lines_and_those_of_libraries_look_alike(written: io.StringIO) -> None:
    structlog.stdlib.get_logger("ours").info("handed over", count=2)
    logging.getLogger("theirs").warning("retrying %d times", 3)
    ours, theirs = _lines(written)
    assert ours == {
        "event": "handed over", "level": "info", "logger": "ours", "process": "worker", "count": 2,
        "timestamp": ours["timestamp"],
    }  # fmt: skip
    assert theirs["event"] == "retrying 3 times"
    assert set(ours) - {"count"} == set(theirs)
    assert ours["timestamp"].endswith("Z")


def test_personal_data_reaches_no_line(written: io.StringIO) -> None:
    log = structlog.stdlib.get_logger("ours")
    log.info("for ada@example.com", applicant={"full_name": "Ada Example", "country": "FI"})
    logging.getLogger("theirs").error("%s is unknown", "ada@example.com", extra={"phone": "+358"})
    text = written.getvalue()
    assert "ada@" not in text
    assert "Ada" not in text
    assert "+358" not in text
    assert "is unknown" in text, "the rest of the line is still there"


def test_no_text_of_an_exception_reaches_a_line(written: io.StringIO) -> None:
    """What Postgres, pydantic and whoever wraps them say of a row, and those who repeat it."""
    canary = "Canary Q. Applicant"
    ours, theirs = structlog.stdlib.get_logger("ours"), logging.getLogger("theirs")
    try:
        try:
            Request.model_validate({"request_key": ["Canary Q. Applicant"]})
        except ValidationError as inner:
            raise RuntimeError(f"DETAIL: Key (name)=({canary}) exists") from inner
    except RuntimeError as error:
        ours.exception("failed")
        ours.warning("failed", cause=error)
        theirs.exception("failed: %s", error)
        theirs.error("failed: %r", error, exc_info=error)
        theirs.error("failed", exc_info=ExceptionGroup(canary, [error]))
    assert canary not in written.getvalue()
    lines = _lines(written)
    assert lines[1]["cause"] == "RuntimeError"
    for line in (lines[0], *lines[2:]):
        assert line["event"].startswith("failed")
        assert "RuntimeError" in line["exception"]
        assert "ValidationError" in line["exception"]
        assert f"{__file__}:" in line["exception"]


async def test_no_text_of_a_task_that_nobody_waited_for_reaches_a_line(
    written: io.StringIO,
) -> None:
    async def fails() -> None:
        raise ValueError("Canary Q. Applicant")

    gc.collect()  # what others left behind is not ours to count
    written.seek(0)
    written.truncate()
    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    del task
    gc.collect()
    (line,) = _lines(written)
    assert "never retrieved" in line["event"]
    assert "Canary" not in written.getvalue()
    assert "ValueError" in line["exception"]


def test_records_of_workflows_say_which_run_they_are_about(written: io.StringIO) -> None:
    about = {"workflow_id": "onboarding/acme/x", "run_id": "r1", "workflow_type": "T", "attempt": 1}
    logging.getLogger("temporalio.workflow").warning("parked", extra={"temporal_workflow": about})
    (line,) = _lines(written)
    assert (line["workflow_id"], line["run_id"]) == ("onboarding/acme/x", "r1")
    assert "temporal_workflow" not in line


def test_lines_of_temporals_core_say_where_and_which_run_and_repeat_no_failure(
    written: io.StringIO,
) -> None:
    fields = {"run_id": "r1", "failure": "ada@example.com is Canary Q. Applicant"}
    told = SimpleNamespace(target="temporalio_sdk_core::worker", fields=fields)
    logging.getLogger("temporalio.core").warning("Failing task", extra={"temporal_log": told})
    (line,) = _lines(written)
    assert (line["event"], line["target"], line["run_id"]) == ("Failing task", told.target, "r1")
    assert "Canary" not in written.getvalue()


class Request(BaseModel):
    request_key: str
    full_name: str = "Ada"


async def test_every_line_of_an_activity_says_its_step_and_request_key(
    written: io.StringIO,
) -> None:
    class Run(ActivityInboundInterceptor):
        def __init__(self) -> None:
            pass

        async def execute_activity(self, input: ExecuteActivityInput) -> Any:
            structlog.stdlib.get_logger("activities").info("asked", request=input.args[0])
            activity.logger.info("through the sdk")

    async def body() -> None:
        await (
            logs.StepContext()
            .intercept_activity(Run())
            .execute_activity(
                ExecuteActivityInput(
                    fn=body,
                    args=[Request(request_key="w/billing.create")],
                    executor=None,
                    headers={},
                )
            )
        )

    environment = ActivityEnvironment()
    await environment.run(body)
    structlog.stdlib.get_logger("activities").info("outside")
    asked, through, outside = _lines(written)
    info = environment.info
    for line in (asked, through):
        assert line["workflow_id"] == info.workflow_id
        assert line["run_id"] == info.workflow_run_id
        assert line["step"] == info.activity_type
        assert line["request_key"] == "w/billing.create"
    assert asked["request"] == {"request_key": "w/billing.create", "full_name": "[redacted]"}
    assert "step" not in outside


def test_lines_for_people_are_not_json(written: io.StringIO) -> None:
    stream = io.StringIO()
    logs.configure("gateway", log_format="console", stream=stream)
    structlog.stdlib.get_logger("ours").info("listening", url="http://127.0.0.1:8400")
    assert "listening" in stream.getvalue()
    assert "process=gateway" in stream.getvalue()
    assert not written.getvalue()
