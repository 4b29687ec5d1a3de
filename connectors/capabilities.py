"""What we need of the outside, one Protocol for each capability.

Every effect takes a `key`, under which the other side does it once. Methods raise the errors of
`connectors.errors` and nothing else.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from connectors.csv_rows import BadRow
from connectors.movements import Movement, Window
from workflows.events import Event
from workflows.onboarding.messages import IdentityStatus
from workflows.reconciliation.payouts import Payout

Told = Mapping[str, str | None]
"""What a system has of somebody: its fields in our words for them, and only those that it tells.

Personal data: compared where it was asked for, and never passed on.
"""


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

    async def look_at_customer(self, customer_id: str) -> Told | None:
        """What is there of a customer (name, email, country, currency); None where it is gone."""

    async def close_customer(self, customer_id: str) -> bool:
        """Keep a customer as one who is one no more; False where it was gone. Twice is fine."""

    async def delete_customer(self, customer_id: str) -> bool:
        """Delete a customer and what belongs to it; False where it was gone."""

    async def create_tax_id(self, key: str, *, customer_id: str, type_: str, value: str) -> str:
        """Give a customer a tax id; the answer is its id."""

    async def find_tax_id(self, *, customer_id: str, type_: str, value: str) -> str | None:
        """The tax id of a customer that is ours alone."""

    async def delete_tax_id(self, customer_id: str, tax_id: str) -> bool:
        """Delete a tax id; False where it, or its customer, was gone."""


class Directory(Protocol):
    """Who may sign in, and which groups they are in.

    Looks for its own before it makes anything: sending a key again is safe for good.
    """

    async def create_user(self, key: str, *, name: str, email: str) -> str:
        """Make a user, who signs in by e-mail address; the answer is its id.

        Raises Refused (`directory.conflict`) where another has the address: it is never adopted.
        """

    async def find_user(self, sent: Sent) -> str | None:
        """The user that was made under this key. Reads its own writes."""

    async def look_at_user(self, user_id: str) -> Told | None:
        """What is there of a user (name, email, active: yes or no); None where it is gone."""

    async def delete_user(self, user_id: str) -> bool:
        """Delete a user; False where it was gone."""

    async def create_group(self, key: str, *, name: str) -> str:
        """Make a group; the answer is its id."""

    async def find_group(self, sent: Sent) -> str | None:
        """The group that was made under this key. Reads its own writes."""

    async def add_member(self, *, group_id: str, user_id: str) -> None:
        """Put a user into a group; one that is in it stays."""

    async def is_member(self, *, group_id: str, user_id: str) -> bool:
        """Whether a user is in a group; nobody is in one that is gone."""

    async def remove_member(self, *, group_id: str, user_id: str) -> bool:
        """Take a user out of a group; one that is not in it stays out. False: no such group."""


class Crm(Protocol):
    """Whom sales and support talk to. What is there is known by its key for good.

    Archiving does not tell what was gone already: the one success that HubSpot describes for it is
    204 without a body, and to look first would be out of date by the time it archives.
    """

    async def create_contact(
        self, key: str, *, email: str, country: str, name: str | None, company: str | None
    ) -> str:
        """Make a contact, a person's or a company's; the answer is its id.

        Raises Refused (`crm.conflict`) where another has the address: it is never adopted.
        """

    async def find_contact(self, sent: Sent) -> str | None:
        """The contact that was made under this key. Reads its own writes."""

    async def look_at_contact(self, contact_id: str) -> Told | None:
        """What is there of a contact (email, country, name, company); None where it is gone."""

    async def archive_contact(self, contact_id: str) -> None:
        """Put a contact away; one that is away stays so."""

    async def create_company(self, key: str, *, name: str, country: str) -> str:
        """Make a company; the answer is its id."""

    async def find_company(self, sent: Sent) -> str | None:
        """The company that was made under this key. Reads its own writes."""

    async def look_at_company(self, company_id: str) -> Told | None:
        """What is there of a company (name, country); None where it is gone."""

    async def archive_company(self, company_id: str) -> None:
        """Put a company away; one that is away stays so."""


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


class Archive(Protocol):
    """Where documents are kept: each under its owner and the SHA-256 of its content, in hex.

    What is there never changes, so that putting it again is safe for good. One owner's documents
    are apart from all others', so that erasing them takes nobody else's away.
    """

    async def put(self, owner: str, sha256: str, file: Path, *, media_type: str) -> None:
        """Keep the content of `file`, which has this hash."""

    async def holds(self, owner: str, sha256: str) -> bool:
        """Whether it is there. Reads its own writes."""

    def read(self, owner: str, sha256: str) -> AsyncIterator[bytes]:
        """The content, piece by piece. Raises Refused (`archive.missing`)."""

    async def erase(self, owner: str, sha256: str) -> None:
        """Have it gone; what is not there stays away."""


@dataclass(frozen=True)
class Party:
    """Whom lists are asked about: personal data. What is not known is None."""

    kind: Literal["person", "company"]
    name: str
    country: str | None = None
    born: date | None = None


@dataclass(frozen=True)
class Hit:
    """An entry of a list that a party may be.

    entry        its id in the list; `entry_version` changes with what the entry says
    score        how alike they are, in percent
    birth_dates  as the list has them: perhaps a year alone
    topics       why it is listed, in OpenSanctions' words, as `sanction` and `role.pep`
    """

    list: str
    entry: str
    entry_version: str
    score: int
    name: str
    birth_dates: tuple[str, ...]
    countries: tuple[str, ...]
    topics: tuple[str, ...]


@dataclass(frozen=True)
class Screened:
    """What a list says of parties: `hits[n]` are of the nth of them, the most alike first."""

    list_version: str
    hits: tuple[tuple[Hit, ...], ...]


@dataclass(frozen=True)
class ListVersion:
    """Which list is asked, and in which version. How many entries it has, where it tells."""

    list: str
    version: str
    entries: int | None


class Screening(Protocol):
    """Who is on a list of people and companies that need a second look."""

    async def screen(self, parties: Sequence[Party], *, threshold: int) -> Screened:
        """The entries that are at least so much alike, in percent. Nothing is kept there."""

    async def current(self) -> ListVersion:
        """The list as it is now."""


@dataclass(frozen=True)
class Batch:
    """Movements that came together. `cursor` says where to go on behind them; None at the end."""

    movements: Sequence[Movement]
    cursor: str | None = None
    bad_rows: Sequence[BadRow] = ()


class Processor(Protocol):
    """What the processor of payments booked. All of it can be read again."""

    def parts(self, window: Window) -> Sequence[Window]:
        """Parts of a window that can be read side by side; always the same of the same window."""

    def movements(self, window: Window, after: str | None) -> AsyncIterator[Batch]:
        """All movements of a part; from behind a cursor, where one is given."""

    def payouts(self, since: datetime) -> AsyncIterator[Payout]:
        """Payouts that were made since then."""

    def members(self, payout_id: str) -> AsyncIterator[Batch]:
        """What a payout paid out, where its members are known."""

    async def movement(self, transaction_id: str) -> Movement:
        """One movement, as it is now."""

    async def closing(self, before: datetime) -> dict[str, int] | None:
        """The balance of each currency as of a time, in minor units; None where nobody can tell.

        From another source than the movements: it is what they are held against.
        """


class EventFeed(Protocol):
    """What happened outside, for whoever missed being told."""

    def since(self, at: datetime) -> AsyncIterator[Event]:
        """Everything since `at`, newest first."""


class Mail(Protocol):
    """Letters to people."""

    async def send(self, *, message_id: str, to: str, subject: str, text: str) -> None:
        """Hand one letter over. Two with one `message_id` are the same letter."""
