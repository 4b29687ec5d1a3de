"""A folder in which files appear whole, on disk, for the owner's eyes only."""

import asyncio
import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from connectors.errors import Unanswered

LEFT_BEHIND_SECONDS = 3600.0
"""A part this old is a dead worker's."""

Answer = TypeVar("Answer")


class Folder:
    """One folder. What blocks is done in `run`, which takes `patience` seconds at most.

    `no_answer` is the code of the error when the file system fails, like `crm.folder`.
    """

    def __init__(self, path: Path, *, no_answer: str, patience: float = 10.0) -> None:
        self.path = path
        self.patience = patience
        self._parts = path / ".parts"
        self._no_answer = no_answer

    def prepare(self) -> None:
        """Make the folder and try it; delete what dead workers left. Raises OSError."""
        for folder in (self.path, self._parts):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        long_ago = time.time() - LEFT_BEHIND_SECONDS
        for part in self._parts.iterdir():
            with contextlib.suppress(FileNotFoundError):  # its worker lives, and is done with it
                if part.stat().st_mtime < long_ago:
                    part.unlink()
        with self.written(lambda _: None) as part:
            trial = part.with_suffix(".linked")
            trial.hardlink_to(part)
            trial.unlink()

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Do `work` where it holds up nobody. Raises Unanswered where the file system fails."""
        try:
            async with asyncio.timeout(self.patience):
                return await asyncio.to_thread(work)
        except OSError as error:  # a time-out is one
            code = errno.errorcode.get(error.errno or 0, type(error).__name__)
            # The cause is cut off: it names files, and causes travel far.
            text = f"the folder cannot be written or read ({code})"
            raise Unanswered(self._no_answer, text) from None

    @contextlib.contextmanager
    def written(self, write: Callable[[BinaryIO], object]) -> Iterator[Path]:
        """A file with what `write` writes, on disk, under a name of its own; deleted afterwards.

        `appear` puts it where it is to be. Blocks, and raises OSError.
        """
        descriptor, name = tempfile.mkstemp(dir=self._parts)  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as part:
                write(part)
                part.flush()
                os.fsync(part.fileno())
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)


def appear(part: Path, file: Path) -> None:
    """Have a part appear as `file`, on disk, unless that is there. Blocks, and raises OSError."""
    with contextlib.suppress(FileExistsError):
        file.hardlink_to(part)
    sync(file.parent)


def sync(folder: Path) -> None:
    """Have the names in a folder on disk. Blocks, and raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
