"""What lies in an outbox, as a test reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from pathlib import Path

from tests.simulated import Mail


def letters_in(folder: Path) -> list[Mail]:
    """The letters in an outbox."""
    return [_letter(number, file) for number, file in enumerate(sorted(folder.glob("*.eml")))]


def _letter(number: int, file: Path) -> Mail:
    letter = BytesParser(policy=policy.SMTPUTF8).parsebytes(file.read_bytes())
    return Mail(
        number=number,
        message_id=letter["Message-ID"],
        sender=letter["From"].addresses[0].addr_spec,
        recipients=tuple(one.addr_spec for one in letter["To"].addresses),
        subject=letter["Subject"],
        received_at=datetime.fromtimestamp(file.stat().st_mtime, UTC),
        text=letter.get_content(),
        headers=dict(letter.items()),
    )
