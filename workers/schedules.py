"""What runs by schedule. Applying it again changes what differs and keeps an operator's pause."""

from collections.abc import Mapping
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from workflows.onboarding.messages import TASK_QUEUE
from workflows.step import declaration_of
from workflows.upkeep import CHORES, Chore, Upkeep

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


async def apply(client: Client) -> None:
    """Make every schedule what it should be."""
    for chore in EVERY:
        await _apply(client, f"upkeep-{chore}", schedule_of(chore))


async def _apply(client: Client, name: str, wanted: Schedule) -> None:
    def changed(now: ScheduleUpdateInput) -> ScheduleUpdate:
        wanted.state.paused = now.description.schedule.state.paused
        wanted.state.note = now.description.schedule.state.note
        return ScheduleUpdate(schedule=wanted)

    try:
        await client.create_schedule(name, wanted)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(changed)
