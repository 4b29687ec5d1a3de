"""The mail sink keeps what it accepted, and fails as it is told."""

import asyncio
import smtplib
import time
from email.message import EmailMessage

import httpx
import pytest

from tests.simulated import SimulatorHandle


def message(
    number: int = 1, *, to: str = "ada@example.com", subject: str = "Welcome"
) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "hello@example.org", to, subject
    mail["Message-ID"] = f"<{number}@example.org>"
    mail.set_content(f"Message {number}\n")
    return mail


async def send(world: SimulatorHandle, mail: EmailMessage, to: str = "ada@example.com") -> None:
    def sending() -> None:
        with smtplib.SMTP(world.smtp_host, world.smtp_port, timeout=30) as smtp:
            smtp.send_message(mail, "hello@example.org", [to])

    await asyncio.to_thread(sending)


async def test_a_message_is_kept_as_it_came(world: SimulatorHandle) -> None:
    mail = message(subject="Grüße, Ünï 岩")
    mail.add_alternative("<p>Message 1</p>", subtype="html")
    await send(world, mail)
    [kept] = await world.messages()
    assert (kept.message_id, kept.subject) == ("<1@example.org>", "Grüße, Ünï 岩")
    assert (kept.sender, kept.recipients) == ("hello@example.org", ("ada@example.com",))
    assert kept.text.strip() == "Message 1"
    assert kept.headers["To"] == "ada@example.com"
    async with httpx.AsyncClient(base_url=world.mail_url) as http:
        whole = (await http.get(f"/messages/{kept.number}")).json()
        assert whole["html"].strip() == "<p>Message 1</p>"
        assert "Content-Type: multipart/alternative" in whole["source"]
        assert (await http.get("/messages/999999")).status_code == 404
        assert (await http.get("/messages?color=red")).status_code == 422
        page = (await http.get("/")).text
        assert "Grüße, Ünï 岩" in page


async def test_the_page_of_the_inbox_shows_markup_as_text(world: SimulatorHandle) -> None:
    await send(world, message(subject="<script>alert(1)</script>"))
    async with httpx.AsyncClient(base_url=world.mail_url) as http:
        assert "<script>" not in (await http.get("/")).text


async def test_the_same_message_twice_is_there_twice(world: SimulatorHandle) -> None:
    for _ in range(2):
        await send(world, message())
    kept = await world.messages(message_id="<1@example.org>")
    assert len(kept) == 2
    assert kept[0].number < kept[1].number


async def test_messages_are_found_by_recipient_subject_and_id(world: SimulatorHandle) -> None:
    await send(world, message(1, subject="Welcome, Ada"))
    await send(world, message(2, to="bob@example.com"), "Bob@example.com")
    await send(world, message(3, subject="Goodbye"))

    async def numbers(**wanted: str) -> list[str | None]:
        return [each.message_id for each in await world.messages(**wanted)]

    assert await numbers(to="bob@example.com") == ["<2@example.org>"]
    assert await numbers(subject="Welcome") == ["<1@example.org>", "<2@example.org>"]
    assert await numbers(message_id="<3@example.org>") == ["<3@example.org>"]
    assert await numbers(to="ada@example.com", subject="Good") == ["<3@example.org>"]
    await world.clear_messages()
    assert await numbers() == []


async def test_the_inbox_has_pages_newest_first(world: SimulatorHandle) -> None:
    for number in range(5):
        await send(world, message(number))
    seen: list[str] = []
    after = ""
    async with httpx.AsyncClient(base_url=world.mail_url) as http:
        while True:
            page = (await http.get(f"/messages?limit=2{after}")).json()
            seen += [each["message_id"] for each in page["messages"]]
            if not page["has_more"]:
                break
            after = f"&after={page['messages'][-1]['number']}"
    assert seen == [f"<{number}@example.org>" for number in reversed(range(5))]


@pytest.mark.parametrize(
    ("kind", "code"), [("refuse_temporarily", 450), ("refuse_permanently", 550)]
)
async def test_a_refused_message_is_not_kept(world: SimulatorHandle, kind: str, code: int) -> None:
    await world.mail_fault(kind, to="ada@*")  # type: ignore[arg-type]
    await send(world, message(2), "bob@example.com")
    with pytest.raises(smtplib.SMTPDataError) as refused:
        await send(world, message())
    assert refused.value.smtp_code == code
    assert [each.message_id for each in await world.messages()] == ["<2@example.org>"]
    await send(world, message())
    assert len(await world.messages()) == 2


async def test_a_lost_reply_leaves_an_accepted_message(world: SimulatorHandle) -> None:
    await world.mail_fault("drop_after_accept")
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        await send(world, message())
    assert len(await world.messages()) == 1
    await send(world, message())
    assert len(await world.messages(message_id="<1@example.org>")) == 2


async def test_a_server_that_is_down_takes_nothing_until_it_is_up(world: SimulatorHandle) -> None:
    await world.mail_fault("down", times=None)
    for _ in range(2):
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            await send(world, message())
    assert await world.messages() == []
    await world.clear_mail_faults()
    await send(world, message())
    assert len(await world.messages()) == 1


async def test_a_slow_server_accepts_late(world: SimulatorHandle) -> None:
    await world.mail_fault("slow", seconds=0.3)
    begin = time.monotonic()
    await send(world, message())
    assert time.monotonic() - begin >= 0.3
    assert len(await world.messages()) == 1
