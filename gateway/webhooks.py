"""Stripe's webhooks: verified, written to the inbox, answered; handed over afterwards."""

import contextlib
import math
import time
from collections.abc import Sequence

from pydantic_core import from_json
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send
from stripe import SignatureVerificationError, WebhookSignature

from gateway.inbox_writer import InboxWriter
from gateway.problems import Problem
from workflows.events import Event, NotAnEvent, stripe_event

OLDEST = 300
"""Seconds after which a signature counts no more: who recorded it must not send it again."""
_DIGITS_OF_A_TIME = 12
FURTHEST_AHEAD = 30
"""Seconds that Stripe's clock may be ahead of ours."""


class StripeWebhook:
    """Takes one event in. 204 means that it is in our database, for good.

    Plain ASGI: a framework's request, route and response would take as long as all that is done
    here. Any of `secrets` may have signed.
    """

    def __init__(self, writer: InboxWriter, secrets: Sequence[str]) -> None:
        self._writer = writer
        self._secrets = secrets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one POST. Raises Problem, DatabaseDown."""
        body = await _body(receive)
        verify(body, Headers(scope=scope).get("stripe-signature"), self._secrets)
        try:
            await self._writer.take_in(_event(body))
        except NotAnEvent as error:
            raise Problem(400, "not-an-event", f"This is no event: {error}.") from None
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


def verify(body: bytes, header: str | None, secrets: Sequence[str]) -> None:
    """Raises Problem (400) unless one of `secrets` signed `body`, a short while ago."""
    if _signed_at(header) <= time.time() + FURTHEST_AHEAD:  # the SDK refuses old ones only
        for secret in secrets:
            with contextlib.suppress(SignatureVerificationError, ValueError, OverflowError):
                WebhookSignature.verify_header(body, header, secret, OLDEST)
                return
    raise Problem(
        400,
        "signature-refused",
        "The header Stripe-Signature does not fit the body, or was made too long ago or in the "
        "future. Check the endpoint's secret and the clocks.",
    )


def _signed_at(header: str | None) -> float:
    """When a signature was made; infinitely far ahead where it does not say."""
    for part in (header or "").split(","):
        name, _, value = part.partition("=")
        if name == "t" and value.isdecimal() and len(value) <= _DIGITS_OF_A_TIME:
            return int(value)
    return math.inf


def _event(body: bytes) -> Event:
    try:
        return stripe_event(from_json(body))
    except NotAnEvent:
        raise
    except (ValueError, RecursionError):
        raise Problem(400, "malformed-json", "The body is not JSON.") from None


async def _body(receive: Receive) -> bytes:
    chunks = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "cut-off", "The body has not come in full.")
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)
