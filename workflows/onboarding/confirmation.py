"""What confirming the applicant's address is told, tells and needs done."""

from abc import ABC, abstractmethod

from workflows.onboarding.messages import ForApplication, Letter
from workflows.request_key import Message, Request
from workflows.step import step


class EmailConfirmed(Message):
    """A hint that an address was confirmed. Whether it is the one that counts is asked."""

    event_id: str


class OpenConfirmation(ForApplication):
    """Note until when the link of the next mail holds: for so many seconds from now."""

    link_seconds: int


class OpenedConfirmation(Message):
    """Until when the next link holds, in seconds since 1970, as the link says it."""

    until: int


class SendConfirmation(ForApplication):
    """Send the mail with a link that holds `until` a time, in seconds since 1970."""

    until: int


class ReadConfirmation(Request):
    """Ask whether the address is confirmed that an application names in a version."""

    application_id: str


class ConfirmationStatus(Message):
    """Whether the address is confirmed, by whichever link that went to it."""

    confirmed: bool


class ConfirmationSteps(ABC):
    """Whether mail to the applicant's address reaches them."""

    @step("local", "confirmation.open", "Note until when the next link holds")
    @abstractmethod
    async def open(self, request: OpenConfirmation) -> OpenedConfirmation:
        """Note until when the link of the next mail holds."""

    @step("remote", "confirmation.send", "Send the mail with the link")
    @abstractmethod
    async def send(self, request: SendConfirmation) -> Letter:
        """Send the mail with the link; asked again, it is the same mail."""

    @step("read", "confirmation.read", "Look whether the address is confirmed", near=True)
    @abstractmethod
    async def read(self, request: ReadConfirmation) -> ConfirmationStatus:
        """Look in our own database whether the address is confirmed."""
