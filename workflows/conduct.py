"""What the mechanism of a process keeps in mind: steps under way, and what to undo."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from temporalio import exceptions
from temporalio.common import SearchAttributeUpdate
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from workflows.actor import Decision
from workflows.decisions import Resolution
from workflows.progress import Attention, Choice, Reason, StepProgress, StepState, Waiting
from workflows.search_attributes import ATTENTION, ATTENTION_SINCE, OWNER
from workflows.step import OUR_OUTAGE, Declaration, Input, Undone

CLOCK = "the clock"
"""Who is waited for where nobody is: it is only not yet time."""
REFUSED_GENERATION = "refused_generation"
"""In the details of a failure: the generation that the request ledger holds as refused."""


@dataclass
class Running:
    """A step under way: what it is, under which key, and how it stands."""

    declared: Declaration
    name: str
    key: str
    started_at: datetime
    state: StepState = "running"
    ended_at: datetime | None = None
    reason: Reason | None = None
    parked: "Parked | None" = None


@dataclass
class Parked:
    """What a parked step waits for."""

    since: datetime
    choices: tuple[Choice, ...]
    refused_generation: int | None
    resolution: Resolution | None = None


@dataclass
class Stop:
    """That the process is to stop, how it then ends, and who said so."""

    end: str
    update: str = ""
    decision: Decision | None = None


@dataclass
class Undoing:
    """How to take one step back."""

    method: Callable[..., Awaitable[Undone]]
    of: str
    part: str


@dataclass
class Conduct:
    """Where the mechanism stands, apart from what the process itself knows."""

    steps: dict[str, Running] = field(default_factory=dict)
    undos: list[Undoing] = field(default_factory=list)
    stop: Stop | None = None
    changed: bool = False
    unwinding: bool = False
    waits: list[Waiting] = field(default_factory=list)
    notices: list[asyncio.Task[None]] = field(default_factory=list)
    notices_before: int = 0
    decided: list[str] = field(default_factory=list)
    noted: list[tuple[str, Decision]] = field(default_factory=list)

    @property
    def noticed(self) -> int:
        """How many notices there were, in this run and in those that it goes on from."""
        return self.notices_before + len(self.notices)

    @property
    def waiting(self) -> Waiting | None:
        """What is waited for: somebody, where somebody is; else the clock."""
        return max(self.waits, key=lambda one: one.who != CLOCK, default=None)

    def at_rest(self, under_way: int) -> bool:
        """Whether every notice is out, and as much as is under way waits for somebody."""
        parked = [one.parked for one in self.steps.values() if one.parked]
        waiting = sum(one.resolution is None for one in parked) + len(self.waits)
        return waiting == under_way and all(notice.done() for notice in self.notices)

    def will_undo(self, undoing: Undoing) -> None:
        """Note how to take a step back. A run that goes on from another may know it already."""
        if all(one.of != undoing.of for one in self.undos):
            self.undos.append(undoing)

    def parked(self, resolution: Resolution) -> Parked:
        """The parked step that a resolution is about. Raises ApplicationError where it is not."""
        running = self.steps.get(resolution.step)
        parked = running.parked if running else None
        if running is None or parked is None:
            raise ApplicationError(f"{resolution.step} does not wait for anybody", type="NotParked")
        if parked.resolution is not None:
            raise ApplicationError(f"{resolution.step} was decided already", type="AlreadyDecided")
        if resolution.since is not None and resolution.since != parked.since:
            raise ApplicationError(f"{resolution.step} has parked anew since", type="ParkedAnew")
        if resolution.action not in parked.choices:
            raise ApplicationError(
                f"{resolution.step} can be resolved by {', '.join(parked.choices)} only",
                type="NotAChoice",
            )
        if resolution.version is not None and (
            resolution.action != "retry" or parked.refused_generation is None
        ):
            raise ApplicationError(
                "a corrected version goes with the retry of a refused request only: what became of"
                " this one is not known, so it can only be asked again as it was",
                type="NotCorrectable",
            )
        return parked


def progress_of(running: Running) -> StepProgress:
    """The step as people see it."""
    return StepProgress(
        step=running.name,
        kind=running.declared.kind,
        summary=running.declared.summary,
        state=running.state,
        started_at=running.started_at,
        ended_at=running.ended_at,
        reason=running.reason,
    )


def attention_of(running: Running) -> Attention:
    """The parked step as the one who must act sees it."""
    assert running.parked is not None
    assert running.reason is not None
    return Attention(
        step=running.name,
        summary=running.declared.summary,
        owner=running.declared.owner,
        since=running.parked.since,
        reason=running.reason,
        choices=running.parked.choices,
    )


def attention_attributes(attention: Sequence[Attention]) -> list[SearchAttributeUpdate[Any]]:
    """What the Web UI filters by: the parked steps, who must act, and since when."""
    if not attention:
        return [ATTENTION.value_unset(), OWNER.value_unset(), ATTENTION_SINCE.value_unset()]
    since, owner = min((one.since, one.owner) for one in attention)
    return [
        ATTENTION.value_set([one.step for one in attention]),
        OWNER.value_set(owner),
        ATTENTION_SINCE.value_set(since),
    ]


def asked_again(request: Input, resolution: Resolution, failure: FailureError) -> Input:
    """The request as it is retried: a refused one as a new generation, perhaps corrected."""
    refused = refused_generation(failure)
    if refused is None:
        return request
    changed: dict[str, int] = {"generation": refused + 1}
    if resolution.version is not None:
        changed["version"] = resolution.version
    return request.model_copy(update=changed)


def _cause(failure: FailureError) -> BaseException:
    """What really happened: a failed regular activity wraps it, a failed local one does not."""
    cause = failure.cause if isinstance(failure, ActivityError) else failure
    if isinstance(cause, exceptions.TimeoutError) and isinstance(cause.cause, ApplicationError):
        return cause.cause
    return cause or failure


def reason_of(failure: FailureError) -> Reason:
    """Why a step failed, in words that an operator can act on."""
    cause = _cause(failure)
    if isinstance(cause, ApplicationError):
        return Reason(
            kind="refused" if cause.non_retryable else "out of time",
            type=cause.type or "unknown",
            text=cause.message,
        )
    return Reason(kind="out of time", type="timeout", text="no answer within the step's budget")


def refused_generation(failure: FailureError) -> int | None:
    """The generation that the request ledger refused; None where the outcome is still open."""
    cause = _cause(failure)
    if isinstance(cause, ApplicationError) and cause.details:
        first = cause.details[0]
        if isinstance(first, dict) and isinstance(first.get(REFUSED_GENERATION), int):
            return int(first[REFUSED_GENERATION])
    return None


def is_our_outage(failure: FailureError) -> bool:
    """Whether it was our own database that did not answer."""
    cause = _cause(failure)
    return isinstance(cause, ApplicationError) and cause.type == OUR_OUTAGE
