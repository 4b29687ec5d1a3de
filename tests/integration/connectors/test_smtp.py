"""How letters are handed over to the simulated mail server, and how it can fail."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import ConnectorError, Refused, Unanswered
from connectors.smtp import SmtpMail
from simulators.mail.faults import MailFaultKind
from tests.integration.connectors.letters import SENDER, failure_of, send
from tests.simulated import SimulatorHandle


@pytest.mark.parametrize(
    ("kind", "expected", "type_", "in_text"),
    [
        ("refuse_temporarily", Unanswered, "smtp.later", "450"),
        ("refuse_permanently", Refused, "smtp.refused", "550"),
        ("down", Unanswered, "smtp.connection", ""),
    ],
)
async def test_what_was_not_taken_is_not_there_and_may_come_again(
    world: SimulatorHandle,
    smtp_mail: SmtpMail,
    kind: MailFaultKind,
    expected: type[ConnectorError],
    type_: str,
    in_text: str,
) -> None:
    await world.mail_fault(kind)
    failure = await failure_of(smtp_mail)
    assert (type(failure), failure.type) == (expected, type_)
    assert in_text in failure.text
    assert await world.messages() == []
    await send(smtp_mail)
    assert len(await world.messages()) == 1


async def test_a_lost_answer_to_a_letter_that_was_taken_makes_two_with_one_id(
    world: SimulatorHandle, smtp_mail: SmtpMail
) -> None:
    await world.mail_fault("drop_after_accept")
    failure = await failure_of(smtp_mail)
    assert (type(failure), failure.type) == (Unanswered, "smtp.connection")
    await send(smtp_mail)
    assert [letter.message_id for letter in await world.messages()] == ["<prd_1@example.com>"] * 2


async def test_a_slow_server_is_given_up_in_time(world: SimulatorHandle) -> None:
    mail = SmtpMail(world.smtp_host, world.smtp_port, sender=SENDER, timeout=0.3)
    await world.mail_fault("slow", seconds=15)
    began = time.monotonic()
    failure = await failure_of(mail)
    assert (type(failure), failure.type) == (Unanswered, "smtp.connection")
    assert time.monotonic() - began < 10


async def test_nobody_there_is_no_answer() -> None:
    failure = await failure_of(SmtpMail("127.0.0.1", 9, sender=SENDER))
    assert (type(failure), failure.type) == (Unanswered, "smtp.connection")


@pytest.mark.parametrize(
    ("to", "arrives_at"),
    [
        ("ada@exämple.com", "ada@xn--exmple-cua.com"),
        ("josé@example.com", "josé@example.com"),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
        ("o'neill+tag=1@example.com", "o'neill+tag=1@example.com"),
    ],
)
async def test_an_address_may_be_in_any_script(
    world: SimulatorHandle, smtp_mail: SmtpMail, to: str, arrives_at: str
) -> None:
    await send(smtp_mail, to=to)
    [letter] = await world.messages()
    assert letter.recipients == (arrives_at,)
    assert letter.headers["To"] == arrives_at
    assert letter.sender == "onboarding@example.com"
    assert letter.headers["From"] == "Perdüre <onboarding@example.com>"
    assert letter.headers["Subject"] == "Hello"


@pytest.mark.parametrize(
    "to",
    [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "ada@example.com> SIZE=1",
        "ada",
        "",
        "ada@",
        "a d a@example.com",
        "ada\x00@example.com",
        "ada@example..com",
    ],
)
async def test_what_is_no_address_reaches_nobody(
    world: SimulatorHandle, smtp_mail: SmtpMail, to: str
) -> None:
    failure = await failure_of(smtp_mail, to=to)
    assert (type(failure), failure.type) == (Refused, "mail.address")
    assert await world.messages() == []


@pytest.mark.parametrize(
    "letter",
    [
        {"subject": "Hello\r\nBcc: eve@example.com"},
        {"subject": "Hello\nBcc: eve@example.com"},
        {"subject": "Hello\n"},
        {"subject": "Hello\r"},
        {"subject": "Hello\x00Bcc: eve@example.com"},
        {"subject": "Hello\x0bBcc: eve@example.com"},
        {"subject": "Hello\x85Bcc: eve@example.com"},
        {"subject": "Hello\u2028Bcc: eve@example.com"},
        {"subject": "Hello \ud800"},
        {"text": "Hello \ud800"},
        {"message_id": "<prd_1@example.com>\r\nBcc: eve@example.com"},
        {"message_id": "prd_1@example.com"},
        {"message_id": "<prd_1>"},
        {"message_id": "<prd 1@example.com>"},
        {"message_id": "<é@example.com>"},
    ],
)
async def test_no_field_can_write_into_another(
    world: SimulatorHandle, smtp_mail: SmtpMail, letter: dict[str, str]
) -> None:
    failure = await failure_of(smtp_mail, **letter)
    assert (type(failure), failure.type) == (Refused, "mail.letter")
    assert await world.messages() == []


async def test_a_text_cannot_end_the_letter(world: SimulatorHandle, smtp_mail: SmtpMail) -> None:
    text = "Hello\n.\nMAIL FROM:<eve@example.com>\n..\nFrom here\n"
    await send(smtp_mail, text=text)
    [letter] = await world.messages()
    assert letter.text.replace("\r\n", "\n") == text


async def test_a_long_id_and_a_date_of_today_arrive_whole(
    world: SimulatorHandle, smtp_mail: SmtpMail
) -> None:
    long_id = f"<prd_{'0123456789' * 3}@{'a-long-part-of-a-name.' * 5}example.com>"
    await send(smtp_mail, message_id=long_id)
    [letter] = await world.messages()
    assert letter.message_id == long_id
    today = datetime.strptime(letter.headers["Date"], "%a, %d %b %Y %H:%M:%S %z")
    assert abs(today - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_sender_without_an_address_is_seen_at_the_start() -> None:
    with pytest.raises(ValueError, match="a sender is written"):
        SmtpMail("127.0.0.1", 25, sender="Perdure")
