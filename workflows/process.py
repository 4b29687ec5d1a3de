"""The one mechanism that all processes share: steps done once, in order, and undone.

A process tells its story in `run` and never mentions what is here: the request key of each step,
time-outs and retries, and how it is stopped without leaving anything behind. What happens when a
step cannot be done and somebody must decide is in `workflows.attention`.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar, overload

from pydantic import BaseModel
from temporalio import workflow
from temporalio.exceptions import FailureError

from workflows.actor import Decision
from workflows.attempt import attempt
from workflows.attention import Attended
from workflows.conduct import (
    Running,
    Stop,
    Undoing,
    asked_again,
)
from workflows.decisions import ProcessSteps, RecordDecision, Resolution
from workflows.progress import StepState, Waiting
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


class Changed(Exception):
    """What the story rests on was changed: it ends here, in good order, to be told again."""


class KeyUsedTwice(RuntimeError):
    """Two steps of a process would share a request key: tell them apart by `part`."""


class Process(Attended, Generic[State]):
    """A process: subclass it, put `@workflow.defn` on the class and `@workflow.run` on `run`.

    `UNDONE` are the ends that leave nothing behind.
    """

    UNDONE: ClassVar[frozenset[str]]

    def __init__(self, stage: str, state: State) -> None:
        super().__init__(stage)
        self.state = state

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
            self.check_interruption()
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

        Raises Stopped when the process is to stop, Changed when the story is to be told again,
        KeyUsedTwice where `part` is missing.
        """
        self.check_interruption()
        if undo is not None:
            key = request_key(workflow.info().workflow_id, declaration_of(method).name, part)
            self._conduct.will_undo(Undoing(undo, key, part))
        result = await self._have_done(method, request, part, if_skipped)
        self.check_interruption()
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
        good = (Stopped, Changed)
        for failure in sorted(failures, key=lambda failure: isinstance(failure, good)):
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
        """Wait for somebody outside; False when the time is up first. Raises Stopped, Changed.

        After `look_after` it is time to look whether something has passed unheard: True, too.
        """
        waiting = Waiting(what=what, who=who, until=until)
        self._conduct.waits.append(waiting)
        self._display.refresh()
        left = max(until - workflow.now(), timedelta(0))
        then = "time runs out" if left <= look_after else "look again"
        try:
            await workflow.wait_condition(
                lambda: condition() or self._conduct.stop is not None or self._conduct.changed,
                timeout=min(left, look_after),
                timeout_summary=f"{what}: {then}",
            )
            in_time = True
        except TimeoutError:
            in_time = look_after < left
        self._conduct.waits.remove(waiting)
        self._display.refresh()
        self.check_interruption()
        return in_time

    async def keep_decision(self, update: str, decision: Decision) -> None:
        """Have it kept who decided what, when and why: our database outlives histories."""
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

    async def keep_noted(self) -> None:
        """Have the decisions kept that were noted, in their order."""
        while self._conduct.noted:
            await self.keep_decision(*self._conduct.noted.pop(0))

    async def take_back(self, method: Callable[[Any, Undo], Awaitable[Undone]]) -> None:
        """Undo by `method` what was done, now and not at the end: it is void."""
        for undoing in [one for one in self._conduct.undos if one.method == method]:
            await self._take_back(undoing)
        self.check_interruption()

    # How it works

    async def _tell(self, story: Callable[[], Awaitable[str]]) -> str:
        try:
            end = await story()
        except Stopped:
            stop = self._conduct.stop
            assert stop is not None, "only a stop raises Stopped"
            end = stop.end
        # From here on nothing can stop it: what was begun is brought to its end.
        self._conduct.unwinding, self._conduct.changed = True, False
        if (stop := self._conduct.stop) and stop.decision:
            await self.keep_decision(stop.update, stop.decision)
        await self.keep_noted()
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
            await self._take_back(self._conduct.undos[-1])

    async def _take_back(self, undoing: Undoing) -> None:
        await self._have_done(
            undoing.method, Undo(of=undoing.of), undoing.part, if_skipped=Undone(existed=True)
        )
        self._conduct.undos.remove(undoing)

    async def _have_done(
        self,
        method: Method[Steps, Input, Output],
        request: Input,
        part: str,
        if_skipped: Output | None,
    ) -> Output:
        running = self._begin(declaration_of(method), part, again=isinstance(request, Undo))
        if running.declared.keyed:
            named = {"request_key": running.key, "version": self.version}
            request = request.model_copy(update=named)
        while True:
            try:
                result = await attempt(
                    running.declared, method, request, self.budgets, self._display
                )
            except FailureError as failure:
                resolution = await self._decided(running, failure, skippable=if_skipped is not None)
                if resolution.action == "skip" and if_skipped is not None:
                    self._end(running, "skipped")
                    return if_skipped
                request = asked_again(request, resolution, failure)
            else:
                # Only now: a version that does not exist must not get into what goes on beside it.
                self.version = max(self.version, request.version)
                self._end(running, "succeeded")
                return result

    async def _decided(
        self, running: Running, failure: FailureError, *, skippable: bool
    ) -> Resolution:
        """What somebody decided about a step that could not be done, once it is kept."""
        resolution = await self._park(running, failure, skippable=skippable)
        if resolution is not None:
            await self.keep_decision("resolve", resolution)
            if resolution.action == "abort":
                self._stop(Stop(end="aborted"))
        if resolution is None or self._stopping():
            self._end(running, "given up")
            raise Stopped if self._stopping() else Changed
        running.reason = None
        return resolution

    def _begin(self, declared: Declaration, part: str, *, again: bool) -> Running:
        key = request_key(workflow.info().workflow_id, declared.name, part)
        name = declared.name + (f"/{part}" if part else "")
        # An undo that was given up when the process was to stop is taken up again at its end.
        # So is a step that was given up because what it was about changed meanwhile.
        before = self._conduct.steps.get(name)
        if declared.keyed and before is not None and before.state != "given up" and not again:
            raise KeyUsedTwice(f"{key} is used twice: tell the uses apart by part=")
        running = Running(declared, name, key, workflow.now())
        self._conduct.steps[name] = running
        self._display.refresh()
        return running

    def _end(self, running: Running, state: StepState) -> None:
        running.state = state
        running.ended_at = workflow.now()
        self._display.refresh()

    def check_interruption(self) -> None:
        """Raises Stopped or Changed where the story is not to go on as it is told."""
        if self._stopping():
            raise Stopped
        if self._conduct.changed:
            raise Changed
