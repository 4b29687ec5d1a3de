"""Letters as RFC 5322 has them, and the addresses that they can go to."""

import re
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from email_validator import EmailNotValidError, validate_email

from connectors.errors import Refused

# The library lets a line break through at the end, where it would end the letter's head.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")


def address_in(sender: str) -> str:
    """The bare address in "Name <address>". Raises ValueError where there is none."""
    _, address = parseaddr(sender)
    if "@" not in address:
        raise ValueError(f"a sender is written Name <address>, not {sender!r}")
    return address


def recipient(to: str) -> Address:
    """The address with its domain as DNS has it, so that only names need SMTPUTF8.

    Raises Refused (`mail.address`).
    """
    try:
        found = validate_email(to, check_deliverability=False)
    except EmailNotValidError:
        raise Refused("mail.address", "the address is not one that mail can go to") from None
    return Address(username=found.local_part, domain=found.ascii_domain)


def letter(
    *, message_id: str, sender: str, recipient: Address, subject: str, text: str
) -> EmailMessage:
    """The whole letter, dated now. Raises Refused (`mail.letter`)."""
    if not _MESSAGE_ID.fullmatch(message_id):
        raise Refused("mail.letter", "a Message-ID is written <name@domain>")
    if _UNFIT.search(subject):
        raise Refused("mail.letter", "a subject has no line breaks or control characters")
    written = EmailMessage(policy=policy.SMTPUTF8)
    try:
        written["From"] = sender
        written["To"] = recipient
        written["Subject"] = subject
        written["Message-ID"] = message_id
        written["Date"] = format_datetime(datetime.now(UTC))
        written.set_content(text)
    except ValueError:  # half of a surrogate pair, say
        raise Refused("mail.letter", "subject or text cannot be put into a letter") from None
    return written
