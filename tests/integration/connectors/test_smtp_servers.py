"""Mail servers that can less, or want more, than the simulated one."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from connectors.errors import ConnectorError, Refused, Unanswered
from connectors.smtp import SmtpMail
from tests.certificates import Certified, certify
from tests.integration.connectors.letters import SENDER, failure_of, send


@dataclass
class Desk:
    """A mail server's handler that says no where it is told to, and takes its time (seconds)."""

    no_at: dict[str, str] = field(default_factory=dict)
    letters: list[bytes] = field(default_factory=list)
    pause: float = 0

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        await asyncio.sleep(self.pause)
        envelope.mail_from = address
        return self.no_at.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        await asyncio.sleep(self.pause)
        if "RCPT" not in self.no_at:
            envelope.rcpt_tos.append(address)
        return self.no_at.get("RCPT", "250 OK")

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope
    ) -> str:
        self.letters.append(envelope.original_content or b"")
        return self.no_at.get("DATA", "250 OK")


@contextlib.asynccontextmanager
async def _serving(
    protocol: Callable[[], asyncio.BaseProtocol], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    async with await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("code", "expected", "type_"),
    [(451, Unanswered, "smtp.later"), (554, Refused, "smtp.refused")],
)
async def test_a_no_means_the_same_wherever_it_is_said(
    verb: str, code: int, expected: type[ConnectorError], type_: str
) -> None:
    desk = Desk(no_at={verb: f"{code} not ada@example.com"})
    async with _serving(lambda: SMTP(desk)) as port:
        failure = await failure_of(SmtpMail("127.0.0.1", port, sender=SENDER, timeout=20))
    assert (type(failure), failure.type) == (expected, type_)
    assert str(code) in failure.text


@pytest.mark.parametrize(
    ("greeting", "expected", "type_"),
    [
        (b"421 too busy\r\n", Unanswered, "smtp.later"),
        (b"554 no mail here\r\n", Refused, "smtp.refused"),
        (b"HTTP/1.1 400 Bad Request\r\n", Unanswered, "smtp.later"),
        (b"", Unanswered, "smtp.connection"),
    ],
)
async def test_a_greeting_that_is_none(
    greeting: bytes, expected: type[ConnectorError], type_: str
) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        failure = await failure_of(SmtpMail("127.0.0.1", port, sender=SENDER, timeout=20))
    assert (type(failure), failure.type) == (expected, type_)


async def test_a_name_outside_ascii_needs_a_server_that_takes_it() -> None:
    desk = Desk()
    async with _serving(lambda: SMTP(desk, enable_SMTPUTF8=False)) as port:
        mail = SmtpMail("127.0.0.1", port, sender=SENDER, timeout=20)
        failure = await failure_of(mail, to="josé@example.com")
        assert (type(failure), failure.type) == (Refused, "mail.address")
        await send(mail, to="ada@exämple.com", subject="Grüße", text="山田\n")
    [letter] = desk.letters
    assert b"To: ada@xn--exmple-cua.com" in letter
    assert letter.partition(b"\r\n\r\n")[0].isascii()


async def test_a_server_that_hangs_after_taking_a_letter_does_not_have_it_sent_again() -> None:
    class NoGoodbye(SMTP):
        async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
            await asyncio.sleep(40)

    desk = Desk()
    async with _serving(lambda: NoGoodbye(desk)) as port:
        began = time.monotonic()
        await send(SmtpMail("127.0.0.1", port, sender=SENDER, timeout=40))
    assert len(desk.letters) == 1
    assert time.monotonic() - began < 20


async def test_the_timeout_is_for_the_whole_letter_not_for_each_answer() -> None:
    desk = Desk(pause=0.2)
    async with _serving(lambda: SMTP(desk)) as port:
        failure = await failure_of(SmtpMail("127.0.0.1", port, sender=SENDER, timeout=0.3))
    assert (type(failure), failure.type) == (Unanswered, "smtp.connection")


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certify(tmp_path_factory.mktemp("tls"))


def _with_login(desk: Desk, certified: Certified) -> Callable[[], SMTP]:
    def check(*asked: object) -> AuthResult:
        right = asked[-1] == LoginPassword(b"perdure", b"right")
        return AuthResult(success=right, handled=False)

    return lambda: SMTP(
        desk,
        auth_required=True,
        authenticator=check,
        tls_context=certified.server,
    )


async def test_over_starttls_with_the_right_password_a_letter_arrives(
    certified: Certified, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certified.certificate))
    desk = Desk()
    async with _serving(_with_login(desk, certified)) as port:
        await send(
            SmtpMail(
                "127.0.0.1", port, sender=SENDER, tls="starttls", user="perdure", password="right"
            )
        )
    assert len(desk.letters) == 1


async def test_over_tls_from_the_start_a_letter_arrives(
    certified: Certified, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certified.certificate))
    desk = Desk()
    async with _serving(lambda: SMTP(desk), certified.server) as port:
        await send(SmtpMail("127.0.0.1", port, sender=SENDER, tls="tls"))
    assert len(desk.letters) == 1


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_server_that_nobody_vouches_for_gets_nothing(
    certified: Certified, tls: str
) -> None:
    desk = Desk()
    context = certified.server if tls == "tls" else None
    async with _serving(_with_login(desk, certified), context) as port:
        mail = SmtpMail(
            "127.0.0.1",
            port,
            sender=SENDER,
            tls="tls" if tls == "tls" else "starttls",
            user="perdure",
            password="right",
            timeout=2,
        )
        failure = await failure_of(mail)
    assert (type(failure), failure.type) == (Unanswered, "smtp.connection")
    assert desk.letters == []


async def test_a_wrong_password_is_refused(
    certified: Certified, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certified.certificate))
    async with _serving(_with_login(Desk(), certified)) as port:
        mail = SmtpMail(
            "127.0.0.1", port, sender=SENDER, tls="starttls", user="perdure", password="wrong"
        )
        failure = await failure_of(mail)
    assert (type(failure), failure.type) == (Refused, "smtp.auth")
    assert "wrong" not in failure.text


@pytest.mark.parametrize("want", [{"tls": "starttls"}, {"user": "perdure", "password": "right"}])
async def test_a_server_without_tls_or_login_is_not_trusted_instead(want: dict[str, str]) -> None:
    desk = Desk()
    async with _serving(lambda: SMTP(desk)) as port:
        mail = SmtpMail("127.0.0.1", port, sender=SENDER, **want)  # type: ignore[arg-type] # of several types
        failure = await failure_of(mail)
    assert (type(failure), failure.type) == (Refused, "smtp.unsupported")
    assert desk.letters == []
