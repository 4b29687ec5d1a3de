"""Log lines of every process: structlog for ours, the same road for those of libraries.

A line says which process wrote it and, where it is about a step of a workflow, `workflow_id`,
`run_id`, `step` and `request_key`. Workflow code logs through `workflow.logger`, which is silent
while a workflow is replayed.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger
from temporalio import activity, workflow
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from workers.redaction import REDACTED, redacted
from workflows.defects import without_texts

LogFormat = Literal["console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

# Fields that structlog and we make; their names only sound personal.
_SAFE = ("event", "level", "logger", "timestamp", "process")
# They would log every request, its address with personal data in it, or every look at a table.
_TALKATIVE = ("httpx", "httpcore", "stripe", "alembic")


def configure(
    process: str,
    *,
    log_format: LogFormat = "console",
    log_level: LogLevel = "info",
    stream: TextIO = sys.stderr,
) -> None:
    """Send every log line of this process to `stream`, ours and those of libraries alike."""

    def with_process(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
        # Not a context variable: threads and loops that others start must say it too.
        line["process"] = process
        return line

    every_line: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        with_process,
        about_the_workflow,
        structlog.processors.StackInfoRenderer(),
        exceptions_without_texts,
        redact,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *every_line,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=every_line,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(log_level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Fields say it; a copy of them in the text would only be longer.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
    # Writing a line is no part of a workflow: it may read the clock and the context.
    workflow.logger.unsafe_disable_sandbox()


def about_the_workflow(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Say by our names what Temporal's records say by theirs."""
    if found := line.pop("temporal_workflow", None):
        line["workflow_id"], line["run_id"] = found["workflow_id"], found["run_id"]
        if "update_name" in found:
            line["update"] = found["update_name"]
    if found := line.pop("temporal_activity", None):
        line["workflow_id"], line["run_id"] = found["workflow_id"], found["workflow_run_id"]
        line["step"], line["attempt"] = found["activity_type"], found["attempt"]
    if found := line.pop("temporal_log", None):
        # Its other fields repeat what workflows raise: that may be personal.
        line["target"] = found.target
        if "run_id" in found.fields:
            line["run_id"] = found.fields["run_id"]
    return line


def exceptions_without_texts(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Say an exception's type and places. Its text goes, from the message too, where it is told.

    That is for libraries: Temporal's logs what activities raise, asyncio's what tasks raise.
    """
    given = line.pop("exc_info", None)
    match given:
        case BaseException():
            error: BaseException | None = given
        case (_, error, _):
            pass
        case _:
            error = sys.exc_info()[1] if given else None
    if error is None:
        return line
    line["exception"] = "\n".join(without_texts(error))
    for text in (repr(error), str(error)):
        if text:
            line["event"] = str(line["event"]).replace(text, REDACTED)
    return line


def redact(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Take personal data out of a line; the last thing before it is written."""
    safe = {key: redacted(line.pop(key)) for key in _SAFE if key in line}
    kept = {key: line.pop(key) for key in ("_record", "_from_structlog") if key in line}
    cleaned: dict[str, Any] = redacted(dict(line))
    return {**safe, **cleaned, **kept}


class StepContext(Interceptor):
    """A worker's interceptor: every line that an activity writes says which step it belongs to."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Bind the context around each run of an activity."""
        return _BindStep(next)


class _BindStep(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        request = input.args[0] if input.args else None
        context = {
            "workflow_id": info.workflow_id,
            "run_id": info.workflow_run_id,
            "step": info.activity_type,
            "attempt": info.attempt,
        }
        if key := getattr(request, "request_key", None):
            context["request_key"] = key
        with structlog.contextvars.bound_contextvars(**context):
            return await super().execute_activity(input)
