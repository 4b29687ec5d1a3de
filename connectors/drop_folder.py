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

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from connectors.folder import Folder, appear, sync

_LOOK_AGAIN_SECONDS = 0.01


class DropFolder(Folder):
    """One folder, whose files others take.

    `no_answer` is the code of the error when the file system fails, like `crm.folder`.
    """

    def __init__(self, path: Path, *, no_answer: str, patience: float = 10.0) -> None:
        super().__init__(path, no_answer=no_answer, patience=patience)
        self._notes = path / ".notes"

    def prepare(self) -> None:
        """Make the folder and try it; delete what dead workers left. Raises OSError."""
        super().prepare()
        self._notes.mkdir(mode=0o700, exist_ok=True)
        with self.locked():
            pass

    # What follows blocks, and raises OSError.

    def put(self, name: str, content: bytes) -> None:
        """Put a file there, once for its name: also when somebody has taken it meanwhile.

        A crash after the file appeared and before that was noted makes it appear a second time, if
        somebody took it in between.
        """
        if self.note(name) is not None:
            return
        with self.written(lambda part: part.write(content)) as part:
            appear(part, self.path / name)
        self.keep_note(name, "")

    def was_put(self, name: str) -> bool:
        """Whether a file of this name is there, or was."""
        return (self.path / name).exists() or self.note(name) is not None

    def note(self, name: str) -> str | None:
        """What we noted under a name."""
        try:
            return (self._notes / name).read_text()
        except FileNotFoundError:
            return None

    def keep_note(self, name: str, text: str) -> None:
        """Note something under a name, in place of what was noted before."""
        with self.written(lambda part: part.write(text.encode())) as part:
            # The part's own name goes on to be deleted: a second one becomes the note.
            second = part.with_suffix(".note")
            second.hardlink_to(part)
            second.replace(self._notes / name)
        sync(self._notes)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with the folder, among all workers; a worker that dies lets go of it."""
        until = time.monotonic() + self.patience
        descriptor = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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
