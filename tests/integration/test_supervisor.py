from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from tests.patience import SOON
from workers.child_process import ChildProcess, Program, StartFailed
from workers.ports import answers, free_port
from workers.supervisor import Supervisor

FAKE = Path(__file__).with_name("fake_service.py")
ROOT = FAKE.parents[2]


class Household:
    """A supervisor, what it said, and what happened to its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.supervisor = Supervisor(self.said.append, lambda: None)

    def service(
        self, name: str, manner: str = "plain", *, start_time: float = 20, stop_time: float = 20
    ) -> ChildProcess:
        port = free_port()

        async def ready() -> bool:
            return await answers(port)

        return ChildProcess(
            Program(
                name=name,
                command=(sys.executable, str(FAKE), name, str(port), str(self.diary), manner),
                log=self.folder / f"{name}.log",
                ready=ready,
                start_time=start_time,
                stop_time=stop_time,
            )
        )

    @property
    def diary(self) -> Path:
        return self.folder / "diary"

    @property
    def happened(self) -> list[str]:
        return self.diary.read_text().splitlines()


@pytest.fixture
async def household(tmp_path: Path) -> AsyncIterator[Household]:
    home = Household(tmp_path)
    yield home
    await home.supervisor.stop()


async def test_processes_end_in_the_reverse_order_and_none_is_left(household: Household) -> None:
    first, second, third = (household.service(name) for name in ("first", "second", "third"))
    await household.supervisor.start(first, second)
    await household.supervisor.start(third)
    pids = [service.pid for service in (first, second, third)]
    await household.supervisor.stop()
    assert household.happened[-3:] == ["third ended", "second ended", "first ended"]
    assert not any(psutil.pid_exists(pid) for pid in pids if pid)


async def test_a_process_that_dies_is_started_again_and_people_are_told(
    household: Household,
) -> None:
    service = household.service("worker")
    await household.supervisor.start(service)
    killed = service.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    await _until(
        lambda: service.pid not in (None, killed) and "running again" in household.said[-1]
    )
    assert household.happened == ["worker started", "worker started"]
    assert "worker: ended unexpectedly (signal 9), starting it again" in household.said


async def test_a_process_that_cannot_start_says_what_its_log_says(household: Household) -> None:
    with pytest.raises(StartFailed, match=r"broken ended with exit code 1(?s:.*)disk is full"):
        await household.supervisor.start(household.service("broken", "broken"))


async def test_when_one_of_several_cannot_start_the_others_do_not_stay(
    household: Household,
) -> None:
    well = household.service("well")
    with pytest.raises(StartFailed):
        await household.supervisor.start(well, household.service("broken", "broken"))
    await household.supervisor.stop()
    assert well.pid is None
    assert household.supervisor.kept == ()


async def test_a_process_that_never_answers_is_given_up_and_ended(household: Household) -> None:
    silent = household.service("silent", "silent", start_time=3)
    with pytest.raises(StartFailed, match="did not answer within"):
        await household.supervisor.start(silent)
    assert silent.pid is None
    assert household.happened[-1] == "silent ended"


async def test_a_process_that_will_not_end_is_made_to(household: Household) -> None:
    stubborn = household.service("stubborn", "stubborn", stop_time=0.3)
    await household.supervisor.start(stubborn)
    began = time.monotonic()
    await household.supervisor.stop()
    assert time.monotonic() - began < 10, "it has 20 seconds where nothing is said"
    assert stubborn.pid is None


async def test_what_a_process_started_itself_ends_with_it(household: Household) -> None:
    await household.supervisor.start(household.service("parent", "parent"))
    grandchild = int(household.happened[-1].split()[-1])
    assert _runs(grandchild)
    await household.supervisor.stop()
    await _until(lambda: not _runs(grandchild))
    assert not _runs(grandchild)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
async def test_when_the_supervisor_itself_is_killed_its_processes_end(household: Household) -> None:
    port = free_port()
    script = f"""
import asyncio
from pathlib import Path
from workers.child_process import ChildProcess, Program
from tests.patience import SOON
async def main():
    child = ChildProcess(Program(
        name="orphan", log=Path({str(household.folder / "orphan.log")!r}),
        command=({sys.executable!r}, {str(FAKE)!r}, "orphan", "{port}", {str(household.diary)!r}),
    ))
    await child.start()
    await asyncio.sleep(600)
asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    await _until(lambda: household.diary.exists() and "orphan started" in household.happened)
    [orphan] = psutil.Process(parent.pid).children()
    parent.kill()
    parent.wait()
    await _until(lambda: not orphan.is_running())
    assert household.happened == ["orphan started", "orphan ended"]


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not condition():
            await asyncio.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
