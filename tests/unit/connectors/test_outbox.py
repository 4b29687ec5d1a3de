"""Letters in an outbox: one file each, whatever dies meanwhile."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from connectors.drop_folder import DropFolder
from connectors.errors import Refused
from connectors.outbox import OutboxMail
from tests.outbox import letters_in
from tests.unit.connectors.crashing import died

SENDER = "Perdüre <onboarding@example.com>"


@pytest.fixture
def folder(tmp_path: Path) -> DropFolder:
    made = DropFolder(tmp_path, no_answer="mail.folder")
    made.prepare()
    return made


@pytest.fixture
def mail(folder: DropFolder) -> OutboxMail:
    return OutboxMail(folder, sender=SENDER)


async def send(mail: OutboxMail, **instead: str) -> None:
    letter = {
        "message_id": "<prd_1@example.com>",
        "to": "ada@example.com",
        "subject": "Hello",
        "text": "Hello Ада\n",
    }
    await mail.send(**letter | instead)


async def test_a_file_is_named_by_the_hash_of_its_message_id(
    mail: OutboxMail, tmp_path: Path
) -> None:
    await send(mail)
    (file,) = tmp_path.glob("[!.]*")
    assert file.name == hashlib.sha256(b"<prd_1@example.com>").hexdigest() + ".eml"
    (letter,) = letters_in(tmp_path)
    assert (letter.sender, letter.text) == ("onboarding@example.com", "Hello Ада\r\n")
    head, _, _ = file.read_bytes().partition(b"\r\n\r\n")
    assert b"\n" not in head.replace(b"\r\n", b""), "lines end as RFC 5322 has it"


async def test_a_letter_that_was_sent_on_does_not_come_again(
    mail: OutboxMail, tmp_path: Path
) -> None:
    await send(mail)
    next(tmp_path.glob("*.eml")).unlink()
    await send(mail)
    assert letters_in(tmp_path) == []


@pytest.mark.parametrize(
    ("letter", "type_"),
    [
        ({"to": "ada@example.com\r\nBcc: eve@example.com"}, "mail.address"),
        ({"to": "ada"}, "mail.address"),
        ({"subject": "Hello\r\nBcc: eve@example.com"}, "mail.letter"),
        ({"text": "Hello \ud800"}, "mail.letter"),
        ({"message_id": "../../etc"}, "mail.letter"),
    ],
)
async def test_what_is_no_letter_is_refused_and_leaves_nothing(
    mail: OutboxMail, tmp_path: Path, letter: dict[str, str], type_: str
) -> None:
    with pytest.raises(Refused) as refused:
        await send(mail, **letter)
    assert refused.value.type == type_
    assert "ada" not in refused.value.text
    assert letters_in(tmp_path) == []


def test_a_sender_without_an_address_is_seen_at_the_start(folder: DropFolder) -> None:
    with pytest.raises(ValueError, match="a sender is written"):
        OutboxMail(folder, sender="Perdure")


def test_a_worker_that_dies_at_any_moment_leaves_one_letter_in_the_end(tmp_path: Path) -> None:
    crashes = 0
    while True:
        path = tmp_path / str(crashes)
        folder = DropFolder(path, no_answer="mail.folder")
        folder.prepare()
        mail = OutboxMail(folder, sender=SENDER)
        came_to_it = died(lambda mail=mail: send(mail), at=crashes + 1)  # type: ignore[misc]
        assert len(letters_in(path)) <= 1, "whole or not there"
        assert not died(lambda mail=mail: send(mail))  # type: ignore[misc]
        (letter,) = letters_in(path)
        assert letter.text == "Hello Ада\r\n"
        if not came_to_it:
            break
        crashes += 1
    assert crashes > 5, "it died between writing and answering, too"
