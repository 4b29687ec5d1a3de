"""What the gateway is made of: given by whoever starts it, found by every route."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from gateway.actors import Signer
from gateway.callers import Callers
from gateway.rates import Rates
from workflows.onboarding.confirmation_link import LinkSeals


@dataclass(frozen=True)
class GatewayOptions:
    """The gateway's connections, keys and secrets.

    Any of `webhook_secrets` may have signed a webhook: several while they are exchanged. `rates`
    are of API keys, `page_rates` of the addresses that open pages. `news` is set when something new
    is in the inbox.
    """

    engine: AsyncEngine
    client: Client
    callers: Callers
    signer: Signer
    webhook_secrets: Sequence[str]
    link_seals: LinkSeals
    rates: Rates
    page_rates: Rates
    news: asyncio.Event = field(default_factory=asyncio.Event)


def options_of(request: Request) -> GatewayOptions:
    """The options of the application that serves this request."""
    options: GatewayOptions = request.app.state.options
    return options


Options = Annotated[GatewayOptions, Depends(options_of)]
