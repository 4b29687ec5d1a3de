"""What the gateway is made of: given by whoever starts it, found by every route."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from gateway.actors import Signer
from gateway.callers import Callers
from gateway.rates import Rates


@dataclass(frozen=True)
class GatewayOptions:
    """The gateway's connections, keys and secrets.

    Any of `webhook_secrets` may have signed a webhook: several while they are exchanged.
    """

    engine: AsyncEngine
    client: Client
    callers: Callers
    signer: Signer
    webhook_secrets: Sequence[str]
    rates: Rates


def options_of(request: Request) -> GatewayOptions:
    """The options of the application that serves this request."""
    options: GatewayOptions = request.app.state.options
    return options


Options = Annotated[GatewayOptions, Depends(options_of)]
