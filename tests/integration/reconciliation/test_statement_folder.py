"""Statement files that are dropped into a folder come in by themselves, each once."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from tests.integration.reconciliation.test_statements import Bank, bank, camt
from tests.patience import SOON
from tests.postgres import rows
from workers.statement_folder import watching

__all__ = ["bank"]


def drop(folder: Path, name: str, content: bytes, *, age: float = 5) -> None:
    """A file that was written so many seconds ago."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    os.utime(folder / name, (time.time() - age,) * 2)


async def states(bank: Bank, count: int) -> list[str]:
    """The states of files, once there are so many that were read or refused."""
    async with asyncio.timeout(SOON):
        while True:
            found = await rows(
                bank.engine, "SELECT state FROM source_files WHERE state <> 'received'"
            )
            if len(found) >= count:
                return sorted(row["state"] for row in found)
            await asyncio.sleep(0.1)


async def test_what_is_there_and_what_comes_is_taken_in(bank: Bank, tmp_path: Path) -> None:
    folder = tmp_path / "dropped"
    drop(folder, "first.xml", camt(1))
    async with watching(folder, bank.intake):
        await states(bank, 1)
        drop(folder, "second.xml", camt(2, opening=10_850))
        drop(folder, "bad.xml", b"<Document/>")
        drop(folder, "half.part", camt(3))
        drop(folder, ".hidden", camt(3))
        assert await states(bank, 3) == ["read", "read", "refused"]

    assert sorted(one.name for one in folder.iterdir()) == [".hidden", ".taken", "half.part"]
    taken = sorted(one.name for one in (folder / ".taken").iterdir())
    assert taken == ["bad.xml", "first.xml", "second.xml"]


async def test_a_file_that_is_still_written_is_left_alone(bank: Bank, tmp_path: Path) -> None:
    folder = tmp_path / "dropped"
    drop(folder, "growing.xml", camt(1)[:100], age=-3600)
    async with watching(folder, bank.intake):
        drop(folder, "whole.xml", camt(1))
        await states(bank, 1)

    assert (folder / "growing.xml").exists()


async def test_what_was_uploaded_is_read_by_the_worker_that_watches(
    bank: Bank, tmp_path: Path
) -> None:
    await bank.receive(camt())
    async with watching(tmp_path / "dropped", bank.intake):
        assert await states(bank, 1) == ["read"]
