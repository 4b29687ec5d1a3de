"""When a process needs people: it parks, tells them, and takes what they decide."""

import asyncio
from abc import ABC
from collections.abc import Coroutine, Mapping
from typing import Any, ClassVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from workflows.actor import Decision
from workflows.attempt import attempt
from workflows.conduct import (
    Conduct,
    Parked,
    Running,
    Stop,
    attention_of,
    progress_of,
    reason_of,
    refused_generation,
)
from workflows.decisions import Notice, ProcessSteps, Resolution, Taken, VerifyActor
from workflows.display import Display
from workflows.policy import UNTIL_THE_POLICY_IS_READ
from workflows.progress import Choice, Progress, Reason
from workflows.request_key import request_key
from workflows.step import Input, Method, Steps, declaration_of


class Attended(ABC):
    """What people see of a process, what it asks them, and what they may decide about it.

    `TRANSITIONS` says which stage may follow which; a stage that nothing follows is an end.
    """

    TRANSITIONS: ClassVar[Mapping[str, frozenset[str]]]

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self.version = 1
        self.budgets = UNTIL_THE_POLICY_IS_READ
        self._conduct = Conduct()
        self._display = Display(self.progress, stage)

    @workflow.query
    def progress(self) -> Progress:
        """The stage, every step with its state and times, who must act and until when."""
        running = self._conduct.steps
        stop = self._conduct.stop
        return Progress(
            workflow_id=workflow.info().workflow_id,
            stage=self.stage,
            version=self.version,
            stopping=f"to be {stop.end}" if stop and self.stage != stop.end else None,
            waiting=self._conduct.waiting,
            attention=tuple(attention_of(one) for one in running.values() if one.parked),
            steps=tuple(progress_of(one) for one in running.values()),
        )

    @workflow.update(description="Decide about a parked step: retry, skip or abort.")
    async def resolve(self, resolution: Resolution) -> Taken:
        """Decide about a parked step. Answers as soon as the decision is accepted."""
        await self.verify(resolution, roles=("operator", "admin"))
        # Somebody else may have decided while the signature was checked.
        self._conduct.parked(resolution).resolution = resolution
        return self.taken()

    @resolve.validator
    def _may_resolve(self, resolution: Resolution) -> None:
        self._conduct.parked(resolution)
        # The gateway vouches for the rest: that a later one was made for exactly this.
        if resolution.version is not None and resolution.version < self.version:
            raise ApplicationError(
                f"version {self.version} is what the process works from by now", type="OtherVersion"
            )

    async def verify(self, decision: Decision, *, roles: tuple[str, ...]) -> None:
        """Let a decision through only with the gateway's signature over exactly this one.

        Needs no database, so that people are answered while ours is down. Raises ApplicationError
        of type `ActorRefused`.
        """
        update = workflow.current_update_info()
        assert update is not None, "decisions come as updates"
        declared = declaration_of(ProcessSteps.verify_actor)
        request = VerifyActor(
            workflow_id=workflow.info().workflow_id,
            update=update.name,
            update_id=update.id,
            decision=Decision(reason=decision.reason, by=decision.by),
            content=decision.content_hash(),
            roles=roles,
        )
        if update.id in self._conduct.decided:  # a run that was reset knows it from before
            raise ApplicationError("the decision was taken before", type="AlreadyDecided")
        await workflow.execute_local_activity_method(
            ProcessSteps.verify_actor,
            request,
            **declared.for_an_answer,
        )
        self._conduct.decided.append(update.id)

    def stop_for(self, end: str, decision: Decision) -> Taken:
        """Stop the process at the next step's end, and end it in `end`. Asking twice is fine."""
        update = workflow.current_update_info()
        assert update is not None, "decisions come as updates"
        self.must_be_able_to_end(end)
        self._stop(Stop(end=end, update=update.name, decision=decision))
        return self.taken()

    def note(self, decision: Decision) -> None:
        """Have a decision kept a little later, but kept: whoever took it is answered now."""
        update = workflow.current_update_info()
        assert update is not None, "decisions come as updates"
        self._conduct.noted.append((update.name, decision))

    @property
    def goes_on(self) -> bool:
        """Whether the story is told still: nobody stopped it, and it has come to no end."""
        return self._conduct.stop is None and not self._conduct.unwinding

    def tell_again(self) -> None:
        """Have the story end where it is with Changed: between two steps, or where it waits."""
        self._conduct.changed = True
        self._display.refresh()

    def told_again(self) -> None:
        """The story begins again now: nothing is to interrupt it any more."""
        self._conduct.changed = False

    def taken(self) -> Taken:
        """The answer to somebody whose decision was accepted."""
        now = self.progress()
        return Taken(workflow_id=now.workflow_id, stage=now.stage, stopping=now.stopping)

    def must_be_able_to_end(self, end: str) -> None:
        """Raises ApplicationError of type `TooLate` where the process can no longer end so."""
        stop = self._conduct.stop
        if not self._may_end(end) and (stop is None or stop.end != end):
            raise ApplicationError(
                f"too late to be {end}: the process is {self.stage}", type="TooLate"
            )

    def tell(self, method: Method[Steps, Input, None], notice: Input, *, part: str) -> None:
        """Tell somebody once, beside the story: a notice that fails must not park anything."""
        declared = declaration_of(method)
        key = request_key(workflow.info().workflow_id, declared.name, part)
        notice = notice.model_copy(update={"request_key": key})

        async def send() -> None:
            try:
                await attempt(declared, method, notice, self.budgets, self._display)
            except FailureError as failure:
                workflow.logger.warning(
                    "notice not sent", extra={"reason": reason_of(failure).type}
                )

        self.beside(send())

    def beside(self, doing: Coroutine[Any, Any, None]) -> None:
        """Have something done beside the story: the process does not end before that is done."""
        self._conduct.notices.append(asyncio.create_task(doing))

    # How it works

    async def _park(
        self, running: Running, failure: FailureError, *, skippable: bool
    ) -> Resolution | None:
        """Wait until somebody decides about a step that could not be done.

        None where the process is to stop before that, or to be told again.
        """
        running.reason = reason_of(failure)
        choices: list[Choice] = ["retry"]
        if skippable:
            choices.append("skip")
        if self._may_end("aborted"):
            choices.append("abort")
        parked = Parked(workflow.now(), tuple(choices), refused_generation(failure))
        running.state, running.parked = "parked", parked
        self._display.refresh()
        self._notify(running, running.reason)
        await workflow.wait_condition(
            lambda: parked.resolution is not None or self._stopping() or self._conduct.changed
        )
        running.state, running.parked = "running", None
        self._display.refresh()
        return parked.resolution

    def _notify(self, running: Running, reason: Reason) -> None:
        times = self._conduct.noticed + 1
        notice = Notice(
            workflow_id=workflow.info().workflow_id,
            step=running.name,
            summary=running.declared.summary,
            owner=running.declared.owner,
            reason=reason,
        )
        self.tell(ProcessSteps.notify, notice, part=str(times))

    def _may_end(self, end: str) -> bool:
        return (
            not self._conduct.unwinding
            and self._conduct.stop is None
            and end in self.TRANSITIONS[self.stage]
        )

    def _stop(self, stop: Stop) -> None:
        if self._conduct.stop is None:
            self._conduct.stop = stop
            self._display.refresh()

    def _stopping(self) -> bool:
        return self._conduct.stop is not None and not self._conduct.unwinding
