"""What workflow code runs in: Temporal's sandbox, which keeps clocks, chance and the world out.

The sandbox imports a module anew for each run of a workflow. Only modules that tell a story need
that; modules that hold models, declarations and the mechanism of processes are passed through:
building pydantic models takes a tenth of a second, and the mechanism is the same for every run.
"""

from typing import Any

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info

_THE_SAME_FOR_EVERY_RUN = (
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "workflows.actor",
    "workflows.attempt",
    "workflows.attention",
    "workflows.conduct",
    "workflows.decisions",
    "workflows.display",
    "workflows.hints",
    "workflows.onboarding.confirmation",
    "workflows.onboarding.decision",
    "workflows.onboarding.duplicates",
    "workflows.onboarding.documents",
    "workflows.onboarding.life",
    "workflows.onboarding.life_policy",
    "workflows.onboarding.life_steps",
    "workflows.onboarding.messages",
    "workflows.onboarding.policy",
    "workflows.onboarding.rejection",
    "workflows.onboarding.review",
    "workflows.onboarding.reviewing",
    "workflows.onboarding.rules",
    "workflows.onboarding.screening",
    "workflows.onboarding.state",
    "workflows.onboarding.steps",
    "workflows.policy",
    "workflows.reconciliation.books",
    "workflows.reconciliation.messages",
    "workflows.reconciliation.steps",
    "workflows.process",
    "workflows.progress",
    "workflows.request_key",
    "workflows.rules",
    "workflows.search_attributes",
    "workflows.step",
)


class _Instance(WorkflowInstance):
    """A run of a workflow in the sandbox, which is entered for its own work only.

    The worker asks, several times for each message of a workflow, which context it has for
    converters that look at one; entering the sandbox for the answer was a tenth of the worker's
    processor time. No converter of ours looks.
    """

    def __init__(self, sandboxed: WorkflowInstance) -> None:
        self._sandboxed = sandboxed

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        return self._sandboxed.activate(act)

    def get_info(self) -> Info:
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        return self._sandboxed.get_thread_id()

    def get_serialization_context(self, command_info: Any) -> None:  # Any: the SDK's, private
        return None

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:
        return StorageDriverStoreContext(target=None)


class _Runner(SandboxedWorkflowRunner):
    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Instance(super().create_instance(det))


def workflow_runner() -> SandboxedWorkflowRunner:
    """The runner that every worker of ours uses, in tests too."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*_THE_SAME_FOR_EVERY_RUN)
    return _Runner(restrictions=restrictions)
