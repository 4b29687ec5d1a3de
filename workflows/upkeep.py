"""Small processes that run by schedule: what fell through at the door is picked up here."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Literal

from temporalio import workflow

from workflows.request_key import Message, Request
from workflows.step import declaration_of, step

Chore = Literal["hand_over", "sweep", "find_lost_runs", "sweep_spool", "tell_of_lists"]


class Report(Message):
    """What a chore came upon."""

    found: int = 0


class UpkeepSteps(ABC):
    """The chores. Each can be run at any time, twice and at once: what is done stays done."""

    @step("remote", "upkeep.hand_over", "Hand over what Temporal has not taken yet")
    @abstractmethod
    async def hand_over(self, request: Request) -> Report:
        """Start onboardings that were stored and not started, and hand over the inbox."""

    @step("remote", "upkeep.sweep", "Sweep Stripe's events for those we were not told")
    @abstractmethod
    async def sweep(self, request: Request) -> Report:
        """Take in what happened at Stripe since the last sweep and never reached us."""

    @step("remote", "upkeep.find_lost_runs", "Find runs that were ended from outside")
    @abstractmethod
    async def find_lost_runs(self, request: Request) -> Report:
        """Put runs on the attention list that ended and their process did not."""

    @step("remote", "upkeep.sweep_spool", "Delete uploads that nobody wants any more")
    @abstractmethod
    async def sweep_spool(self, request: Request) -> Report:
        """Delete what crashes left in the spool, and what came in for onboardings that ended."""

    @step(
        "remote", "upkeep.tell_of_lists", "Tell customers' processes of a new version of the list"
    )
    @abstractmethod
    async def tell_of_lists(self, request: Request) -> Report:
        """Have customers screened again where the list changed since."""


CHORES: Mapping[Chore, Callable[[Any, Request], Any]] = {
    "hand_over": UpkeepSteps.hand_over,
    "sweep": UpkeepSteps.sweep,
    "find_lost_runs": UpkeepSteps.find_lost_runs,
    "sweep_spool": UpkeepSteps.sweep_spool,
    "tell_of_lists": UpkeepSteps.tell_of_lists,
}


@workflow.defn
class Upkeep:
    """One chore. What it could not do, the next run of the schedule does."""

    @workflow.run
    async def run(self, chore: Chore) -> Report:
        """Do the chore once."""
        report: Report = await workflow.execute_activity_method(
            CHORES[chore],
            Request(),
            **declaration_of(CHORES[chore]).alone,
        )
        return report
