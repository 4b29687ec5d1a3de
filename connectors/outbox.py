"""Mail by an outbox: a folder of letters that somebody else's mail system picks up."""

import hashlib

from connectors.drop_folder import DropFolder
from connectors.letters import address_in, letter, recipient

NO_ANSWER = "mail.folder"


class OutboxMail:
    """Letters as files (RFC 5322), one each: `HASH.eml`, from the SHA-256 of the Message-ID.

    Two with one Message-ID are one file. `sender` is what people see, "Name <address>".
    """

    def __init__(self, folder: DropFolder, *, sender: str) -> None:
        address_in(sender)
        self._folder = folder
        self._sender = sender

    async def send(self, *, message_id: str, to: str, subject: str, text: str) -> None:
        """Put one letter into the outbox. `message_id` is whole: `<key@our domain>`.

        Raises Refused (`mail.address`, `mail.letter`) or Unanswered (`mail.folder`).
        """
        content = letter(
            message_id=message_id,
            sender=self._sender,
            recipient=recipient(to),
            subject=subject,
            text=text,
        ).as_bytes()
        name = f"{hashlib.sha256(message_id.encode()).hexdigest()}.eml"
        await self._folder.run(lambda: self._folder.put(name, content))
