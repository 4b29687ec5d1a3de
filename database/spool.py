"""The spool: uploads that the door took in and no archive has yet, each a file of its own.

    spool/
      ID        a document, whole, that `documents` has a row for
      .parts/   uploads under way

A file is in its place before its row is committed, and is deleted after the archive has it: what a
crash leaves behind is a file without a row that wants it, which is swept. Gateways and workers
share the folder. What blocks raises OSError; call it in a thread.
"""

import contextlib
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_ID = re.compile(r"[0-9a-f]{32}")
_PIECE = 256 * 1024


class Part:
    """An upload under way: its hash, its size and how it begins are known as it grows."""

    def __init__(self, file: Path, descriptor: int, spool: Path) -> None:
        self._path = file
        self._file = os.fdopen(descriptor, "wb")
        self._spool = spool
        self._hash = hashlib.sha256()
        self.size = 0
        self.head = b""

    @property
    def sha256(self) -> str:
        """The hash of what has come so far, in hex."""
        return self._hash.hexdigest()

    def write(self, piece: bytes) -> None:
        """Add a piece."""
        self._file.write(piece)
        self._hash.update(piece)
        self.size += len(piece)
        self.head += piece[: _HEAD - len(self.head)]

    def keep(self, id_: str) -> None:
        """Put it in its place, on disk, over what is there."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._path.replace(_place(self._spool, id_))
        _sync(self._spool)

    def close(self) -> None:
        """Delete it, unless it was kept."""
        self._file.close()
        self._path.unlink(missing_ok=True)


_HEAD = 4096
"""So much of the beginning of a file tells what it is."""


class Spool:
    """The folder of uploads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts = path / ".parts"

    def prepare(self) -> None:
        """Make the folder, and try it."""
        for folder in (self._path, self._parts):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.begin().close()

    def begin(self) -> Part:
        """Begin an upload; close it, kept or not."""
        descriptor, name = tempfile.mkstemp(dir=self._parts)  # mode 0600
        return Part(Path(name), descriptor, self._path)

    def file(self, id_: str) -> Path:
        """Where a document is. Raises ValueError for what is no id."""
        return _place(self._path, id_)

    def has(self, id_: str, sha256: str) -> bool:
        """Whether a document is there, and undamaged."""
        digest = hashlib.sha256()
        try:
            with self.file(id_).open("rb") as file:
                while piece := file.read(_PIECE):
                    digest.update(piece)
        except FileNotFoundError:
            return False
        return digest.hexdigest() == sha256

    def drop(self, id_: str) -> None:
        """Delete a document, where it is there."""
        self.file(id_).unlink(missing_ok=True)

    def old(self, seconds: float) -> Iterator[str]:
        """The ids of documents that came longer ago than this."""
        for file in _older(self._path, seconds):
            if _ID.fullmatch(file.name):
                yield file.name

    def drop_old_parts(self, seconds: float) -> int:
        """Delete uploads that were begun longer ago than this and never ended; how many."""
        parts = list(_older(self._parts, seconds))
        for part in parts:
            part.unlink(missing_ok=True)
        return len(parts)


def _place(spool: Path, id_: str) -> Path:
    if not _ID.fullmatch(id_):
        raise ValueError("a document's id is 32 hexadecimal digits")
    return spool / id_


def _older(folder: Path, seconds: float) -> Iterator[Path]:
    before = time.time() - seconds
    for file in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # somebody was quicker
            if file.is_file() and file.stat().st_mtime < before:
                yield file


def _sync(folder: Path) -> None:
    """Have the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
