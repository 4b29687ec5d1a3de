from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from workers import stack_record, stack_status
from workers.stack_record import AlreadyRunning, Mark, ProcessRecord, StackRecord, sole_stack

NOW = datetime.now(UTC)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def _record(*processes: ProcessRecord, supervisor: Mark | None = None) -> StackRecord:
    return StackRecord(supervisor=supervisor or stack_record.ourselves(), processes=processes)


def _gone() -> Mark:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    mark = Mark.of(ended.pid)
    ended.wait()
    return mark


def test_a_number_that_was_used_again_is_another_process(sleeper: subprocess.Popen[bytes]) -> None:
    mark = Mark.of(sleeper.pid)
    assert mark.process() is not None
    assert Mark(pid=mark.pid, started=mark.started - 60).process() is None


def test_a_process_that_ended_but_was_not_waited_for_is_gone(
    sleeper: subprocess.Popen[bytes],
) -> None:
    mark = Mark.of(sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert mark.process() is None


def test_only_what_is_provably_ours_is_ended(sleeper: subprocess.Popen[bytes]) -> None:
    mark = Mark.of(sleeper.pid)
    stranger = mark.model_copy(update={"started": mark.started - 60})
    one = ProcessRecord(name="worker", state="running", since=NOW, mark=stranger)
    assert _record(one).end_leftovers() == []
    assert sleeper.poll() is None
    assert _record(one.model_copy(update={"mark": mark})).end_leftovers() == ["worker"]
    assert sleeper.poll() is not None


def test_one_clone_has_one_stack_at_a_time(tmp_path: Path) -> None:
    assert not stack_record.is_locked(tmp_path)
    with sole_stack(tmp_path):
        _record().write(tmp_path)
        assert stack_record.is_locked(tmp_path)
        with (
            pytest.raises(AlreadyRunning, match=rf"pid {os.getpid()}.*perdure down"),
            sole_stack(tmp_path),
        ):
            pass
    assert not stack_record.is_locked(tmp_path)


def test_ending_where_nothing_runs_is_no_error(tmp_path: Path) -> None:
    assert not stack_record.end(tmp_path / "never made")
    _record(supervisor=_gone()).write(tmp_path)
    assert not stack_record.end(tmp_path)
    assert StackRecord.read(tmp_path) is None


def test_the_status_tells_running_restarting_and_gone_apart(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    since = datetime.now(UTC) - timedelta(minutes=2)
    running = ProcessRecord(name="a", state="running", since=since, mark=Mark.of(sleeper.pid))
    restarting = ProcessRecord(name="b", state="restarting", since=since)
    gone = ProcessRecord(name="c", state="running", since=since, mark=_gone())
    _record(running, restarting, gone).write(tmp_path)
    status = stack_status.of(tmp_path)
    assert [process.state for process in status.processes] == ["running", "restarting", "gone"]
    assert status.processes[0].uptime.startswith("0:02:0")
    assert status.running
    assert not status.complete
    _record(running).write(tmp_path)
    assert stack_status.of(tmp_path).complete


def test_without_its_supervisor_a_stack_is_not_complete(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    left = ProcessRecord(name="a", state="running", since=NOW, mark=Mark.of(sleeper.pid))
    _record(left, supervisor=_gone()).write(tmp_path)
    status = stack_status.of(tmp_path)
    assert (status.running, status.complete) == (False, False)
