"""What there is to see while the demo plays: applicants, scenes, and a sentence about now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from workers.demo.books.nights import Night
from workers.demo.cast import SECOND_ACT, TITLES, Applicant, Scene
from workflows.onboarding.application import OnboardingInFull
from workflows.onboarding.messages import ENDS, UNDONE

WAY = (
    "received",
    "validating",
    "verifying_email",
    "verifying_identity",
    "screening",
    "deciding",
    "reviewing",
    "awaiting_documents",
    "provisioning",
    "welcoming",
    "active",
)
"""The stages of who becomes a customer, in their order; some are not on everybody's way."""


def way_of(applicant: Applicant) -> tuple[str, ...]:
    """The stages of this applicant, if they become a customer."""
    skipped = {"reviewing": not applicant.reviewed, "awaiting_documents": not applicant.documents}
    return tuple(stage for stage in WAY if not skipped.get(stage))


def passed_by(applicant: Applicant) -> tuple[str, ...]:
    """The stages of this applicant in the order in which they are passed, some of them twice.

    Who changes their application while they prove who they are begins anew.
    """
    way = way_of(applicant)
    if applicant.scene != "reminded":
        return way
    begun = way.index("validating"), way.index("verifying_identity") + 1
    return (*way[: begun[1]], *way[slice(*begun)], *way[begun[1] :])


System = Literal["billing", "directory", "crm"]
SYSTEMS: tuple[System, ...] = ("billing", "directory", "crm")
"""What a customer is provisioned in, at the same time: the steps of each are named after it."""

State = Literal["to come", "playing", "played", "failed"]
Work = Literal["doing", "parked", "done"]


@dataclass
class Row:
    """An applicant, and what is known of the onboarding.

    `reached` is the furthest stage on the way to `active`: what an end that undoes came from.
    """

    applicant: Applicant
    onboarding: OnboardingInFull | None = None
    reached: str = ""

    @property
    def stage(self) -> str:
        """The stage, or nothing before the signup."""
        return self.onboarding.stage if self.onboarding else ""

    @property
    def ended(self) -> bool:
        """Whether the onboarding has come to an end, and that is kept."""
        return self.onboarding is not None and self.onboarding.ended_at is not None

    @property
    def parked(self) -> bool:
        """Whether a step waits for somebody."""
        progress = self.onboarding.progress if self.onboarding else None
        return progress is not None and bool(progress.attention)

    def work(self, system: System) -> Work:
        """How far the provisioning in one of the systems is, once it has begun."""
        progress = self.onboarding.progress if self.onboarding else None
        steps = progress.steps if progress else ()
        states = {one.state for one in steps if one.step.startswith(f"{system}.")}
        if "parked" in states:
            return "parked"
        return "done" if states == {"succeeded"} else "doing"

    @property
    def link(self) -> str | None:
        """Where the applicant proves who they are."""
        return self.onboarding.identity_link if self.onboarding else None

    @property
    def asked(self) -> bool:
        """Whether the applicant is asked for something."""
        progress = self.onboarding.progress if self.onboarding else None
        return progress is not None and progress.waiting is not None

    @property
    def now(self) -> str:
        """What is being done, or waited for."""
        onboarding = self.onboarding
        if onboarding is None:
            return "has yet to sign up"
        if onboarding.stage == "active":
            return "welcome mail sent"
        if onboarding.stage in ENDS:
            return "everything undone" if onboarding.stage in UNDONE else "letter sent"
        progress = onboarding.progress
        if progress is None:
            return ""
        if progress.attention:
            return f"parked: {progress.attention[0].reason.text}"
        if progress.waiting:
            return f"waits for {progress.waiting.what}"
        under_way = [one.summary for one in progress.steps if one.state == "running"]
        doing = under_way[-1] if under_way else ""
        return f"taken back: {doing}" if progress.stopping else doing

    @property
    def seconds(self) -> float | None:
        """Since the signup; until the end, where there is one."""
        if self.onboarding is None:
            return None
        until = self.onboarding.ended_at or datetime.now(UTC)
        return max((until - self.onboarding.created_at).total_seconds(), 0.0)


@dataclass
class Played:
    """How a scene stands: `told` is what came of it, `seconds` how long it took."""

    state: State = "to come"
    told: str = ""
    began: float = 0.0
    took: float = 0.0

    @property
    def seconds(self) -> float:
        """So far, or in all."""
        return time.monotonic() - self.began if self.state == "playing" else self.took


@dataclass
class Show:
    """Everything that can be seen. `changed` is called after each change.

    `nights` are the runs that compare the books, in the second act.
    """

    run: str
    rows: list[Row]
    changed: Callable[[], None] = lambda: None
    began: float = field(default_factory=time.monotonic)
    sentence: str = ""
    nights: list[Night] = field(default_factory=list)
    scenes: dict[Scene, Played] = field(default_factory=lambda: {one: Played() for one in TITLES})

    @property
    def seconds(self) -> float:
        """Since the curtain rose."""
        return time.monotonic() - self.began

    @property
    def second_act(self) -> bool:
        """Whether the second act has begun."""
        return any(self.scenes[name].state != "to come" for name in SECOND_ACT)

    def say(self, sentence: str) -> None:
        """Tell what happens, and why it matters."""
        self.sentence = sentence
        self.changed()

    def see(self, row: Row, onboarding: OnboardingInFull) -> None:
        """Take in how an onboarding stands; nothing is forgotten while no worker answers."""
        before = row.onboarding
        if before and onboarding.progress is None and onboarding.stage not in ENDS:
            onboarding = onboarding.model_copy(update={"progress": before.progress})
        row.onboarding = onboarding
        if onboarding.stage in WAY:
            row.reached = onboarding.stage
        self.changed()

    @contextmanager
    def scene(self, name: Scene) -> Iterator[Played]:
        """A scene while it is played; what it comes to is noted in `told`."""
        played = self.scenes[name]
        played.state, played.began = "playing", time.monotonic()
        self.changed()
        try:
            yield played
            played.state = "played"
        except asyncio.CancelledError:
            played.state, played.told = "failed", "cut short"
            raise
        except Exception as error:
            played.state, played.told = "failed", str(error) or type(error).__name__
            raise
        finally:
            played.took = time.monotonic() - played.began
            self.changed()
