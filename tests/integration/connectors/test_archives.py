"""What holds of every archive of documents, a folder or a bucket; and what of one alone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from connectors import s3
from connectors.archive_folder import FolderArchive
from connectors.capabilities import Archive
from connectors.errors import Refused, Unanswered
from connectors.folder import Folder
from connectors.s3 import S3Archive
from tests.s3 import S3, running_s3
from workers.ports import free_port

OWNER, OTHER = "mfzwi3lbmrzgk43tnfxw4z3pmy", "nfzwi3lbmrzgk43tnfxw4z3pmz"
LARGE = bytes(range(256)) * 40_000


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with running_s3() as running:
        yield running


def bucket_of(url: str, name: str, patience: float = 10) -> S3Archive:
    bucket = s3.bucket(
        name,
        region="eu-central-1",
        endpoint=url,
        access_key="a-key",
        secret_key="a-secret",
        patience=patience,
    )
    return S3Archive(bucket, patience=patience)


@pytest.fixture
def bucket_archive(server: S3) -> S3Archive:
    return bucket_of(server.url, server.new_bucket())


@pytest.fixture
def folder_archive(tmp_path: Path) -> FolderArchive:
    folder = Folder(tmp_path / "archive", no_answer="archive.folder")
    folder.prepare()
    return FolderArchive(folder)


@pytest.fixture(params=["folder_archive", "bucket_archive"])
def archive(request: pytest.FixtureRequest) -> Archive:
    found: Archive = request.getfixturevalue(request.param)
    return found


def upload(tmp_path: Path, content: bytes) -> tuple[Path, str]:
    file = tmp_path / "upload"
    file.write_bytes(content)
    return file, hashlib.sha256(content).hexdigest()


async def read(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


@pytest.mark.parametrize("content", ["%PDF-1.7 Żółć".encode(), b"\x00", LARGE], ids=len)
async def test_what_was_put_there_is_read_again(
    archive: Archive, tmp_path: Path, content: bytes
) -> None:
    file, sha256 = upload(tmp_path, content)
    assert await archive.holds(OWNER, sha256) is False
    await archive.put(OWNER, sha256, file, media_type="application/pdf")
    assert await archive.holds(OWNER, sha256) is True
    assert await read(archive.read(OWNER, sha256)) == content


async def test_putting_it_again_and_at_once_changes_nothing(
    archive: Archive, tmp_path: Path
) -> None:
    file, sha256 = upload(tmp_path, LARGE)
    puts = (archive.put(OWNER, sha256, file, media_type="image/png") for _ in range(5))
    await asyncio.gather(*puts)
    await archive.put(OWNER, sha256, file, media_type="image/png")
    assert await read(archive.read(OWNER, sha256)) == LARGE


async def test_what_is_erased_is_gone_and_erasing_again_is_fine(
    archive: Archive, tmp_path: Path
) -> None:
    file, sha256 = upload(tmp_path, b"one")
    await archive.put(OWNER, sha256, file, media_type="image/png")
    await archive.erase(OWNER, sha256)
    await archive.erase(OWNER, sha256)
    assert await archive.holds(OWNER, sha256) is False
    with pytest.raises(Refused) as missing:
        await read(archive.read(OWNER, sha256))
    assert missing.value.type == "archive.missing"
    assert sha256 not in missing.value.text


async def test_the_same_content_of_two_owners_is_there_twice(
    archive: Archive, tmp_path: Path
) -> None:
    file, sha256 = upload(tmp_path, b"the same")
    for owner in (OWNER, OTHER):
        await archive.put(owner, sha256, file, media_type="image/png")
    await archive.erase(OWNER, sha256)
    assert await read(archive.read(OTHER, sha256)) == b"the same"


async def test_a_bucket_that_is_not_there_refuses(server: S3, tmp_path: Path) -> None:
    file, sha256 = upload(tmp_path, b"one")
    with pytest.raises(Refused):
        await bucket_of(server.url, "nowhere").put(OWNER, sha256, file, media_type="image/png")


async def test_a_bucket_that_does_not_answer_is_asked_again_by_somebody_else(
    tmp_path: Path,
) -> None:
    file, sha256 = upload(tmp_path, b"one")
    nobody = bucket_of(f"http://127.0.0.1:{free_port()}", "nowhere", patience=1)
    for asked in (
        nobody.put(OWNER, sha256, file, media_type="image/png"),
        nobody.holds(OWNER, sha256),
        nobody.erase(OWNER, sha256),
        read(nobody.read(OWNER, sha256)),
    ):
        with pytest.raises(Unanswered) as silent:
            await asked
        assert "127.0.0.1" not in silent.value.text


@pytest.mark.parametrize(
    ("status", "error"), [(403, Refused), (500, Unanswered), (503, Unanswered)]
)
async def test_a_buckets_answers_are_told_apart(
    tmp_path: Path, status: int, error: type[Exception]
) -> None:
    file, sha256 = upload(tmp_path, b"one")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        bucket = bucket_of(f"http://127.0.0.1:{port}", "documents", patience=20)
        with pytest.raises(error):
            await bucket.put(OWNER, sha256, file, media_type="image/png")


async def test_no_path_leads_out_of_a_folder(folder_archive: FolderArchive, tmp_path: Path) -> None:
    file, sha256 = upload(tmp_path, b"one")
    for owner, name in (("..", sha256), ("a/b", sha256), (OWNER, "../../x"), ("", sha256)):
        with pytest.raises(ValueError, match="an owner is letters"):
            await folder_archive.put(owner, name, file, media_type="image/png")


async def test_a_folder_that_fails_is_told_without_names(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "archive", no_answer="archive.folder")
    folder.prepare()
    file, sha256 = upload(tmp_path, b"one")
    (tmp_path / "archive" / OWNER).touch()  # where its folder should be
    with pytest.raises(Unanswered) as failed:
        await FolderArchive(folder).put(OWNER, sha256, file, media_type="image/png")
    assert str(tmp_path) not in failed.value.text
