"""Every message that the sink accepted, the same one twice included."""

# ruff: noqa: S608 - conditions are ours, what was asked is bound

import json
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Literal

from simulators.clock import Clock
from simulators.storage import Storage, Value

Order = Literal["newest_first", "oldest_first"]
Described = dict[str, Any]  # Any: JSON

SCHEMA = """
CREATE TABLE IF NOT EXISTS mail_messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    subject TEXT NOT NULL,
    received_at REAL NOT NULL,
    content BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS mail_messages_message_id ON mail_messages (message_id);
CREATE TABLE IF NOT EXISTS mail_recipients (
    address TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (address, number)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Wanted:
    """Which messages: an exact recipient or Message-ID, a part of the subject."""

    to: str | None = None
    subject: str | None = None
    message_id: str | None = None


class Inbox:
    """The messages, numbered from one in the order of their acceptance."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        storage.create(SCHEMA)

    def keep(self, sender: str, recipients: Sequence[str], content: bytes) -> None:
        """Keep a message; it is on disk when this returns."""
        message = _parsed(content)
        with self._storage.transaction():
            number = self._storage.insert(
                "INSERT INTO mail_messages"
                " (message_id, sender, recipients, subject, received_at, content)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    _header(message, "Message-ID"),
                    sender,
                    json.dumps(recipients, ensure_ascii=False),
                    _header(message, "Subject") or "",
                    self._clock.now(),
                    content,
                ),
            )
            for address in set(recipients):
                self._storage.run(
                    "INSERT INTO mail_recipients VALUES (?, ?)", (address.casefold(), number)
                )

    def page(
        self, wanted: Wanted, limit: int, after: int | None, order: Order
    ) -> tuple[list[Described], bool]:
        """Messages in an order, from behind number `after`; and whether there are more."""
        conditions = ["TRUE"]
        values: list[Value] = []
        if after:
            conditions.append("number < ?" if order == "newest_first" else "number > ?")
            values.append(after)
        if wanted.to is not None:
            conditions.append("number IN (SELECT number FROM mail_recipients WHERE address = ?)")
            values.append(wanted.to.casefold())
        if wanted.subject is not None:
            conditions.append("instr(subject, ?) > 0")
            values.append(wanted.subject)
        if wanted.message_id is not None:
            conditions.append("message_id = ?")
            values.append(wanted.message_id)
        rows = self._storage.rows(
            "SELECT number, sender, recipients, received_at, content FROM mail_messages"
            f" WHERE {' AND '.join(conditions)}"
            f" ORDER BY number {'DESC' if order == 'newest_first' else 'ASC'} LIMIT ?",
            (*values, limit + 1),
        )
        return [_described(*row) for row in rows[:limit]], len(rows) > limit

    def get(self, number: int) -> Described | None:
        """One message with its HTML and its source, too."""
        row = self._storage.row(
            "SELECT number, sender, recipients, received_at, content FROM mail_messages"
            " WHERE number = ?",
            (number,),
        )
        if row is None:
            return None
        content: bytes = row[4]
        return {
            **_described(*row),
            "html": _body(_parsed(content), "html"),
            "source": content.decode(errors="replace"),
        }

    def clear(self) -> int:
        """Forget all messages; how many there were. Numbers are not used again."""
        with self._storage.transaction():
            self._storage.run("DELETE FROM mail_recipients")
            return self._storage.run("DELETE FROM mail_messages")


def _described(
    number: int, sender: str, recipients: str, received_at: float, content: bytes
) -> Described:
    message = _parsed(content)
    return {
        "number": number,
        "message_id": _header(message, "Message-ID"),
        "sender": sender,
        "recipients": json.loads(recipients),
        "subject": _header(message, "Subject") or "",
        "received_at": received_at,
        "text": _body(message, "plain") or "",
        "headers": {name: str(value) for name, value in message.items()},
    }


def _parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=policy.default)


def _header(message: EmailMessage, name: str) -> str | None:
    value = message[name]
    return None if value is None else str(value).strip()


def _body(message: EmailMessage, kind: Literal["plain", "html"]) -> str | None:
    part = message.get_body((kind,))
    return None if part is None else str(part.get_content())
