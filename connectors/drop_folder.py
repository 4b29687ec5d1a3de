"""A folder into which we put files for others to take: whole, once, and for the owner's eyes only.

    folder/
      NAME          what was put there; whoever takes it may move or delete it
      .notes/NAME   that it was put there, which outlives it; other notes of ours
      .parts/       files that are being written
      .lock

A file appears under its name in one move, with all that is in it: a crash leaves it whole or not
there. It is on disk when `put` returns. The folder is on one file system that has hard links and
`flock`; several workers may share it.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from connectors.errors import Unanswered

LEFT_BEHIND_SECONDS = 3600.0
"""A part this old is a dead worker's."""
_LOOK_AGAIN_SECONDS = 0.01

Answer = TypeVar("Answer")


class DropFolder:
    """One folder. What blocks is done in `run`, which takes `patience` seconds at most.

    `no_answer` is the code of the error when the file system fails, like `crm.folder`.
    """

    def __init__(self, path: Path, *, no_answer: str, patience: float = 10.0) -> None:
        self._path = path
        self._notes, self._parts = path / ".notes", path / ".parts"
        self._no_answer = no_answer
        self._patience = patience

    def prepare(self) -> None:
        """Make the folder and try it; delete what dead workers left. Raises OSError."""
        for folder in (self._path, self._notes, self._parts):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        long_ago = time.time() - LEFT_BEHIND_SECONDS
        for part in self._parts.iterdir():
            with contextlib.suppress(FileNotFoundError):  # its worker lives, and is done with it
                if part.stat().st_mtime < long_ago:
                    part.unlink()
        with self._written(b"") as part, self.locked():
            trial = part.with_suffix(".linked")
            trial.hardlink_to(part)
            trial.unlink()

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Do `work` where it holds up nobody. Raises Unanswered where the file system fails."""
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.to_thread(work)
        except OSError as error:  # a time-out is one
            code = errno.errorcode.get(error.errno or 0, type(error).__name__)
            # The cause is cut off: it names files, and causes travel far.
            text = f"the folder cannot be written or read ({code})"
            raise Unanswered(self._no_answer, text) from None

    # What follows blocks, and raises OSError.

    def put(self, name: str, content: bytes) -> None:
        """Put a file there, once for its name: also when somebody has taken it meanwhile.

        A crash after the file appeared and before that was noted makes it appear a second time, if
        somebody took it in between.
        """
        if self.note(name) is not None:
            return
        with self._written(content) as part, contextlib.suppress(FileExistsError):
            (self._path / name).hardlink_to(part)
        _sync(self._path)
        self.keep_note(name, "")

    def was_put(self, name: str) -> bool:
        """Whether a file of this name is there, or was."""
        return (self._path / name).exists() or self.note(name) is not None

    def note(self, name: str) -> str | None:
        """What we noted under a name."""
        try:
            return (self._notes / name).read_text()
        except FileNotFoundError:
            return None

    def keep_note(self, name: str, text: str) -> None:
        """Note something under a name, in place of what was noted before."""
        with self._written(text.encode()) as part:
            # The part's own name goes on to be deleted: a second one becomes the note.
            second = part.with_suffix(".note")
            second.hardlink_to(part)
            second.replace(self._notes / name)
        _sync(self._notes)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with the folder, among all workers; a worker that dies lets go of it."""
        until = time.monotonic() + self._patience
        descriptor = os.open(self._path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= until:
                        raise
                time.sleep(_LOOK_AGAIN_SECONDS)
            yield
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _written(self, content: bytes) -> Iterator[Path]:
        """A file with this content, on disk, under a name of its own that is deleted afterwards."""
        descriptor, name = tempfile.mkstemp(dir=self._parts)  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as part:
                part.write(content)
                part.flush()
                os.fsync(part.fileno())
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Have the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
