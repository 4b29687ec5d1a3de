"""The gateway, put together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway import (
    accounts,
    api_page,
    appeals,
    attention,
    balances,
    breaks,
    certificates,
    confirmation_page,
    confirmations,
    customers,
    documents,
    duplicates,
    health,
    identity_sessions,
    matches,
    onboardings,
    open_items,
    openings,
    payments,
    periods,
    problems,
    reconciliations,
    requests,
    retries,
    reviews,
    screening,
    shadows,
    statements,
    status,
    versions,
    withdrawals,
)
from gateway.booking import keep_booking
from gateway.callers import allowed
from gateway.door import Door
from gateway.handing_over import keep_handing_over
from gateway.inbox_writer import InboxWriter
from gateway.methods import Methods, not_allowed
from gateway.openapi import describe, operation_id
from gateway.options import GatewayOptions
from gateway.parameters import only_known
from gateway.webhooks import StripeWebhook

_DESCRIPTION = """
Customer onboarding and payment reconciliation that are never half done.

Send your API key as `Authorization: Bearer …`. Every request that changes something may be sent
again: signups by their `Idempotency-Key`, decisions because asking twice is fine. Where two people
may change the same thing, `If-Match` says what you looked at. Errors are problem+json (RFC 9457);
they name the field and the way out. `X-Request-Id` is taken over and given back.

Lists have `items` and `next`: send `next` as `cursor` to get the page after, `limit` says how many
to a page. A parameter that is not described is refused. Answers to GET have an `ETag`: send it as
`If-None-Match` and hear 304 while nothing changed. Each key has a rate: 429 says when to ask again.
"""


class _Gateway(FastAPI):
    """The API. Webhooks go from a door of their own to the inbox, past all that an API needs."""

    def __init__(self, webhook: Route, door: Door, **api: Any) -> None:  # Any: FastAPI's own
        super().__init__(**api)
        self._webhook, self._door = webhook, door
        # Here too, for what the path says to other methods.
        self.router.routes.append(webhook)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        webhook = self._webhook
        straight = scope["type"] == "http" and scope["path"] == webhook.path
        if straight and scope["method"] == "POST":
            scope["app"], scope["route"] = self, webhook
            await self._door(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(options: GatewayOptions) -> FastAPI:
    """The application. Its tasks run from the start to the end of its life."""

    writer = InboxWriter(options.engine, options.news)

    @contextlib.asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(writer.run()),
            asyncio.create_task(keep_handing_over(options.engine, options.client, options.news)),
            asyncio.create_task(keep_booking(options.engine)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    hook = StripeWebhook(writer, options.webhook_secrets)
    door: dict[str, Any] = {  # Any: of many types
        "callers": options.callers,
        "rates": options.rates,
        "upload_limit": options.upload_limit,
        "statement_limit": options.statement_limit,
    }
    app = _Gateway(
        Route("/webhooks/stripe", hook, methods=["POST"]),
        Door(hook, **door),
        title="Perdure",
        version=version("perdure"),
        description=_DESCRIPTION,
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    app.state.options = options
    app.add_middleware(Methods)
    app.add_middleware(Door, **door)
    problems.handle_all(app)
    app.add_exception_handler(405, not_allowed)
    api = (
        onboardings,
        status,
        withdrawals,
        versions,
        appeals,
        confirmations,
        screening,
        identity_sessions,
        reviews,
        duplicates,
        documents,
        customers,
        accounts,
        payments,
        openings,
        periods,
        balances,
        open_items,
        shadows,
        reconciliations,
        certificates,
        breaks,
        matches,
        statements,
        attention,
        retries,
        requests,
    )
    for room in api:
        app.include_router(room.router, dependencies=[Depends(allowed), Depends(only_known)])
    app.include_router(health.router, dependencies=[Depends(only_known)])
    app.router.routes.extend([*api_page.ROUTES, *confirmation_page.ROUTES])
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app
