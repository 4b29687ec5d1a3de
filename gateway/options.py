"""What the gateway is made of: given by whoever starts it, found by every route."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from database.spool import Spool
from gateway.actors import Signer
from gateway.applicants import ApplicantTokens
from gateway.callers import Callers
from gateway.rates import Rates
from workflows.onboarding.confirmation_link import LinkSeals
from workflows.onboarding.policy import ConsentPolicy

ReadDocument = Callable[[str, str], AsyncIterator[bytes]]
"""Reads what the archive has of an onboarding under a SHA-256. Raises Problem (404 or 503)."""

Now = Callable[[], Awaitable[datetime]]
"""Tells the time by which days and months of the books are over."""


async def our_time() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class GatewayOptions:
    """The gateway's connections, keys and secrets, and where uploads go.

    Any of `webhook_secrets` may have signed a webhook: several while they are exchanged. `rates`
    are of API keys, `page_rates` of the addresses that open pages. `consent` says which terms have
    to be accepted. `news` is set when something new is in the inbox. `upload_limit` is how many
    bytes a document may have, and `statement_limit` a file in `statements`, the spool of those.
    `calendars` are the names of those by which banks may work, `materiality` is what a break must
    be worth by itself, in minor units by currency. `now` is the time by which days and months
    of the books are over. Where `rehearses` holds, Stripe is a simulator, and each performance has
    an account that is compared with it.
    """

    engine: AsyncEngine
    client: Client
    callers: Callers
    signer: Signer
    webhook_secrets: Sequence[str]
    link_seals: LinkSeals
    applicants: ApplicantTokens
    rates: Rates
    page_rates: Rates
    spool: Spool
    upload_limit: int
    statements: Spool
    statement_limit: int
    read_document: ReadDocument
    calendars: Set[str]
    materiality: Mapping[str, int]
    now: Now = our_time
    rehearses: bool = False
    consent: ConsentPolicy = field(default_factory=ConsentPolicy)
    news: asyncio.Event = field(default_factory=asyncio.Event)


def options_of(request: Request) -> GatewayOptions:
    """The options of the application that serves this request."""
    options: GatewayOptions = request.app.state.options
    return options


Options = Annotated[GatewayOptions, Depends(options_of)]
