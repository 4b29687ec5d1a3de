"""What a running stack looks like from outside: for people and for machines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from workers.postgres_lodging import Lodging
from workers.stack_record import ProcessRecord, StackRecord
from workers.supervisor import State


class ProcessStatus(BaseModel):
    """One process. `state` is what its supervisor says, or that it is gone."""

    name: str
    state: State | Literal["gone"]
    pid: int | None
    since: datetime
    uptime_seconds: int | None
    urls: tuple[str, ...]

    @property
    def uptime(self) -> str:
        """For people: 2:03:04."""
        if self.uptime_seconds is None:
            return ""
        return str(timedelta(seconds=self.uptime_seconds))


class StackStatus(BaseModel):
    """The stack of one clone.

    `running` says that somebody looks after it, `complete` that every process of it runs.
    """

    running: bool
    complete: bool
    home: Path
    database_files: Path
    processes: tuple[ProcessStatus, ...]


def of(home: Path) -> StackStatus:
    """Look at the stack whose state is in `home`."""
    record, files = StackRecord.read(home), Lodging.of(home / "postgres").files
    if record is None:
        return StackStatus(
            running=False, complete=False, home=home, database_files=files, processes=()
        )
    running = record.is_alive()
    processes = tuple(_status(process, supervised=running) for process in record.processes)
    return StackStatus(
        running=running,
        complete=running and bool(processes) and all(p.state == "running" for p in processes),
        home=home,
        database_files=files,
        processes=processes,
    )


def _status(record: ProcessRecord, *, supervised: bool) -> ProcessStatus:
    process = record.mark.process() if record.mark else None
    between_runs = supervised and record.state != "running"
    uptime = datetime.now(UTC) - record.since
    return ProcessStatus(
        name=record.name,
        state=record.state if process or between_runs else "gone",
        pid=process.pid if process else None,
        since=record.since,
        uptime_seconds=int(uptime.total_seconds()) if process else None,
        urls=record.urls,
    )
