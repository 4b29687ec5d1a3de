"""A folder into which banks' statement files are dropped, watched while the worker runs.

    folder/
      NAME         a file that came; hidden ones and `*.part` are left alone
      .taken/NAME  what was taken over

Nothing in it is deleted. A file is taken over once nobody has written to it for a moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import structlog
from watchfiles import awatch

from activities.reconciliation.statements import StatementIntake

_SETTLED_SECONDS = 1.0
_LOOK_EVERY_SECONDS = 2.0
"""How often one looks without being told: at files that settled since, and at uploads."""
_TAKEN = ".taken"

log = structlog.stdlib.get_logger(__name__)


@contextlib.asynccontextmanager
async def watching(folder: Path, intake: StatementIntake) -> AsyncIterator[None]:
    """Take in what is dropped into `folder`, and what came by other doors, as soon as it is there.

    Raises OSError where the folder cannot be made.
    """
    (folder / _TAKEN).mkdir(mode=0o700, parents=True, exist_ok=True)
    stop = asyncio.Event()
    task = asyncio.create_task(_watch(folder, intake, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def _watch(folder: Path, intake: StatementIntake, stop: asyncio.Event) -> None:
    await _look(folder, intake)
    changes = awatch(
        folder,
        recursive=False,
        stop_event=stop,
        rust_timeout=int(_LOOK_EVERY_SECONDS * 1000),
        yield_on_timeout=True,
    )
    async for _ in changes:
        if stop.is_set():
            return
        await _look(folder, intake)


async def _look(folder: Path, intake: StatementIntake) -> None:
    """Take over what has settled, and read what waits; what fails is tried at the next look."""
    try:
        for file in await asyncio.to_thread(lambda: list(_settled(folder))):
            id_ = await intake.receive(file, by="folder")
            await asyncio.to_thread(_put_away, file, id_)
        await intake.read_waiting()
    except Exception as error:  # noqa: BLE001 - whatever it is, the worker goes on
        log.warning("statement files wait", error=type(error).__name__)


def _settled(folder: Path) -> Iterator[Path]:
    before = time.time() - _SETTLED_SECONDS
    for file in sorted(folder.iterdir()):
        if file.name.startswith(".") or file.suffix == ".part":
            continue
        with contextlib.suppress(FileNotFoundError):  # somebody was quicker
            if file.is_file() and not file.is_symlink() and file.stat().st_mtime < before:
                yield file


def _put_away(file: Path, id_: str) -> None:
    place = file.parent / _TAKEN / file.name
    if place.exists():
        place = place.with_name(f"{id_}-{file.name}")
    with contextlib.suppress(FileNotFoundError):  # another worker took it over, too: the same file
        file.replace(place)
