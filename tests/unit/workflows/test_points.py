"""From which point of its history a run can go on."""

from __future__ import annotations

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from workflows.runs import point_to_go_on_from

SCHEDULED = EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED
STARTED = EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED
COMPLETED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
FAILED = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
TIMED_OUT = EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT
ACCEPTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
ANSWERED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED
BEGUN = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
MARKER = EventType.EVENT_TYPE_MARKER_RECORDED
TASK = [SCHEDULED, STARTED, COMPLETED]


def history(*types: EventType.ValueType, answers: int | None = None) -> list[HistoryEvent]:
    """Events of these types, numbered from one; an answer is to what `answers` accepted."""
    events = [HistoryEvent(event_id=at, event_type=type_) for at, type_ in enumerate(types, 1)]
    for event in events:
        if event.event_type == ANSWERED:
            told = event.workflow_execution_update_completed_event_attributes
            told.accepted_event_id = answers or 0
    return events


def test_a_run_goes_on_from_its_last_completed_task() -> None:
    events = history(BEGUN, *TASK, *TASK, SCHEDULED, STARTED, FAILED)
    assert point_to_go_on_from(events) == 7


def test_an_update_that_was_answered_does_not_count() -> None:
    events = history(BEGUN, *TASK, ACCEPTED, *TASK, ANSWERED, *TASK, answers=5)
    assert point_to_go_on_from(events) == 12


def test_where_an_answer_was_cut_off_it_goes_on_from_before_it_was_accepted() -> None:
    events = history(BEGUN, *TASK, ACCEPTED, MARKER, SCHEDULED, STARTED, TIMED_OUT)
    assert point_to_go_on_from(events) == 4
    longer = history(BEGUN, *TASK, *TASK, ACCEPTED, MARKER, *TASK, SCHEDULED, STARTED, TIMED_OUT)
    assert point_to_go_on_from(longer) == 7


def test_a_run_that_never_got_through_a_task_begins_again() -> None:
    assert point_to_go_on_from(history(BEGUN, SCHEDULED, STARTED, FAILED, SCHEDULED)) == 4


def test_a_run_that_no_worker_has_seen_has_no_point() -> None:
    assert point_to_go_on_from(history(BEGUN, SCHEDULED)) is None
