"""The one mechanism that all processes share: step, attention, undo, progress.

A process tells its story in `run` and never mentions what is here: the request key of each step,
time-outs and retries, what happens when a step cannot be done (the process parks and waits for
somebody), how it is stopped without leaving anything behind, and what people see meanwhile.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar, overload

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, FailureError

from workflows.actor import Decision
from workflows.attempt import attempt
from workflows.conduct import (
    Conduct,
    Parked,
    Running,
    Stop,
    Undoing,
    asked_again,
    attention_of,
    progress_of,
    reason_of,
    refused_generation,
)
from workflows.decisions import (
    Notice,
    ProcessSteps,
    RecordDecision,
    Resolution,
    Taken,
    VerifyActor,
)
from workflows.display import Display
from workflows.policy import UNTIL_THE_POLICY_IS_READ
from workflows.progress import Choice, Progress, Reason, StepState, Waiting
from workflows.request_key import request_key
from workflows.step import (
    Declaration,
    Input,
    Method,
    Output,
    Steps,
    Undo,
    Undone,
    declaration_of,
)

State = TypeVar("State", bound=BaseModel)
First = TypeVar("First")
Second = TypeVar("Second")
Third = TypeVar("Third")
Part = Coroutine[Any, Any, First]  # Any: what a coroutine is sent and yields, by its loop


class Stopped(Exception):
    """The process is being stopped: whatever it was doing ends here, in good order."""


class KeyUsedTwice(RuntimeError):
    """Two steps of a process would share a request key: tell them apart by `part`."""


class Process(ABC, Generic[State]):
    """A process: subclass it, put `@workflow.defn` on the class and `@workflow.run` on `run`.

    `TRANSITIONS` says which stage may follow which; a stage that nothing follows is an end.
    `UNDONE` are the ends that leave nothing behind.
    """

    TRANSITIONS: ClassVar[Mapping[str, frozenset[str]]]
    UNDONE: ClassVar[frozenset[str]]

    def __init__(self, stage: str, state: State) -> None:
        self.stage = stage
        self.state = state
        self.budgets = UNTIL_THE_POLICY_IS_READ
        self.version = 1
        self._conduct = Conduct()
        self._display = Display(self.progress, stage)

    # What a story is told with

    async def carry_out(self, story: Callable[[], Awaitable[str]]) -> str:
        """Run `story` to its end and return that end.

        The story is shielded: a cancellation from outside is a withdrawal, which it meets between
        two steps and never within one.
        """
        telling = asyncio.ensure_future(self._tell(story))
        while True:
            try:
                return await asyncio.shield(telling)
            except asyncio.CancelledError:
                # Eviction from the worker's cache cancels too, but gives no reason.
                if telling.done() or workflow.cancellation_reason() is None:
                    raise
                if self._may_end("withdrawn"):
                    self._stop(Stop(end="withdrawn"))
                else:
                    workflow.logger.warning(
                        "cancellation came too late", extra={"stage": self.stage}
                    )

    async def enter(self, stage: str) -> None:
        """Go on to `stage`. Raises RuntimeError where the table of transitions has no such step."""
        if not self._conduct.unwinding:
            self._check_stop()
        if stage not in self.TRANSITIONS[self.stage]:
            raise RuntimeError(f"{self.stage} → {stage} is not in the table of transitions")
        self.stage = stage
        await self.record_stage(stage)

    @abstractmethod
    async def record_stage(self, stage: str) -> None:
        """Keep the new stage where lists are made from."""

    async def step(
        self,
        method: Method[Steps, Input, Output],
        request: Input,
        *,
        part: str = "",
        undo: Callable[[Any, Undo], Awaitable[Undone]] | None = None,
        if_skipped: Output | None = None,
    ) -> Output:
        """Have one step done, exactly once, whatever it takes.

        `part` tells repeated uses of one step apart. `undo` takes it back when the process ends
        with nothing left behind; it is noted before the step starts, since a step that failed may
        have been done. Where `if_skipped` is given, an operator may decide to go on with it.

        Raises Stopped when the process is to stop, KeyUsedTwice where `part` is missing.
        """
        self._check_stop()
        if undo is not None:
            key = request_key(workflow.info().workflow_id, declaration_of(method).name, part)
            self._conduct.will_undo(Undoing(undo, key, part))
        result = await self._have_done(method, request, part, if_skipped)
        self._check_stop()
        return result

    @overload
    async def together(
        self, first: Part[First], second: Part[Second], /
    ) -> tuple[First, Second]: ...

    @overload
    async def together(
        self, first: Part[First], second: Part[Second], third: Part[Third], /
    ) -> tuple[First, Second, Third]: ...

    @overload
    async def together(self, *parts: Part[First]) -> tuple[First, ...]: ...

    async def together(self, *parts: Part[Any]) -> tuple[Any, ...]:
        """Independent parts of the story at the same time, and what each came to.

        All come to their end, well or badly, before anything else happens: nothing is undone
        while another part may still be making something.
        """
        ends = await asyncio.gather(*parts, return_exceptions=True)
        failures = [end for end in ends if isinstance(end, BaseException)]
        # A stop is in good order; anything else is a defect of ours and must be seen first.
        for failure in sorted(failures, key=lambda failure: isinstance(failure, Stopped)):
            raise failure
        return tuple(ends)

    async def wait_for(
        self,
        condition: Callable[[], bool],
        *,
        until: datetime,
        what: str,
        who: str,
        look_after: timedelta = timedelta.max,
    ) -> bool:
        """Wait for somebody outside; False when the time is up first. Raises Stopped.

        After `look_after` it is time to look whether something has passed unheard: True, too.
        """
        self._conduct.waiting = Waiting(what=what, who=who, until=until)
        self._display.refresh()
        left = max(until - workflow.now(), timedelta(0))
        then = "time runs out" if left <= look_after else "look again"
        try:
            await workflow.wait_condition(
                lambda: condition() or self._conduct.stop is not None,
                timeout=min(left, look_after),
                timeout_summary=f"{what}: {then}",
            )
            in_time = True
        except TimeoutError:
            in_time = look_after < left
        self._conduct.waiting = None
        self._display.refresh()
        self._check_stop()
        return in_time

    # What people do and see

    @workflow.query
    def progress(self) -> Progress:
        """The stage, every step with its state and times, who must act and until when."""
        running = self._conduct.steps
        stop = self._conduct.stop
        return Progress(
            workflow_id=workflow.info().workflow_id,
            stage=self.stage,
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
            start_to_close_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(maximum_attempts=3),
            summary=declared.summary,
        )
        self._conduct.decided.append(update.id)

    def stop_for(self, end: str, decision: Decision) -> Taken:
        """Stop the process at the next step's end, and end it in `end`. Asking twice is fine."""
        update = workflow.current_update_info()
        assert update is not None, "decisions come as updates"
        self.must_be_able_to_end(end)
        self._stop(Stop(end=end, update=update.name, decision=decision))
        return self.taken()

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

    # How it works

    async def _tell(self, story: Callable[[], Awaitable[str]]) -> str:
        try:
            end = await story()
        except Stopped:
            stop = self._conduct.stop
            assert stop is not None, "only a stop raises Stopped"
            end = stop.end
        # From here on nothing can stop it: what was begun is brought to its end.
        self._conduct.unwinding = True
        if (stop := self._conduct.stop) and stop.decision:
            await self._keep(stop.update, stop.decision)
        if end in self.UNDONE:
            await self._undo()
        await self.enter(end)
        self._display.show()
        await workflow.wait_condition(
            lambda: (
                workflow.all_handlers_finished()
                and all(notice.done() for notice in self._conduct.notices)
            )
        )
        return end

    async def _undo(self) -> None:
        """Take back what was done, the last first. What cannot be taken back parks."""
        while self._conduct.undos:
            last = self._conduct.undos[-1]
            await self._have_done(
                last.method, Undo(of=last.of), last.part, if_skipped=Undone(existed=True)
            )
            self._conduct.undos.pop()

    async def _have_done(
        self,
        method: Method[Steps, Input, Output],
        request: Input,
        part: str,
        if_skipped: Output | None,
    ) -> Output:
        running = self._begin(declaration_of(method), part)
        if running.declared.keyed:
            named = {"request_key": running.key, "version": self.version}
            request = request.model_copy(update=named)
        while True:
            try:
                result = await attempt(
                    running.declared, method, request, self.budgets, self._display
                )
            except FailureError as failure:
                resolution = await self._park(running, failure, skippable=if_skipped is not None)
                if self._stopping():
                    self._end(running, "given up")
                    raise Stopped from None
                if resolution.action == "skip" and if_skipped is not None:
                    self._end(running, "skipped")
                    return if_skipped
                request = asked_again(request, resolution, failure)
            else:
                # Only now: a version that does not exist must not get into what goes on beside it.
                self.version = max(self.version, request.version)
                self._end(running, "succeeded")
                return result

    def _begin(self, declared: Declaration, part: str) -> Running:
        key = request_key(workflow.info().workflow_id, declared.name, part)
        name = declared.name + (f"/{part}" if part else "")
        if declared.keyed and name in self._conduct.steps:
            raise KeyUsedTwice(f"{key} is used twice: tell the uses apart by part=")
        running = Running(declared, name, key, workflow.now())
        self._conduct.steps[name] = running
        self._display.refresh()
        return running

    def _end(self, running: Running, state: StepState) -> None:
        running.state = state
        running.ended_at = workflow.now()
        self._display.refresh()

    async def _park(
        self, running: Running, failure: FailureError, *, skippable: bool
    ) -> Resolution:
        """Wait until somebody decides about a step that could not be done."""
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
        await workflow.wait_condition(lambda: parked.resolution is not None or self._stopping())
        running.parked = None
        if parked.resolution is None:
            self._end(running, "given up")
            raise Stopped
        resolution = parked.resolution
        running.state = "running"
        self._display.refresh()
        await self._keep("resolve", resolution)
        if resolution.action == "abort":
            self._end(running, "given up")
            self._stop(Stop(end="aborted"))
            raise Stopped
        running.reason = None
        return resolution

    def _notify(self, running: Running, reason: Reason) -> None:
        """Send one notice, beside the story: a notice that fails must not park anything."""
        times = self._conduct.noticed + 1

        async def send() -> None:
            declared = declaration_of(ProcessSteps.notify)
            workflow_id = workflow.info().workflow_id
            notice = Notice(
                request_key=request_key(workflow_id, declared.name, str(times)),
                workflow_id=workflow_id,
                step=running.name,
                summary=running.declared.summary,
                owner=running.declared.owner,
                reason=reason,
            )
            try:
                await attempt(declared, ProcessSteps.notify, notice, self.budgets, self._display)
            except FailureError as failure:
                workflow.logger.warning(
                    "notice not sent", extra={"reason": reason_of(failure).type}
                )

        self._conduct.notices.append(asyncio.create_task(send()))

    async def _keep(self, update: str, decision: Decision) -> None:
        await self._have_done(
            ProcessSteps.record_decision,
            RecordDecision(
                workflow_id=workflow.info().workflow_id,
                update=update,
                content=decision.model_dump(mode="json", exclude={"by", "reason"}),
                decision=Decision(reason=decision.reason, by=decision.by),
            ),
            part=decision.by.update_id,
            if_skipped=None,
        )

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

    def _check_stop(self) -> None:
        if self._stopping():
            raise Stopped
