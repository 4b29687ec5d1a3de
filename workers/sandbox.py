"""What workflow code runs in: Temporal's sandbox, which keeps clocks, chance and the world out.

The sandbox imports a module anew for each run of a workflow. Only modules that tell a story need
that; modules that hold models and declarations are passed through, since building pydantic models
takes a tenth of a second.
"""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

_MODELS = (
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "workflows.actor",
    "workflows.conduct",
    "workflows.decisions",
    "workflows.onboarding.messages",
    "workflows.onboarding.steps",
    "workflows.policy",
    "workflows.progress",
    "workflows.request_key",
    "workflows.search_attributes",
    "workflows.step",
)


def workflow_runner() -> SandboxedWorkflowRunner:
    """The runner that every worker of ours uses, in tests too."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*_MODELS)
    return SandboxedWorkflowRunner(restrictions=restrictions)
