"""What we need of the outside, one Protocol for each capability.

Every effect takes a `key`, under which the other side does it once. Methods raise the errors of
`connectors.errors` and nothing else.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from workflows.events import Event
from workflows.onboarding.messages import IdentityStatus


@dataclass(frozen=True)
class Sent:
    """A request that went out: under which key, and when first."""

    key: str
    first_at: datetime


class Billing(Protocol):
    """Customers and their tax ids."""

    keys_live: timedelta
    """How long the other side surely remembers a key: within it, sending again is safe."""

    async def create_customer(
        self, key: str, *, workflow_id: str, name: str, email: str, country: str, currency: str
    ) -> str:
        """Make a customer; the answer is its id."""

    async def find_customer(self, sent: Sent) -> str | None:
        """The customer that was made under this key. Reads its own writes."""

    async def delete_customer(self, customer_id: str) -> bool:
        """Delete a customer and what belongs to it; False where it was gone."""

    async def create_tax_id(self, key: str, *, customer_id: str, type_: str, value: str) -> str:
        """Give a customer a tax id; the answer is its id."""

    async def find_tax_id(self, *, customer_id: str, type_: str, value: str) -> str | None:
        """The tax id of a customer that is ours alone."""

    async def delete_tax_id(self, customer_id: str, tax_id: str) -> bool:
        """Delete a tax id; False where it, or its customer, was gone."""


class Identity(Protocol):
    """Who somebody is."""

    keys_live: timedelta

    async def open_session(self, key: str, *, workflow_id: str, reference: str) -> str:
        """Open a session in which somebody proves who they are; the answer is its id."""

    async def find_session(self, sent: Sent) -> str | None:
        """The session that was opened under this key. Reads its own writes."""

    async def read_session(self, session_id: str) -> IdentityStatus:
        """How the session stands now."""

    async def link(self, session_id: str) -> str | None:
        """Where the person goes to prove who they are; None where there is nothing to do there.

        Each call makes a new link, which soon expires. Keep it secret.
        """

    async def close_session(self, session_id: str) -> bool:
        """Close a session and erase what it collected; False where it was gone."""


class EventFeed(Protocol):
    """What happened outside, for whoever missed being told."""

    def since(self, at: datetime) -> AsyncIterator[Event]:
        """Everything since `at`, newest first."""


class Mail(Protocol):
    """Letters to people."""

    async def send(self, *, message_id: str, to: str, subject: str, text: str) -> None:
        """Hand one letter over. Two with one `message_id` are the same letter.

        SMTP cannot promise more: when the answer to an accepted letter is lost, sending again makes
        a second one, which readers of mail may show once or twice.
        """
