"""What starts reconciliations: a night all that are due, a range the days of one account in order.

Both are short in what they do themselves. A run outlives the night that started it, so that one
that waits for somebody never holds up the next.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowHandle, ParentClosePolicy

from workflows.reconciliation.messages import (
    STOPPED,
    Days,
    Night,
    OpenDay,
    OpenNight,
    Run,
    Started,
    range_id,
    workflow_id,
)
from workflows.reconciliation.steps import OpeningSteps
from workflows.reconciliation.workflow import ReconcileAccount
from workflows.request_key import Request, request_key
from workflows.step import Input, Method, Output, Steps, declaration_of

SCHEDULED_START = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
"""Set by the server on what a schedule starts: the time that was meant, however late it is."""
ACCOUNTS_AT_A_TIME = 200
DAYS_AT_A_TIME = 60
"""So many of them, and it goes on in a new run: histories stay short."""


@workflow.defn
class Nightly:
    """Starts what is due of every account."""

    @workflow.run
    async def run(self, night: Night) -> Started:
        """Start a run, or a range, of each account that has something due; answer how many."""
        scheduled = workflow.info().typed_search_attributes.get(SCHEDULED_START)
        at = night.at or scheduled or workflow.now()
        opened = await _step(
            OpeningSteps.open_night,
            OpenNight(at=at, after=night.after, limit=ACCOUNTS_AT_A_TIME),
            part=night.after or "",
        )
        for one in opened.runs:
            await _start(one)
        for days in opened.ranges:
            await _start_child(
                ReconcileDays.run, days, range_id(days.account, days.first, days.last)
            )
        accounts = night.started + len(opened.runs) + len(opened.ranges)
        busy = night.busy + opened.busy
        if opened.next is not None:
            workflow.continue_as_new(Night(at=at, after=opened.next, started=accounts, busy=busy))
        return Started(accounts=accounts, busy=busy)


@workflow.defn
class ReconcileDays:
    """The days of a range of one account, each when the one before is over.

    Open items are carried from one to the next: no day can go before its eve.
    """

    @workflow.run
    async def run(self, days: Days) -> Days:
        """Reconcile day by day; ends early where a day was taken back or another run is open."""
        ended = Counter(days.ended)
        for at in range(min((days.last - days.first).days + 1, DAYS_AT_A_TIME)):
            day = days.first + timedelta(days=at)
            opened = await _step(
                OpeningSteps.open_day,
                OpenDay(account=days.account, day=day),
                part=day.isoformat(),
            )
            if opened.run is None:
                return days.model_copy(update={"first": day, "ended": ended | {"busy": 1}})
            run = await _start(opened.run)
            end = await run if run else "busy"
            ended[end] += 1
            if end in STOPPED or end == "busy":
                return days.model_copy(update={"first": day, "ended": dict(ended)})
        rest = days.first + timedelta(days=DAYS_AT_A_TIME)
        left = days.model_copy(update={"first": rest, "ended": dict(ended)})
        if rest <= days.last:
            workflow.continue_as_new(left)
        return left.model_copy(update={"first": days.last})


async def _start(run: Run) -> ChildWorkflowHandle[Any, str] | None:
    id_ = workflow_id(run.account, run.day, run.ordinal)
    return await _start_child(ReconcileAccount.run, run, id_)


async def _start_child(
    story: Callable[..., Any], input_: Any, id_: str
) -> ChildWorkflowHandle[Any, Any] | None:
    """A process that outlives us; None where it runs already. Any: each story has its input."""
    try:
        return await workflow.start_child_workflow(
            story, input_, id=id_, parent_close_policy=ParentClosePolicy.ABANDON
        )
    except WorkflowAlreadyStartedError:
        return None


async def _step(method: Method[Steps, Input, Output], request: Input, *, part: str = "") -> Output:
    """A short write of ours, until our database takes it."""
    declared = declaration_of(method)
    key = request_key(workflow.info().workflow_id, declared.name, part)
    assert isinstance(request, Request)
    return await workflow.execute_activity_method(
        method,
        request.model_copy(update={"request_key": key}),
        **declared.alone,
    )
