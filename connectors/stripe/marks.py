"""How we know again what we made at Stripe: by the request key in its metadata, only by that."""

from datetime import timedelta

from pydantic import BaseModel

from connectors.capabilities import Sent
from connectors.stripe.api import StripeApi, read

KEYS_LIVE = timedelta(hours=23)
"""Stripe remembers an idempotency key for at least 24 hours; one is our margin."""

CLOCK_DIFFERENCE = timedelta(minutes=5)
"""How far Stripe's clock may be behind ours for what we made still to be found."""


class Marked(BaseModel):
    """Something at Stripe, and what it says about who made it."""

    id: str
    metadata: dict[str, str] = {}


def marked(key: str, workflow_id: str) -> dict[str, str]:
    """The metadata of what is made under a key for a process."""
    return {"request_key": key, "workflow_id": workflow_id}


async def find_marked(api: StripeApi, path: str, sent: Sent) -> str | None:
    """The id of what was made under a key.

    By listing, which shows what was written before; search does not. What looks the same but has
    not our key is somebody else's.
    """
    since = int((sent.first_at - CLOCK_DIFFERENCE).timestamp())
    async for row in api.listed(path, created={"gte": since}):
        made = read(Marked, row)
        if made.metadata.get("request_key") == sent.key:
            return made.id
    return None
