"""What our way into the sandbox takes for granted of Temporal's SDK."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from temporalio.converter import (
    ActivitySerializationContext,
    SerializationContext,
    StorageDriverStoreContext,
    WorkflowSerializationContext,
)
from temporalio.worker import WorkflowInstance

from workers import settings
from workers.sandbox import _Instance
from workers.temporal_client import connect

METHODS = {
    "activate": ["self", "act"],
    "get_external_store_context": ["self", "command_info"],
    "get_info": ["self"],
    "get_serialization_context": ["self", "command_info"],
    "get_thread_id": ["self"],
}
"""What the SDK asks of a run of a workflow, all of which ours answers."""


def methods_of(kind: type) -> dict[str, list[str]]:
    return {
        name: list(inspect.signature(method).parameters)
        for name, method in vars(kind).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }


@pytest.mark.parametrize("kind", [WorkflowInstance, _Instance])
def test_a_run_is_asked_what_it_was_asked_when_this_was_written(kind: type) -> None:
    """An upgrade that asks for more must be read before ours is believed to be complete."""
    assert methods_of(kind) == METHODS


def test_a_run_may_say_that_it_has_no_context() -> None:
    hook = inspect.signature(WorkflowInstance.get_serialization_context)
    assert str(hook.return_annotation).endswith("| None")
    assert StorageDriverStoreContext(target=None).target is None


@pytest.mark.parametrize(
    "context",
    [
        WorkflowSerializationContext(namespace="default", workflow_id="onboarding/acme/1"),
        ActivitySerializationContext(
            namespace="default",
            workflow_id="onboarding/acme/1",
            workflow_type="CustomerOnboarding",
            activity_type="crm.create_contact",
            activity_id="1",
            activity_task_queue="onboarding",
            is_local=False,
        ),
    ],
)
async def test_nothing_of_our_converter_looks_at_a_context(
    clone: Path, context: SerializationContext
) -> None:
    converter = (await connect(settings.load(), lazy=True)).data_converter
    assert converter.with_context(context) is converter, "a part of it became another"
    assert converter.external_storage is None, "a driver would be told the wrong place"
