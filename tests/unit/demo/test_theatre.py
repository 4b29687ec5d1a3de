"""On which stack the play is played."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from workers import laptop
from workers.demo.theatre import SYSTEMS, AlreadyPlaying, NoStack, sole_play, theatre
from workers.settings import Settings
from workers.stack_record import ProcessRecord, StackRecord, ourselves, sole_stack

pytestmark = pytest.mark.usefixtures("clone")


def written(settings: Settings, **systems: str) -> None:
    """A stack that runs, as its supervisor wrote it down: ourselves, in its place."""
    worker = ProcessRecord(
        name="worker", state="running", since=datetime.now(UTC), mark=ourselves()
    )
    record = StackRecord(
        supervisor=ourselves(),
        policy="demo",
        systems=settings.systems | systems,
        processes=(worker,),
    )
    record.write(settings.home)


async def test_a_stack_that_talks_to_others_than_the_play_is_about_is_not_played_on() -> None:
    settings = laptop.settings(policy="demo", **SYSTEMS)
    with sole_stack(settings.home):
        written(settings)
        async with theatre(settings, print) as found:
            assert not found.own
        written(settings, billing="invoice")
        with pytest.raises(NoStack, match="other systems"):
            async with theatre(settings, print):
                pass


def test_the_stage_is_held_by_one_demo_at_a_time(tmp_path: Path) -> None:
    again = sole_play(tmp_path)
    with sole_play(tmp_path), pytest.raises(AlreadyPlaying, match="Try again once"):
        again.__enter__()
    with sole_play(tmp_path):
        pass
