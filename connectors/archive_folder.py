"""An archive in a folder: each document is a file `OWNER/SHA256`, written once and left alone."""

import contextlib
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from connectors.errors import Refused
from connectors.folder import Folder, appear, sync

NO_ANSWER = "archive.folder"

_OWNER = re.compile(r"[A-Za-z0-9-]{1,100}")
_HASH = re.compile(r"[0-9a-f]{64}")
_PIECE = 256 * 1024


class FolderArchive:
    """Documents as files. Several workers and gateways may share the folder."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    async def put(self, owner: str, sha256: str, file: Path, *, media_type: str) -> None:
        """Copy `file` there, whole or not at all. The media type is for our database to know.

        Raises Unanswered (`archive.folder`).
        """
        kept = self._file(owner, sha256)
        await self._folder.run(lambda: self._copy(file, kept))

    async def holds(self, owner: str, sha256: str) -> bool:
        """Whether it is there. Raises Unanswered."""
        return await self._folder.run(self._file(owner, sha256).is_file)

    async def read(self, owner: str, sha256: str) -> AsyncIterator[bytes]:
        """The content, piece by piece. Raises Refused (`archive.missing`) or Unanswered."""
        kept = self._file(owner, sha256)
        opened = await self._folder.run(lambda: _open(kept))
        if opened is None:
            raise Refused("archive.missing", "the archive has no such document")
        try:
            while piece := await self._folder.run(lambda: opened.read(_PIECE)):
                yield piece
        finally:
            opened.close()

    async def erase(self, owner: str, sha256: str) -> None:
        """Delete the file, and its owner's folder with the last one. Raises Unanswered."""
        kept = self._file(owner, sha256)
        await self._folder.run(lambda: self._delete(kept))

    def _file(self, owner: str, sha256: str) -> Path:
        if not (_OWNER.fullmatch(owner) and _HASH.fullmatch(sha256)):
            raise ValueError("an owner is letters and digits, a SHA-256 64 hexadecimal digits")
        return self._folder.path / owner / sha256

    def _copy(self, file: Path, kept: Path) -> None:
        if kept.exists():
            return
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        sync(self._folder.path)
        with (
            file.open("rb") as content,
            self._folder.written(lambda part: shutil.copyfileobj(content, part)) as part,
        ):
            appear(part, kept)

    def _delete(self, kept: Path) -> None:
        kept.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it has other documents, or is gone
            kept.parent.rmdir()


def _open(file: Path) -> BinaryIO | None:
    try:
        return file.open("rb")
    except FileNotFoundError:
        return None
