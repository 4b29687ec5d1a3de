"""Mail by SMTP."""

import asyncio
import contextlib
import re
import socket
import ssl
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Literal

import aiosmtplib
from email_validator import EmailNotValidError, validate_email

from connectors.errors import ConnectorError, Refused, Unanswered

GOODBYE_SECONDS = 0.5
# The library lets a line break through at the end, where it would end the letter's head.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")

Tls = Literal["none", "starttls", "tls"]


class SmtpMail:
    """Letters by a mail server, one connection each.

    `timeout` is what one letter may take in all, in seconds; half a second more for the goodbye.
    `sender` is what people see, "Name <address>", and where bounces go. With `starttls` nothing
    is sent in the clear.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        sender: str,
        tls: Tls = "none",
        user: str | None = None,
        password: str | None = None,
        timeout: float = 10.0,
    ) -> None:
        _, self._envelope_sender = parseaddr(sender)
        if "@" not in self._envelope_sender:
            raise ValueError(f"a sender is written Name <address>, not {sender!r}")
        self._host, self._port = host, port
        self._sender = sender
        self._tls = tls
        self._trust = None if tls == "none" else ssl.create_default_context()
        self._user, self._password = user, password
        self._timeout = timeout

    async def send(self, *, message_id: str, to: str, subject: str, text: str) -> None:
        """Hand one letter over. `message_id` is whole: `<key@our domain>`.

        Raises Refused (`smtp.address`, `smtp.letter`, `smtp.refused`, `smtp.auth`,
        `smtp.unsupported`) or Unanswered (`smtp.later`, `smtp.connection`).
        """
        recipient = _address(to)
        letter = self._letter(message_id, recipient, subject, text)
        server = self._server()
        # Causes are cut off (`from None`): servers repeat addresses in what they say.
        try:
            async with asyncio.timeout(self._timeout):
                await server.connect()
                await server.send_message(
                    letter, sender=self._envelope_sender, recipients=[recipient.addr_spec]
                )
            # The letter is handed over: what becomes of our goodbye changes nothing.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await server.quit(timeout=GOODBYE_SECONDS)
        except (aiosmtplib.SMTPException, OSError) as error:  # a time-out is an OSError
            raise _as_connector_error(error) from None
        finally:
            server.close()

    def _letter(self, message_id: str, recipient: Address, subject: str, text: str) -> EmailMessage:
        if not _MESSAGE_ID.fullmatch(message_id):
            raise Refused("smtp.letter", "a Message-ID is written <name@domain>")
        if _UNFIT.search(subject):
            raise Refused("smtp.letter", "a subject has no line breaks or control characters")
        letter = EmailMessage(policy=policy.SMTPUTF8)
        try:
            letter["From"] = self._sender
            letter["To"] = recipient
            letter["Subject"] = subject
            letter["Message-ID"] = message_id
            letter["Date"] = format_datetime(datetime.now(UTC))
            letter.set_content(text)
        except ValueError:  # half of a surrogate pair, say
            raise Refused("smtp.letter", "subject or text cannot be put into a letter") from None
        return letter

    def _server(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            use_tls=self._tls == "tls",
            start_tls=self._tls == "starttls",
            tls_context=self._trust,
            # The default asks DNS for our full name, which may take longer than all the rest.
            local_hostname=socket.gethostname(),
            timeout=self._timeout,
        )


def _address(to: str) -> Address:
    """The address with its domain as DNS has it, so that only names need SMTPUTF8."""
    try:
        found = validate_email(to, check_deliverability=False)
    except EmailNotValidError:
        raise Refused("smtp.address", "the address is not one that mail can go to") from None
    return Address(username=found.local_part, domain=found.ascii_domain)


def _as_connector_error(error: Exception) -> ConnectorError:
    """The failure in our words: what the server said stays out of them, its code does not."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        if not 500 <= error.code <= 599:
            return Unanswered("smtp.later", f"the mail server puts us off (code {error.code})")
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            text = f"the mail server does not accept our credentials (code {error.code})"
            return Refused("smtp.auth", text)
        return Refused("smtp.refused", f"the mail server refused the letter (code {error.code})")
    if isinstance(error, OSError):  # SMTPConnectError, SMTPServerDisconnected and time-outs, too
        name = type(error).__name__
        return Unanswered("smtp.connection", f"no answer from the mail server ({name})")
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        text = "the mail server takes no address with a name outside ASCII"
        return Refused("smtp.address", text)
    return Refused("smtp.unsupported", "the mail server cannot do what we want: TLS or a login")
