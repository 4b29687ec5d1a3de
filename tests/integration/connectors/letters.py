"""A letter to send, in whole or but for what a test is about."""

import pytest

from connectors.errors import ConnectorError
from connectors.smtp import SmtpMail

SENDER = "Perdure <onboarding@example.com>"


async def send(
    mail: SmtpMail,
    *,
    message_id: str = "<prd_1@example.com>",
    to: str = "ada@example.com",
    subject: str = "Hello",
    text: str = "Hello\n",
) -> None:
    await mail.send(message_id=message_id, to=to, subject=subject, text=text)


async def failure_of(mail: SmtpMail, **letter: str) -> ConnectorError:
    with pytest.raises(ConnectorError) as raised:
        await send(mail, **letter)
    assert raised.value.__cause__ is None
    assert "ada" not in raised.value.text
    return raised.value
