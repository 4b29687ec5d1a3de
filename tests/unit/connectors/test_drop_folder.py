"""Files that others take: whole, once, for the owner's eyes only, whatever dies meanwhile."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from connectors.drop_folder import DropFolder
from connectors.errors import Unanswered
from connectors.folder import LEFT_BEHIND_SECONDS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "drop"


@pytest.fixture
def folder(path: Path) -> DropFolder:
    made = DropFolder(path, no_answer="mail.folder", patience=0.3)
    made.prepare()
    return made


def shown(path: Path) -> list[str]:
    """What whoever takes files sees."""
    return [file.name for file in path.glob("[!.]*")]


def test_what_is_there_is_the_owners_alone(folder: DropFolder, path: Path) -> None:
    before = os.umask(0)
    try:
        folder.put("a", b"content")
        folder.keep_note("b", "note")
    finally:
        os.umask(before)
    for found in (path, *path.rglob("*")):
        mode = stat.S_IMODE(found.stat().st_mode)
        assert mode == (0o700 if found.is_dir() else 0o600), found


def test_a_name_is_put_there_once_also_when_it_was_taken(folder: DropFolder, path: Path) -> None:
    assert not folder.was_put("a")
    folder.put("a", b"first")
    folder.put("a", b"second")
    assert (path / "a").read_bytes() == b"first"
    (path / "a").unlink()
    folder.put("a", b"third")
    assert shown(path) == []
    assert folder.was_put("a")


def test_nothing_half_written_stays(folder: DropFolder, path: Path) -> None:
    folder.put("a", b"content")
    assert list((path / ".parts").iterdir()) == []
    old, new = path / ".parts" / "old", path / ".parts" / "new"
    for part in (old, new):
        part.touch()
    long_ago = time.time() - LEFT_BEHIND_SECONDS - 1
    os.utime(old, (long_ago, long_ago))
    folder.prepare()
    assert list((path / ".parts").iterdir()) == [new]


async def test_a_full_or_lost_disk_is_no_answer_and_names_no_file(
    folder: DropFolder, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device", str(path / "secret name"))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unanswered) as failed:
        await folder.run(lambda: folder.put("a", b"content"))
    assert failed.value.type == "mail.folder"
    assert "ENOSPC" in failed.value.text
    assert "secret" not in failed.value.text
    assert failed.value.__cause__ is None
    assert shown(path) == []


async def test_who_does_not_get_the_folder_in_time_has_no_answer(folder: DropFolder) -> None:
    def work() -> None:
        with folder.locked():
            pass

    with folder.locked(), pytest.raises(Unanswered) as failed:
        await folder.run(work)
    assert failed.value.type == "mail.folder"
    await folder.run(work)


def test_a_folder_that_cannot_be_used_is_seen_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        DropFolder(tmp_path / "file" / "drop", no_answer="mail.folder").prepare()
