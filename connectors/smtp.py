"""Mail by SMTP."""

import asyncio
import contextlib
import socket
import ssl
from typing import Literal

import aiosmtplib

from connectors.errors import ConnectorError, Refused, Unanswered
from connectors.letters import address_in, letter, recipient

GOODBYE_SECONDS = 0.5

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
        self._envelope_sender = address_in(sender)
        self._host, self._port = host, port
        self._sender = sender
        self._tls = tls
        self._trust = None if tls == "none" else ssl.create_default_context()
        self._user, self._password = user, password
        self._timeout = timeout

    async def send(self, *, message_id: str, to: str, subject: str, text: str) -> None:
        """Hand one letter over. `message_id` is whole: `<key@our domain>`.

        SMTP cannot promise more: when the answer to an accepted letter is lost, sending again makes
        a second one, which readers of mail may show once or twice.

        Raises Refused (`mail.address`, `mail.letter`, `smtp.refused`, `smtp.auth`,
        `smtp.unsupported`) or Unanswered (`smtp.later`, `smtp.connection`).
        """
        whom = recipient(to)
        written = letter(
            message_id=message_id, sender=self._sender, recipient=whom, subject=subject, text=text
        )
        server = self._server()
        # Causes are cut off (`from None`): servers repeat addresses in what they say.
        try:
            async with asyncio.timeout(self._timeout):
                await server.connect()
                await server.send_message(
                    written, sender=self._envelope_sender, recipients=[whom.addr_spec]
                )
            # The letter is handed over: what becomes of our goodbye changes nothing.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await server.quit(timeout=GOODBYE_SECONDS)
        except (aiosmtplib.SMTPException, OSError) as error:  # a time-out is an OSError
            raise _as_connector_error(error) from None
        finally:
            server.close()

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
        return Refused("mail.address", text)
    return Refused("smtp.unsupported", "the mail server cannot do what we want: TLS or a login")
