"""Documents in the spool and in our database, as the door puts them there."""

from __future__ import annotations

import hashlib
from typing import Any

from database import documents, onboardings
from database.connection import transaction
from database.documents import Upload
from database.spool import Spool
from tests.house import House
from workflows.onboarding.rules import DocumentKind

PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(40)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(40)
KIND: DocumentKind = "proof_of_address"


async def ask(house: House, id_: str, *kinds: DocumentKind, files: int = 3) -> None:
    """Have an onboarding wait for documents."""
    async with transaction(house.engine) as connection:
        await onboardings.RECORD_STAGE.carry_out(
            connection, onboardings.stage_values(id_, "awaiting_documents")
        )
        await documents.ask(connection, id_, kinds=kinds or (KIND,), round_=1, files=files)


def spool_of(house: House) -> Spool:
    spool = Spool(house.settings.spool)
    spool.prepare()
    return spool


async def take_in(house: House, id_: str, content: bytes = PDF) -> str:
    """Take a document in; the answer is its id."""
    part = spool_of(house).begin()
    part.write(content)
    upload = Upload(id_, KIND, part.sha256, part.size, "application/pdf", "test")
    async with transaction(house.engine) as connection:
        row, _ = await documents.take_in(connection, upload)
        part.keep(row["id"])
    part.close()
    return str(row["id"])


async def row_of(house: House, document: str) -> dict[str, Any]:
    (row,) = await house.rows("SELECT * FROM documents WHERE id = :id", id=document)
    return row


def in_archive(house: House, content: bytes = PDF) -> int:
    """How often a content is in the archive folder."""
    name = hashlib.sha256(content).hexdigest()
    found = house.settings.archive_folder.rglob(name)
    return sum(1 for file in found if file.read_bytes() == content)


def in_spool(house: House) -> list[str]:
    """The files in the spool, uploads under way too."""
    files = house.settings.spool.rglob("*")
    return sorted(file.name for file in files if file.is_file())
