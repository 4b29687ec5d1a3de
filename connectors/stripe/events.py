"""What happened at Stripe, asked for: what webhooks should have told us."""

from collections.abc import AsyncIterator
from datetime import datetime

from connectors.stripe.api import StripeApi, path_of
from connectors.stripe.errors import bad_body
from workflows.events import IDENTITY_EVENTS, Event, NotAnEvent, stripe_event


class StripeEvents:
    """The events of the account that somebody waits for; Stripe keeps them for 30 days."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    async def since(self, at: datetime) -> AsyncIterator[Event]:
        """Events since `at` (whole seconds, by Stripe's clock), newest first."""
        created = {"gte": int(at.timestamp())}
        types = sorted(IDENTITY_EVENTS)
        async for row in self._api.listed(path_of("events"), created=created, types=types):
            try:
                yield stripe_event(row)
            except NotAnEvent:
                raise bad_body() from None
