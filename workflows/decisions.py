"""What people decide about a running process, and what the mechanism needs done for it."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any

from workflows.actor import Decision
from workflows.progress import Choice, Reason
from workflows.request_key import Message, Request
from workflows.step import step


class Resolution(Decision):
    """What an operator decides about a parked step.

    retry  tries again; where the request was refused, as a new generation of it
    skip   goes on without, where the process can do without
    abort  stops the process and takes back what it did

    `version` names a corrected version of the subject to retry a refused request with. `since` is
    when the step parked as the operator saw it: a later parking is another question.
    """

    step: str
    action: Choice
    version: int | None = None
    since: datetime | None = None


class Taken(Message):
    """The answer to a decision that was accepted: it happens, even if it takes a while."""

    workflow_id: str
    stage: str
    stopping: str | None = None


class VerifyActor(Request):
    """A decision as it came in, for its signature to be checked."""

    workflow_id: str
    update: str
    update_id: str
    decision: Decision
    content: str
    roles: tuple[str, ...]


class RecordDecision(Request):
    """A decision as it is kept: our database outlives Temporal's histories."""

    workflow_id: str
    update: str
    content: dict[str, Any]
    decision: Decision


class Notice(Request):
    """What an operator is told when a process parks: ids, never personal data."""

    workflow_id: str
    step: str
    summary: str
    owner: str
    reason: Reason


class ProcessSteps(ABC):
    """What the mechanism itself needs done."""

    @step("read", "process.verify_actor", "Check who decides", near=True)
    @abstractmethod
    async def verify_actor(self, request: VerifyActor) -> None:
        """Fails with the type `ActorRefused` unless the gateway signed exactly this decision."""

    @step("local", "process.record_decision", "Keep the decision")
    @abstractmethod
    async def record_decision(self, request: RecordDecision) -> None:
        """A row that says who decided what, when and why."""

    @step("remote", "process.notify", "Tell the operators")
    @abstractmethod
    async def notify(self, request: Notice) -> None:
        """One notice to those who must act."""

    @step("read", "process.database_answers", "Wait for our database", near=True)
    @abstractmethod
    async def database_answers(self, request: Request) -> None:
        """Returns once our own database answers."""
