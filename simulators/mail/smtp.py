"""The SMTP side: takes every message, unless a fault says otherwise."""

import asyncio

from aiosmtpd.smtp import SMTP, Envelope, Session

from simulators.faults import Faults
from simulators.mail.faults import MailFaultKind
from simulators.mail.inbox import Inbox

SLOW_SECONDS = 1.0
AT_CONNECT: frozenset[MailFaultKind] = frozenset({"down"})
AT_DATA: frozenset[MailFaultKind] = frozenset(
    {"refuse_temporarily", "refuse_permanently", "drop_after_accept", "slow"}
)
ACCEPTED = "250 OK"
REFUSALS = {
    "refuse_temporarily": "450 4.2.1 The mailbox is not available, try again later",
    "refuse_permanently": "550 5.1.1 The mailbox does not exist",
}


class Sink:
    """The handler that aiosmtpd asks about each message."""

    def __init__(self, inbox: Inbox, faults: Faults) -> None:
        self._inbox = inbox
        self._faults = faults

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
    ) -> str:
        """Keep the message, and answer."""
        recipients = [str(address) for address in envelope.rcpt_tos]
        fault = self._faults.take(AT_DATA, {"to": recipients})
        if fault is not None and fault.kind in REFUSALS:
            return REFUSALS[fault.kind]
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds or SLOW_SECONDS)
        content = envelope.original_content or b""
        self._inbox.keep(str(envelope.mail_from), recipients, content)
        if fault is not None and fault.kind == "drop_after_accept":
            _cut(server.transport)
        return ACCEPTED


class SinkProtocol(SMTP):
    """One connection; while the server is down it ends before the greeting."""

    def __init__(self, inbox: Inbox, faults: Faults) -> None:
        super().__init__(Sink(inbox, faults), enable_SMTPUTF8=True, ident="Simulated mail server")
        self._is_down = lambda: faults.take(AT_CONNECT, {}) is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or hang up."""
        super().connection_made(transport)
        if self._is_down():  # type: ignore[no-untyped-call]
            _cut(transport)


def _cut(transport: asyncio.BaseTransport | None) -> None:
    assert isinstance(transport, asyncio.WriteTransport)
    transport.abort()
