"""What runs by schedule. Applying it again changes what differs and keeps an operator's pause."""

from collections.abc import Mapping
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from workers.settings import Settings
from workflows.onboarding.messages import TASK_QUEUE
from workflows.reconciliation.messages import TASK_QUEUE as RECONCILIATION
from workflows.reconciliation.messages import Night
from workflows.reconciliation.nightly import Nightly
from workflows.step import declaration_of
from workflows.upkeep import CHORES, Chore, Upkeep

NIGHTLY = "reconciliation-nightly"
_MADE_UP_FOR = timedelta(days=7)
"""Nights that were missed while Temporal was down; a gap of days is closed by ranges anyway."""

EVERY: Mapping[Chore, timedelta] = {
    "hand_over": timedelta(seconds=20),
    "sweep": timedelta(minutes=1),
    "find_lost_runs": timedelta(minutes=1),
    "sweep_spool": timedelta(minutes=10),
    "tell_of_lists": timedelta(minutes=5),
}


def schedule_of(chore: Chore) -> Schedule:
    """The schedule of a chore: one run at a time, and none made up for that were missed."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            Upkeep.run,
            chore,
            id=f"upkeep/{chore}",
            task_queue=TASK_QUEUE,
            static_summary=declaration_of(CHORES[chore]).summary,
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=EVERY[chore])]),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(seconds=10)
        ),
    )


def nightly(settings: Settings) -> Schedule:
    """The schedule of the night: at one time of a time zone, whatever its summer does.

    A night that was missed is made up for, however long we were down, up to the window; two at once
    get in each other's way no more than two accounts do.
    """
    return Schedule(
        action=ScheduleActionStartWorkflow(
            Nightly.run,
            Night(),
            id=NIGHTLY,
            task_queue=RECONCILIATION,
            static_summary="Start the reconciliation of each account",
        ),
        spec=ScheduleSpec(
            calendars=[
                ScheduleCalendarSpec(
                    hour=[ScheduleRange(settings.nightly_at.hour)],
                    minute=[ScheduleRange(settings.nightly_at.minute)],
                )
            ],
            time_zone_name=settings.nightly_zone,
            jitter=settings.nightly_jitter,
        ),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.BUFFER_ALL, catchup_window=_MADE_UP_FOR
        ),
    )


async def apply(client: Client, settings: Settings) -> None:
    """Make every schedule what it should be."""
    for chore in EVERY:
        await _apply(client, f"upkeep-{chore}", schedule_of(chore))
    await _apply(client, NIGHTLY, nightly(settings))


async def _apply(client: Client, name: str, wanted: Schedule) -> None:
    def changed(now: ScheduleUpdateInput) -> ScheduleUpdate:
        wanted.state.paused = now.description.schedule.state.paused
        wanted.state.note = now.description.schedule.state.note
        return ScheduleUpdate(schedule=wanted)

    try:
        await client.create_schedule(name, wanted)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(changed)
